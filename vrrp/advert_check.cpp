// SPDX-License-Identifier: Apache-2.0

#include "vrrp/advert_check.h"

#include <algorithm>

namespace pollux::vrrp {
namespace {

// Peers behind a router cannot keep TTL 255; whoever lowers unicast_ttl gives the check up.
bool ttl_is_good(const InstanceConfig& config, std::uint8_t ttl) {
    const bool routed = config.is_unicast() && config.unicast_ttl < kRequiredTtl;
    return routed || ttl == kRequiredTtl;
}

Rejection check_decode_error(DecodeError error) {
    switch (error) {
        case DecodeError::None:
            return Rejection::None;
        case DecodeError::NotVrrp:
        case DecodeError::IpHeader:
            return Rejection::IpHeader;
        case DecodeError::AuthenticationHeader:
            return Rejection::AuthenticationHeader;
        case DecodeError::Length:
            return Rejection::Length;
        case DecodeError::Version:
            return Rejection::Version;
        case DecodeError::Type:
            return Rejection::Type;
        case DecodeError::Checksum:
            return Rejection::Checksum;
        case DecodeError::NoAddress:
            return Rejection::NoAddress;
        case DecodeError::IntervalZero:
            return Rejection::IntervalZero;
    }
    return Rejection::IpHeader;
}

// Everything about the packet as such, in the order of RFC 9568 section 7.1: TTL, version, type,
// length, checksum. An IP header that cannot be read, or AH, comes before the TTL.
Rejection check_form(const InstanceConfig& config, const Decoded& packet) {
    const Rejection form = check_decode_error(packet.error);
    if (form == Rejection::IpHeader || form == Rejection::AuthenticationHeader) return form;
    if (!ttl_is_good(config, packet.advert.ttl)) return Rejection::Ttl;
    if (form == Rejection::Version || packet.advert.version != config.version) {
        return Rejection::Version;
    }
    return form;
}

Rejection check_sender(const CheckContext& context, const ReceivedAdvert& advert) {
    const InstanceConfig& config = context.config;
    // Hearing ourselves must never start a conversation with ourselves.
    if (advert.source == context.own_source) return Rejection::OwnAddress;
    const net::IpAddress& expected = config.is_unicast() ? context.own_source : config.group;
    if (advert.destination != expected) return Rejection::Destination;
    if (config.is_unicast() && config.check_unicast_source &&
        std::ranges::find(config.unicast_peers, advert.source) == config.unicast_peers.end()) {
        return Rejection::UnknownPeer;
    }
    return Rejection::None;
}

// RFC 3768 section 5.3.6; PASS and AH are RFC 2338's.
Rejection check_authentication(const InstanceConfig& config, const ReceivedAdvert& advert) {
    if (advert.version != 2) return Rejection::None;
    if (advert.auth_type != kAuthNone && advert.auth_type != kAuthPass) {
        return Rejection::AuthTypeInvalid;
    }
    if (advert.auth_type != config.auth_type) return Rejection::AuthTypeMismatch;
    if (config.auth_type == kAuthPass && advert.auth_data != config.auth_data) {
        return Rejection::AuthFailure;
    }
    return Rejection::None;
}

}  // namespace

CheckResult check_advert(const CheckContext& context, const Decoded& packet) {
    const InstanceConfig& config = context.config;
    const ReceivedAdvert& advert = packet.advert;
    CheckResult result;
    result.rejection = check_form(config, packet);
    if (result.rejection != Rejection::None) return result;
    result.rejection = check_sender(context, advert);
    if (result.rejection != Rejection::None) return result;
    result.rejection = check_authentication(config, advert);
    if (result.rejection != Rejection::None) return result;

    const bool skip = config.skip_check_adv_addr && advert.source == context.last_master;
    result.addresses_differ = !skip && !context.addresses.matches(advert);
    result.interval_differs = advert.interval != config.advert_interval;
    // RFC 3768 section 7.1: a different list is dropped unless it comes from the owner, a different
    // interval is dropped. RFC 9568 section 7.1 accepts and logs both.
    if (advert.version == 2 && result.addresses_differ && advert.priority != kPriorityOwner) {
        result.rejection = Rejection::AddressList;
    } else if (advert.version == 2 && result.interval_differs) {
        result.rejection = Rejection::Interval;
    } else if (config.strict && advert.family() == net::Family::V6 &&
               !advert.address(0).is_link_local()) {
        result.rejection = Rejection::LinkLocal;  // RFC 9568 erratum 8300
    }
    return result;
}

}  // namespace pollux::vrrp
