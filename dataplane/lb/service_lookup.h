// SPDX-License-Identifier: Apache-2.0
#pragma once

// ServiceLookup: from a packet's destination or firewall mark to the virtual service, in LVS's
// order: mark, exact port, FTP, port 0. Immutable, read by all workers, on connection set-up only.

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "dataplane/lb/ids.h"
#include "dataplane/lb/spec.h"
#include "dataplane/net/ip_address.h"

namespace pollux::lb {

// A TCP service on FTP's control port also gets the packets to its data port and to the ports that
// passive FTP uses, if no other service has these.
inline constexpr std::uint16_t kFtpPort = 21;
inline constexpr std::uint16_t kFtpDataPort = 20;
inline constexpr std::uint16_t kFirstUnprivilegedPort = 1024;

// What identifies a service: (family, protocol, address, port) or (family, mark).
struct ServiceKey {
    net::IpAddress address;  // only the family counts with a mark
    Protocol protocol = Protocol::None;
    std::uint16_t port = 0;  // host order
    std::uint32_t fwmark = 0;

    static ServiceKey of(const ServiceSpec& spec) noexcept;
    bool operator==(const ServiceKey&) const noexcept = default;
    auto operator<=>(const ServiceKey&) const noexcept = default;
};

class ServiceLookup {
  public:
    ServiceLookup() = default;
    explicit ServiceLookup(std::span<const std::pair<ServiceKey, ServiceId>> services);

    // `mark` 0: the packet has none. `port` in host order. kNoService: none.
    [[nodiscard]] ServiceId find(const net::IpAddress& address, Protocol protocol,
                                 std::uint16_t port, std::uint32_t mark) const noexcept;

    // Some service has this address, whatever its port: the address is a virtual one.
    [[nodiscard]] bool is_virtual(const net::IpAddress& address) const noexcept;

  private:
    struct Slot {
        ServiceKey key;
        ServiceId id = kNoService;
    };
    [[nodiscard]] ServiceId probe(const ServiceKey& key) const noexcept;
    void insert(const ServiceKey& key, ServiceId id) noexcept;

    std::vector<Slot> slots_;
    std::vector<net::IpAddress> addresses_;  // sorted
    std::uint64_t mask_ = 0;
    bool has_marks_ = false;
    bool has_port_zero_ = false;
    bool has_ftp_ = false;
};

}  // namespace pollux::lb
