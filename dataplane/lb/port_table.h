// SPDX-License-Identifier: Apache-2.0
#pragma once

// PortTable: what the packet path must know of each port: which destination MACs are ours, the MTU,
// and an address of ours to answer from. Immutable, read by all workers.

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "dataplane/lb/packet.h"
#include "dataplane/lb/spec.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"

namespace pollux::lb {

class PortTable {
  public:
    PortTable() = default;
    PortTable(std::span<const PortSpec> ports, std::span<const OwnedAddressSpec> owned);

    // `mac` points to the first six bytes of a frame of at least eight.
    [[nodiscard]] bool is_own_mac(PortId port, const std::uint8_t* mac) const noexcept {
        const Entry& entry = entries_[static_cast<std::size_t>(port)];
        return load(mac) == entry.mac || is_extra_mac(entry, load(mac));
    }
    [[nodiscard]] std::uint16_t mtu(PortId port) const noexcept {
        return entries_[static_cast<std::size_t>(port)].mtu;
    }
    // The first owned address of that family on the port; family None: there is none.
    [[nodiscard]] const net::IpAddress& address(PortId port, net::Family family) const noexcept {
        const Entry& entry = entries_[static_cast<std::size_t>(port)];
        return family == net::Family::V4 ? entry.address_v4 : entry.address_v6;
    }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

  private:
    struct Entry {
        std::uint64_t mac = 0;  // the six bytes as loaded, upper two zero
        std::uint16_t mtu = 0;
        net::IpAddress address_v4;
        net::IpAddress address_v6;
        std::vector<std::uint64_t> extra_macs;
    };
    static std::uint64_t load(const std::uint8_t* mac) noexcept {
        std::uint64_t bytes = 0;
        std::memcpy(&bytes, mac, sizeof bytes);
        return bytes & 0x0000ffffffffffffU;
    }
    static bool is_extra_mac(const Entry& entry, std::uint64_t mac) noexcept;

    std::vector<Entry> entries_;
};

}  // namespace pollux::lb
