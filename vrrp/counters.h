// SPDX-License-Identifier: Apache-2.0
#pragma once

// Counters of one instance. The first block carries the names of keepalived's statistics (its JSON
// dump), the second ours. Control thread.

#include <cstdint>
#include <string_view>

namespace pollux::vrrp {

// X(name, meaning)
#define POLLUX_VRRP_COUNTERS(X)                                                               \
    X(advert_rcvd, "valid advertisements received")                                           \
    X(advert_sent, "advertisements sent")                                                     \
    X(become_master, "transitions to MASTER")                                                 \
    X(release_master, "transitions from MASTER")                                              \
    X(packet_len_err, "too short, or a broken IP header")                                     \
    X(advert_interval_err, "interval differs (version 2) or is 0 (version 3)")                \
    X(ip_ttl_err, "TTL or hop limit is not 255")                                              \
    X(invalid_type_rcvd, "not an advertisement")                                              \
    X(addr_list_err, "address list differs (version 2), is empty or invalid")                 \
    X(invalid_authtype, "authentication type that nobody may use, AH among them")             \
    X(authtype_mismatch, "authentication type differs from ours")                             \
    X(auth_failure, "wrong password")                                                         \
    X(pri_zero_rcvd, "advertisements with priority 0 received")                               \
    X(pri_zero_sent, "advertisements with priority 0 sent")                                   \
    X(chk_err, "bad checksum")                                                                \
    X(vers_err, "version differs from ours")                                                  \
    X(checksum_pseudo_header_rcvd, "valid, version 3 over IPv4 with pseudo-header checksum")  \
    X(checksum_rfc9568_rcvd, "valid, version 3 over IPv4 with message-only checksum")         \
    X(own_address_err, "sent from our own address: a loop or a duplicate address")            \
    X(destination_err, "unicast where multicast is configured, or the reverse")               \
    X(unicast_source_err, "from an address that is no configured peer")                       \
    X(not_listening, "received in INIT or FAULT, ignored")                                    \
    X(advert_interval_mismatch, "interval differs (version 3), accepted")                     \
    X(addr_list_mismatch, "address list differs (version 3), accepted")                       \
    X(other_master, "advertisements of a losing master, received while MASTER")               \
    X(split_brain, "conflicts with another master that raised the alarm")                     \
    X(reply_suppressed, "answers to a losing master withheld by the rate limit")              \
    X(foreign_claim, "ARP or ND claims of a virtual address by another station while MASTER") \
    X(held_by_group, "takeovers put off because another member of the group heard a master")  \
    X(stall, "times that this node noticed that it had been asleep")

struct Counters {
#define POLLUX_VRRP_COUNTER_FIELD(name, meaning) std::uint64_t name = 0;
    POLLUX_VRRP_COUNTERS(POLLUX_VRRP_COUNTER_FIELD)
#undef POLLUX_VRRP_COUNTER_FIELD

    bool operator==(const Counters&) const = default;
};

// Calls visit(name, meaning, value) for each counter in the order above.
template <typename Visitor>
void for_each_counter(const Counters& counters, Visitor&& visit) {
#define POLLUX_VRRP_COUNTER_VISIT(name, meaning) \
    visit(std::string_view(#name), std::string_view(meaning), counters.name);
    POLLUX_VRRP_COUNTERS(POLLUX_VRRP_COUNTER_VISIT)
#undef POLLUX_VRRP_COUNTER_VISIT
}

}  // namespace pollux::vrrp
