// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an instance must know to take part in its virtual router. Filled by the caller, who has
// checked the ranges; one object is read by one thread.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/net/ip_address.h"
#include "vrrp/clock.h"
#include "vrrp/wire.h"

namespace pollux::vrrp {

// Version 3 over IPv4 only. Auto sends the form last seen from a valid peer, and the pseudo-header
// (what Debian's keepalived needs) until there is one.
enum class ChecksumPolicy : std::uint8_t { Auto, MessageOnly, PseudoHeader };

struct InstanceConfig {
    std::string name;
    net::Family family = net::Family::V4;
    std::uint8_t version = 2;            // 2 or 3; IPv6: 3
    std::uint8_t virtual_router_id = 1;  // 1..255
    std::uint8_t priority = 100;         // 1..254, or 255 of an address owner
    Duration advert_interval = std::chrono::seconds(1);
    std::vector<net::IpAddress> addresses;  // those that are advertised, 1..kMaxAdvertAddresses
    std::uint8_t auth_type = kAuthNone;     // kAuthNone or, with version 2, kAuthPass
    std::array<std::uint8_t, kAuthDataLength> auth_data{};
    ChecksumPolicy checksum = ChecksumPolicy::Auto;

    net::IpAddress group = net::IpAddress::from_v4(kGroupV4);
    std::vector<net::IpAddress> unicast_peers;  // empty: multicast to `group`
    bool check_unicast_source = true;
    std::uint8_t unicast_ttl = kRequiredTtl;  // less: peers are routed, received TTL is not checked

    bool nopreempt = false;
    Duration preempt_delay{};
    Duration startup_delay{};
    unsigned down_timer_adverts = 3;      // intervals of silence until the master counts as gone
    bool higher_prio_send_advert = true;  // say one last word when yielding
    bool lower_prio_no_advert = false;    // do not answer a lower-priority master
    bool skip_check_adv_addr = false;     // compare addresses only when the sender changes
    bool strict = false;                  // RFC 9568 to the letter

    [[nodiscard]] bool is_owner() const noexcept { return priority == kPriorityOwner; }
    [[nodiscard]] bool is_unicast() const noexcept { return !unicast_peers.empty(); }

    bool operator==(const InstanceConfig&) const = default;
};

// Whether `b` is the same virtual router as `a`, so that a running instance can take it over by
// Instance::reconfigure; otherwise the old one stops and a new one starts.
[[nodiscard]] inline bool is_same_virtual_router(const InstanceConfig& a,
                                                 const InstanceConfig& b) noexcept {
    return a.family == b.family && a.version == b.version &&
           a.virtual_router_id == b.virtual_router_id;
}

}  // namespace pollux::vrrp
