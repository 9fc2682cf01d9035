// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/route_table.h"

#include <algorithm>
#include <numeric>

namespace pollux::lb {
namespace {

// 2 MiB of blocks; networks of hosts beyond them are found by their shorter prefixes.
constexpr std::size_t kMaxBlocksForHosts = 2048;

// A route that names no port hides shorter ones: `find` gives none there.
constexpr std::uint32_t kNowhere = 0xffffffff;

std::uint8_t host_length(const net::IpPrefix& prefix) {
    return prefix.address.is_v4() ? 32 : 128;
}

bool is_host(const net::IpPrefix& prefix) {
    return prefix.length == host_length(prefix);
}

NextHop make_next_hop(const RouteSpec& route, std::span<const PortSpec> ports) {
    NextHop hop;
    std::copy_n(route.destination_mac.bytes.begin(), 6, hop.macs.begin());
    std::copy_n(route.source_mac.bytes.begin(), 6, hop.macs.begin() + 6);
    hop.port = route.port;
    const auto port = static_cast<std::size_t>(route.port);
    hop.mtu = route.mtu != 0 || port >= ports.size() ? route.mtu : ports[port].mtu;
    hop.resolved = route.resolved;
    hop.gateway = route.gateway;
    hop.preferred_source = route.preferred_source;
    return hop;
}

}  // namespace

RouteTable::RouteTable(std::span<const RouteSpec> routes, std::span<const PortSpec> ports) {
    std::vector<std::uint32_t> order(routes.size());
    std::iota(order.begin(), order.end(), 0U);
    // Shorter prefixes first, so that longer ones paint over them.
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        return routes[a].destination.length < routes[b].destination.length;
    });

    std::vector<AddressMap::Item> hosts;
    next_hops_.reserve(routes.size());
    for (const RouteSpec& route : routes) next_hops_.push_back(make_next_hop(route, ports));
    for (const std::uint32_t at : order) {
        const net::IpPrefix& prefix = routes[at].destination;
        if (prefix.address.family == net::Family::None) continue;
        if (routes[at].port == kNoPort) {
            add_prefix(prefix, kNowhere);
        } else if (is_host(prefix)) {
            hosts.push_back({prefix.address, at});
        } else {
            add_prefix(prefix, at);
        }
    }
    for (const AddressMap::Item& host : hosts) mark_host(host.address);
    hosts_ = AddressMap(hosts);
}

std::uint32_t RouteTable::child_of(std::uint32_t& entry) {
    if ((entry & kChild) == 0) {
        Block block;
        block.fill(entry);
        blocks_.push_back(block);
        return kChild | static_cast<std::uint32_t>(blocks_.size() - 1);
    }
    return entry;
}

void RouteTable::add_prefix(const net::IpPrefix& prefix, std::uint32_t next_hop) {
    std::uint32_t& root = prefix.address.is_v4() ? root_v4_ : root_v6_;
    const std::uint32_t leaf = next_hop + 1;  // 0 of kNowhere
    if (prefix.length == 0) {
        root = leaf;  // sorted by length: nothing longer is there yet
        return;
    }
    root = child_of(root);
    std::uint32_t block = root & kValue;
    unsigned byte = 0;
    for (; (byte + 1) * 8U < prefix.length; ++byte) {
        const std::uint8_t at = prefix.address.bytes[byte];
        const std::uint32_t child = child_of(blocks_[block][at]);
        blocks_[block][at] = child;
        block = child & kValue;
    }
    const unsigned bits = prefix.length - byte * 8U;  // 1..8 of this byte
    const unsigned span = 1U << (8U - bits);
    const unsigned first = prefix.address.bytes[byte] & ~(span - 1U);
    for (unsigned at = first; at < first + span; ++at) blocks_[block][at] = leaf;
}

// Gives the host's /24 or /64 an entry of its own while there may be more blocks, and marks the
// longest entry that there is.
void RouteTable::mark_host(const net::IpAddress& address) {
    const std::size_t own_bytes = address.is_v4() ? 3 : 8;
    std::uint32_t& root = address.is_v4() ? root_v4_ : root_v6_;
    std::uint32_t block = 0;
    // The entry at depth `i`; blocks_ may move when one is added.
    const auto entry = [&](std::size_t i) -> std::uint32_t& {
        return i == 0 ? root : blocks_[block][address.bytes[i - 1]];
    };
    std::size_t depth = 0;
    for (;; ++depth) {
        if ((entry(depth) & kChild) == 0) {
            if (depth >= own_bytes || blocks_.size() >= kMaxBlocksForHosts) break;
            const std::uint32_t child = child_of(entry(depth));
            entry(depth) = child;
        }
        block = entry(depth) & kValue;
    }
    entry(depth) |= kHasHosts;
}

const NextHop* RouteTable::find_host(const std::uint8_t* address, bool is_v6,
                                     std::uint32_t entry) const noexcept {
    net::IpAddress host;
    host.family = is_v6 ? net::Family::V6 : net::Family::V4;
    std::copy_n(address, is_v6 ? 16 : 4, host.bytes.begin());
    const std::uint32_t hop = hosts_.find(host);
    if (hop != AddressMap::kAbsent) return &next_hops_[hop];
    const std::uint32_t value = entry & kValue;
    return value == 0 ? nullptr : &next_hops_[value - 1];
}

std::size_t RouteTable::memory_bytes() const noexcept {
    return blocks_.size() * sizeof(Block) + next_hops_.size() * sizeof(NextHop);
}

}  // namespace pollux::lb
