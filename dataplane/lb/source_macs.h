// SPDX-License-Identifier: Apache-2.0
#pragma once

// SourceMacs: the virtual addresses whose packets leave with a virtual MAC (use_vmac, RFC 9568
// section 7.3) instead of their port's. Empty unless this node is MASTER of such an instance, so
// that nobody else pays for it. Immutable, read by all workers.

#include <span>
#include <vector>

#include "dataplane/lb/address_map.h"
#include "dataplane/lb/connection.h"
#include "dataplane/lb/ids.h"
#include "dataplane/lb/packet.h"
#include "dataplane/lb/service_lookup.h"
#include "dataplane/lb/spec.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"

namespace pollux::lb {

class SourceMacs {
  public:
    // The source MAC of what leaves by `port`. A virtual MAC belongs to one LAN: on other ports the
    // address has theirs.
    struct Source {
        net::MacAddress mac;
        PortId port = kNoPort;  // kNoPort: the port's own MAC everywhere
    };
    static_assert(sizeof(Source) == 8);
    // A Source with this port means that only the address itself can tell: ask `find`.
    static constexpr PortId kByAddress{0xfffe};

    SourceMacs() = default;
    // Owned addresses with their port's own MAC are left out.
    SourceMacs(std::span<const OwnedAddressSpec> owned, std::span<const PortSpec> ports);
    // While the snapshot is built: what packets of the service, or from the local address, have.
    void add_service(ServiceId id, const ServiceKey& key);
    void add_local(LocalAddressId id, const net::IpAddress& address);

    [[nodiscard]] bool empty() const noexcept { return sources_.empty(); }

    // Slow paths: by the packet's source. Null: the port's own.
    [[nodiscard]] const net::MacAddress* find(const net::IpAddress& source,
                                              PortId port) const noexcept {
        const std::uint32_t at = positions_.find(source);
        if (at == AddressMap::kAbsent || sources_[at].port != port) return nullptr;
        return &sources_[at].mac;
    }
    // Of replies from the service's address. Known by mark only, it may have many.
    [[nodiscard]] const Source& of_service(ServiceId id) const noexcept {
        return index(id) < by_service_.size() ? by_service_[index(id)] : kUnknown;
    }
    // Of packets to FullNAT servers.
    [[nodiscard]] const Source& of_local(LocalAddressId id) const noexcept {
        return index(id) < by_local_.size() ? by_local_[index(id)] : kUnknown;
    }

  private:
    // Known only to a later snapshot, which another worker reads already.
    static constexpr Source kUnknown{{}, kByAddress};

    [[nodiscard]] Source source_of(const net::IpAddress& address) const;

    AddressMap positions_;  // value: position in sources_
    std::vector<Source> sources_;
    std::vector<Source> by_service_;  // by ServiceId
    std::vector<Source> by_local_;    // by LocalAddressId
};

}  // namespace pollux::lb
