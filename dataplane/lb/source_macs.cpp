// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/source_macs.h"

namespace pollux::lb {

SourceMacs::SourceMacs(std::span<const OwnedAddressSpec> owned, std::span<const PortSpec> ports) {
    std::vector<AddressMap::Item> items;
    for (const OwnedAddressSpec& spec : owned) {
        const auto port = static_cast<std::size_t>(spec.port);
        if (port >= ports.size() || spec.mac == ports[port].mac) continue;
        items.push_back({spec.address, static_cast<std::uint32_t>(entries_.size())});
        entries_.push_back({spec.mac, spec.port});
    }
    positions_ = AddressMap(items);
}

}  // namespace pollux::lb
