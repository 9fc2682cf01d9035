// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/source_macs.h"

namespace pollux::lb {
namespace {

template <typename Sources>
void set(Sources& sources, std::size_t position, const SourceMacs::Source& source) {
    if (sources.size() <= position) sources.resize(position + 1, {{}, SourceMacs::kByAddress});
    sources[position] = source;
}

}  // namespace

SourceMacs::SourceMacs(std::span<const OwnedAddressSpec> owned, std::span<const PortSpec> ports) {
    std::vector<AddressMap::Item> items;
    for (const OwnedAddressSpec& spec : owned) {
        const auto port = static_cast<std::size_t>(spec.port);
        if (port >= ports.size() || spec.mac == ports[port].mac) continue;
        items.push_back({spec.address, static_cast<std::uint32_t>(sources_.size())});
        sources_.push_back({spec.mac, spec.port});
    }
    positions_ = AddressMap(items);
}

SourceMacs::Source SourceMacs::source_of(const net::IpAddress& address) const {
    const std::uint32_t at = positions_.find(address);
    return at == AddressMap::kAbsent ? Source{} : sources_[at];
}

void SourceMacs::add_service(ServiceId id, const ServiceKey& key) {
    if (empty()) return;
    set(by_service_, index(id), key.fwmark != 0 ? kUnknown : source_of(key.address));
}

void SourceMacs::add_local(LocalAddressId id, const net::IpAddress& address) {
    if (!empty()) set(by_local_, index(id), source_of(address));
}

}  // namespace pollux::lb
