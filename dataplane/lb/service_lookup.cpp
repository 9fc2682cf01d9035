// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/service_lookup.h"

#include <algorithm>
#include <bit>

#include "dataplane/lb/address_map.h"

namespace pollux::lb {
namespace {

std::uint64_t hash_key(const ServiceKey& key) noexcept {
    const std::uint64_t rest = (std::uint64_t{key.fwmark} << 32U) |
                               (std::uint64_t{key.port} << 8U) |
                               static_cast<std::uint64_t>(key.protocol);
    const std::uint64_t mixed = hash_address(key.address) ^ (rest * 0x9fb21c651e98df25U);
    return mixed ^ (mixed >> 28U);
}

}  // namespace

ServiceKey ServiceKey::of(const ServiceSpec& spec) noexcept {
    ServiceKey key;
    if (spec.fwmark != 0) {
        key.address.family = spec.address.family;
        key.fwmark = spec.fwmark;
    } else {
        key.address = spec.address;
        key.protocol = spec.protocol;
        key.port = spec.port;
    }
    return key;
}

ServiceLookup::ServiceLookup(std::span<const std::pair<ServiceKey, ServiceId>> services) {
    if (services.empty()) return;
    const std::size_t size = std::bit_ceil(services.size() * 2);
    slots_.resize(size);
    mask_ = size - 1;
    for (const auto& [key, id] : services) {
        insert(key, id);
        has_marks_ |= key.fwmark != 0;
        has_ftp_ |= key.protocol == Protocol::Tcp && key.port == kFtpPort;
        has_port_zero_ |= key.fwmark == 0 && key.port == 0;
        if (key.fwmark == 0) addresses_.push_back(key.address);
    }
    std::sort(addresses_.begin(), addresses_.end());
    addresses_.erase(std::unique(addresses_.begin(), addresses_.end()), addresses_.end());
}

void ServiceLookup::insert(const ServiceKey& key, ServiceId id) noexcept {
    std::uint64_t at = hash_key(key);
    while (slots_[at & mask_].id != kNoService) ++at;
    slots_[at & mask_] = {key, id};
}

ServiceId ServiceLookup::probe(const ServiceKey& key) const noexcept {
    for (std::uint64_t at = hash_key(key);; ++at) {
        const Slot& slot = slots_[at & mask_];
        if (slot.id == kNoService || slot.key == key) return slot.id;
    }
}

ServiceId ServiceLookup::find(const net::IpAddress& address, Protocol protocol, std::uint16_t port,
                              std::uint32_t mark) const noexcept {
    if (slots_.empty()) return kNoService;
    if (has_marks_ && mark != 0) {
        ServiceKey key;
        key.address.family = address.family;
        key.fwmark = mark;
        const ServiceId id = probe(key);
        if (id != kNoService) return id;
    }
    const ServiceId exact = probe({address, protocol, port, 0});
    if (exact != kNoService) return exact;
    if (has_ftp_ && protocol == Protocol::Tcp &&
        (port == kFtpDataPort || port >= kFirstUnprivilegedPort)) {
        const ServiceId id = probe({address, protocol, kFtpPort, 0});
        if (id != kNoService) return id;
    }
    return has_port_zero_ ? probe({address, protocol, 0, 0}) : kNoService;
}

bool ServiceLookup::is_virtual(const net::IpAddress& address) const noexcept {
    return std::binary_search(addresses_.begin(), addresses_.end(), address);
}

}  // namespace pollux::lb
