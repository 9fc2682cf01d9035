// SPDX-License-Identifier: Apache-2.0

#include "vrrp/address_set.h"

#include <algorithm>
#include <cstring>

namespace pollux::vrrp {
namespace {

// A well-mixed word per address; their sum does not depend on the order.
std::uint64_t fingerprint(const net::IpAddress& address) {
    std::uint64_t halves[2];
    std::memcpy(halves, address.bytes.data(), sizeof halves);
    std::uint64_t word = halves[0] * 0x9e3779b97f4a7c15U ^ halves[1];
    word = (word ^ (word >> 30U)) * 0xbf58476d1ce4e5b9U;
    word = (word ^ (word >> 27U)) * 0x94d049bb133111ebU;
    return word ^ (word >> 31U);
}

}  // namespace

AddressSet::AddressSet(std::span<const net::IpAddress> addresses)
    : in_order_(addresses.begin(), addresses.end()), sorted_(in_order_) {
    std::ranges::sort(sorted_);
    for (const net::IpAddress& address : in_order_) fingerprint_ += fingerprint(address);
}

bool AddressSet::matches(const ReceivedAdvert& advert) const {
    if (advert.count != in_order_.size()) return false;
    bool same_order = true;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < in_order_.size(); ++i) {
        const net::IpAddress address = advert.address(i);
        same_order = same_order && address == in_order_[i];
        sum += fingerprint(address);
    }
    if (same_order) return true;
    if (sum != fingerprint_) return false;
    std::vector<net::IpAddress> theirs = advert.addresses();
    std::ranges::sort(theirs);
    return theirs == sorted_;
}

}  // namespace pollux::vrrp
