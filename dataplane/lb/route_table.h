// SPDX-License-Identifier: Apache-2.0
#pragma once

// RouteTable: longest prefix match from an address to a next hop, immutable, read by all workers.
// Made for few prefixes and many host routes (resolved neighbours): prefixes live in a trie of
// 256-way blocks, one per address byte, so a default route is found with one load from 1 KiB;
// hosts live in a hash map that is asked only below the /24 or /64 networks that have any, so that
// answers to the rest of the world do not pay for the neighbours.
//
//   trie entry:  31      30          29..0
//               +-------+-----------+------------------------------------+
//               | child | has hosts | block, or next hop + 1 (0 = none)  |
//               +-------+-----------+------------------------------------+

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/lb/address_map.h"
#include "dataplane/lb/packet.h"
#include "dataplane/lb/spec.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"

namespace pollux::lb {

// Where a packet leaves and with which addresses. One cache line.
struct alignas(64) NextHop {
    // As they lie in the frame: destination, source.
    std::array<std::uint8_t, 12> macs{};
    PortId port = kNoPort;
    std::uint16_t mtu = 0;            // bytes of IP
    bool resolved = false;            // macs are valid
    net::IpAddress gateway;           // whom to resolve; family None: the destination itself
    net::IpAddress preferred_source;  // may be of no family
};
static_assert(sizeof(NextHop) == 64);

class RouteTable {
  public:
    RouteTable() = default;
    // `ports` gives the MTU for routes that have none of their own.
    RouteTable(std::span<const RouteSpec> routes, std::span<const PortSpec> ports);

    // Null: no route.
    [[nodiscard]] const NextHop* find(const net::IpAddress& address) const noexcept {
        return find(address.bytes.data(), address.is_v6());
    }
    // `address`: 4 or 16 bytes as on the wire.
    [[nodiscard]] const NextHop* find(const std::uint8_t* address, bool is_v6) const noexcept {
        std::uint32_t entry = is_v6 ? root_v6_ : root_v4_;
        // Ends with the address: no entry for a last byte has a child.
        for (std::size_t i = 0; (entry & kChild) != 0; ++i) {
            entry = blocks_[entry & kValue][address[i]];
        }
        if ((entry & kHasHosts) != 0) [[unlikely]]
            return find_host(address, is_v6, entry);
        const std::uint32_t value = entry & kValue;
        return value == 0 ? nullptr : &next_hops_[value - 1];
    }

    [[nodiscard]] std::span<const NextHop> next_hops() const noexcept { return next_hops_; }
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

  private:
    using Block = std::array<std::uint32_t, 256>;
    static constexpr std::uint32_t kChild = 1U << 31;
    static constexpr std::uint32_t kHasHosts = 1U << 30;
    static constexpr std::uint32_t kValue = kHasHosts - 1;

    // `entry` is what the trie has for the address.
    [[nodiscard]] const NextHop* find_host(const std::uint8_t* address, bool is_v6,
                                           std::uint32_t entry) const noexcept;
    void add_prefix(const net::IpPrefix& prefix, std::uint32_t next_hop);
    void mark_host(const net::IpAddress& address);
    std::uint32_t child_of(std::uint32_t& entry);

    std::uint32_t root_v4_ = 0;
    std::uint32_t root_v6_ = 0;
    std::vector<Block> blocks_;
    AddressMap hosts_;
    std::vector<NextHop> next_hops_;
};

}  // namespace pollux::lb
