// SPDX-License-Identifier: Apache-2.0
#pragma once

// AddressMap: address -> 32-bit value, built once for a snapshot and then only read, by any thread.
// Open addressing at no more than half load, so a lookup usually touches one line. Its keys come
// from the operator and from neighbour tables, not from traffic: the hash needs no secret.

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "dataplane/net/ip_address.h"

namespace pollux::lb {

// Both families in one mix of the 16 address bytes.
inline std::uint64_t hash_address(const net::IpAddress& address) noexcept {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::memcpy(&high, address.bytes.data(), sizeof high);
    std::memcpy(&low, address.bytes.data() + 8, sizeof low);
    high = (high ^ static_cast<std::uint64_t>(address.family)) * 0x9e3779b97f4a7c15U;
    low = (low + 0x632be59bd9b4e019U) * 0xd6e8feb86659fd93U;
    std::uint64_t mixed = (high ^ (high >> 32U)) + low;
    mixed = (mixed ^ (mixed >> 29U)) * 0xbf58476d1ce4e5b9U;
    return mixed ^ (mixed >> 32U);
}

class AddressMap {
  public:
    static constexpr std::uint32_t kAbsent = 0xffffffffU;

    struct Item {
        net::IpAddress address;   // family not None
        std::uint32_t value = 0;  // not kAbsent
    };

    AddressMap() = default;
    // Of items with the same address the last one counts.
    explicit AddressMap(std::span<const Item> items);

    [[nodiscard]] std::uint32_t find(const net::IpAddress& address) const noexcept {
        if (slots_.empty()) return kAbsent;
        for (std::uint64_t at = hash_address(address);; ++at) {
            const Item& slot = slots_[at & mask_];
            if (slot.value == kAbsent || slot.address == address) return slot.value;
        }
    }
    [[nodiscard]] bool contains(const net::IpAddress& address) const noexcept {
        return find(address) != kAbsent;
    }
    [[nodiscard]] bool empty() const noexcept { return slots_.empty(); }

  private:
    std::vector<Item> slots_;
    std::uint64_t mask_ = 0;
};

}  // namespace pollux::lb
