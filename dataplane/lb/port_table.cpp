// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/port_table.h"

#include <algorithm>

namespace pollux::lb {
namespace {

std::uint64_t to_word(const net::MacAddress& mac) {
    std::uint64_t word = 0;
    std::memcpy(&word, mac.bytes.data(), mac.bytes.size());
    return word;
}

}  // namespace

PortTable::PortTable(std::span<const PortSpec> ports, std::span<const OwnedAddressSpec> owned) {
    entries_.resize(ports.size());
    for (std::size_t i = 0; i < ports.size(); ++i) {
        Entry& entry = entries_[i];
        entry.mac = to_word(ports[i].mac);
        entry.mtu = ports[i].mtu;
        for (const net::MacAddress& mac : ports[i].extra_macs) {
            entry.extra_macs.push_back(to_word(mac));
        }
    }
    for (const OwnedAddressSpec& spec : owned) {
        const auto port = static_cast<std::size_t>(spec.port);
        if (port >= entries_.size() || spec.address.is_link_local()) continue;
        Entry& entry = entries_[port];
        net::IpAddress& slot = spec.address.is_v4() ? entry.address_v4 : entry.address_v6;
        if (slot.family == net::Family::None) slot = spec.address;
    }
}

bool PortTable::is_extra_mac(const Entry& entry, std::uint64_t mac) noexcept {
    return std::find(entry.extra_macs.begin(), entry.extra_macs.end(), mac) !=
           entry.extra_macs.end();
}

}  // namespace pollux::lb
