// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/address_map.h"

#include <bit>

namespace pollux::lb {

AddressMap::AddressMap(std::span<const Item> items) {
    if (items.empty()) return;
    const std::size_t size = std::bit_ceil(items.size() * 2);
    slots_.assign(size, Item{{}, kAbsent});
    mask_ = size - 1;
    for (const Item& item : items) {
        std::uint64_t at = hash_address(item.address);
        while (slots_[at & mask_].value != kAbsent && slots_[at & mask_].address != item.address) {
            ++at;
        }
        slots_[at & mask_] = item;
    }
}

}  // namespace pollux::lb
