// SPDX-License-Identifier: Apache-2.0
#pragma once

// SourceMacs: the virtual addresses whose packets leave with a virtual MAC (use_vmac, RFC 9568
// section 7.3) instead of their port's. Empty unless this node is MASTER of such an instance, so
// that nobody else pays for it. Immutable, read by all workers.

#include <span>
#include <vector>

#include "dataplane/lb/address_map.h"
#include "dataplane/lb/packet.h"
#include "dataplane/lb/spec.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"

namespace pollux::lb {

class SourceMacs {
  public:
    SourceMacs() = default;
    // Owned addresses with their port's own MAC are left out.
    SourceMacs(std::span<const OwnedAddressSpec> owned, std::span<const PortSpec> ports);

    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

    // The MAC of a packet that leaves the port with that source; null: the port's own. A virtual
    // MAC belongs to one LAN: on other ports the address has theirs.
    [[nodiscard]] const net::MacAddress* find(const net::IpAddress& source,
                                              PortId port) const noexcept {
        const std::uint32_t at = positions_.find(source);
        if (at == AddressMap::kAbsent || entries_[at].port != port) return nullptr;
        return &entries_[at].mac;
    }

  private:
    struct Entry {
        net::MacAddress mac;
        PortId port = kNoPort;
    };
    static_assert(sizeof(Entry) == 8);

    AddressMap positions_;  // value: position in entries_
    std::vector<Entry> entries_;
};

}  // namespace pollux::lb
