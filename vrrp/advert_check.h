// SPDX-License-Identifier: Apache-2.0
#pragma once

// The receive checks of RFC 9568 section 7.1 and RFC 3768 section 7.1 that depend on the
// configuration. Pure: counting and recording are the instance's. Control thread.

#include <cstdint>

#include "dataplane/net/ip_address.h"
#include "vrrp/address_set.h"
#include "vrrp/advert.h"
#include "vrrp/instance_config.h"

namespace pollux::vrrp {

// Why a packet is not heard. Order: of the checks.
enum class Rejection : std::uint8_t {
    None,
    IpHeader,
    AuthenticationHeader,
    Ttl,
    Version,
    Type,
    Length,
    Checksum,
    OwnAddress,
    Destination,
    UnknownPeer,
    AuthTypeInvalid,   // neither none nor PASS
    AuthTypeMismatch,  // PASS against none
    AuthFailure,       // wrong password
    NoAddress,
    AddressList,  // version 2, sender not the owner
    LinkLocal,    // strict only
    IntervalZero,
    Interval,  // version 2
};
inline constexpr unsigned kRejectionCount = 19;

// What the check needs besides the packet.
struct CheckContext {
    const InstanceConfig& config;
    const AddressSet& addresses;
    const net::IpAddress& own_source;
    const net::IpAddress& last_master;  // sender of the last accepted advert; family None: nobody
};

// `rejection` None: hear it. The two flags report differences that version 3 tolerates.
struct CheckResult {
    Rejection rejection = Rejection::None;
    bool addresses_differ = false;
    bool interval_differs = false;
};

[[nodiscard]] CheckResult check_advert(const CheckContext& context, const Decoded& packet);

}  // namespace pollux::vrrp
