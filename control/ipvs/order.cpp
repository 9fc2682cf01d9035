// SPDX-License-Identifier: Apache-2.0

#include "control/ipvs/order.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace pollux::control::ipvs {

namespace {

// The difference as ipvsadm computes it: unsigned, then taken for an int.
int difference(std::uint32_t a, std::uint32_t b) {
    return static_cast<int>(a - b);
}

std::uint32_t first_word(const net::IpAddress& address) {
    return (std::uint32_t{address.bytes[0]} << 24U) | (std::uint32_t{address.bytes[1]} << 16U) |
           (std::uint32_t{address.bytes[2]} << 8U) | address.bytes[3];
}

// The family of the first operand decides how both are read.
int compare_addresses(const net::IpAddress& a, const net::IpAddress& b) {
    if (a.is_v6()) return std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size());
    return difference(first_word(a), first_word(b));
}

int compare_services(const lb::ServiceView& a, const lb::ServiceView& b) {
    if (const int r = difference(a.spec.fwmark, b.spec.fwmark); r != 0) return r;
    if (a.spec.address.family != b.spec.address.family) return a.spec.address.is_v4() ? -1 : 1;
    const int protocols = static_cast<int>(a.spec.protocol) - static_cast<int>(b.spec.protocol);
    if (protocols != 0) return protocols;
    if (const int r = compare_addresses(a.spec.address, b.spec.address); r != 0) return r;
    return int{a.spec.port} - int{b.spec.port};
}

int compare_servers(const lb::ServerView& a, const lb::ServerView& b) {
    if (const int r = compare_addresses(a.address, b.address); r != 0) return r;
    return int{a.port} - int{b.port};
}

// glibc's qsort for arrays of this size: top-down merge sort, first half rounded down.
template <typename Compare>
void merge_sort(std::span<std::size_t> items, const Compare& compare) {
    if (items.size() < 2) return;
    const std::size_t half = items.size() / 2;
    merge_sort(items.first(half), compare);
    merge_sort(items.subspan(half), compare);
    std::vector<std::size_t> merged;
    merged.reserve(items.size());
    std::size_t left = 0;
    std::size_t right = half;
    while (left < half && right < items.size()) {
        const bool take_left = compare(items[left], items[right]) <= 0;
        merged.push_back(items[take_left ? left++ : right++]);
    }
    while (left < half) merged.push_back(items[left++]);
    while (right < items.size()) merged.push_back(items[right++]);
    std::copy(merged.begin(), merged.end(), items.begin());
}

}  // namespace

std::vector<std::size_t> service_order(const std::vector<const lb::ServiceView*>& in) {
    std::vector<std::size_t> order(in.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    merge_sort(std::span(order),
               [&in](std::size_t a, std::size_t b) { return compare_services(*in[a], *in[b]); });
    return order;
}

std::vector<std::size_t> server_order(const std::vector<lb::ServerView>& servers, bool sorted) {
    std::vector<std::size_t> order;
    for (std::size_t i = servers.size(); i-- > 0;) {
        if (!servers[i].removed) order.push_back(i);
    }
    if (sorted) {
        merge_sort(std::span(order), [&servers](std::size_t a, std::size_t b) {
            return compare_servers(servers[a], servers[b]);
        });
    }
    return order;
}

}  // namespace pollux::control::ipvs
