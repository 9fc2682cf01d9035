// SPDX-License-Identifier: Apache-2.0
#pragma once

// Numbers of the IPv4 protocol and IPv6 next-header fields (IANA "Protocol Numbers").

#include <cstdint>

namespace pollux::net {

inline constexpr std::uint8_t kProtocolHopByHop = 0;             // IPv6 only, RFC 8200 section 4.3
inline constexpr std::uint8_t kProtocolIcmp = 1;                 // RFC 792
inline constexpr std::uint8_t kProtocolIpip = 4;                 // IPv4 inside, RFC 2003
inline constexpr std::uint8_t kProtocolTcp = 6;                  // RFC 9293
inline constexpr std::uint8_t kProtocolUdp = 17;                 // RFC 768
inline constexpr std::uint8_t kProtocolIpv6 = 41;                // IPv6 inside, RFC 2473
inline constexpr std::uint8_t kProtocolRouting = 43;             // IPv6 only, RFC 8200 section 4.4
inline constexpr std::uint8_t kProtocolFragment = 44;            // IPv6 only, RFC 8200 section 4.5
inline constexpr std::uint8_t kProtocolGre = 47;                 // RFC 2784
inline constexpr std::uint8_t kProtocolEsp = 50;                 // RFC 4303
inline constexpr std::uint8_t kProtocolAh = 51;                  // RFC 4302
inline constexpr std::uint8_t kProtocolIcmpv6 = 58;              // RFC 4443
inline constexpr std::uint8_t kProtocolNoNextHeader = 59;        // IPv6 only, RFC 8200 section 4.7
inline constexpr std::uint8_t kProtocolDestinationOptions = 60;  // IPv6 only, RFC 8200 section 4.6
inline constexpr std::uint8_t kProtocolVrrp = 112;               // RFC 9568
inline constexpr std::uint8_t kProtocolSctp = 132;               // RFC 9260
inline constexpr std::uint8_t kProtocolMobility = 135;           // IPv6 only, RFC 6275
inline constexpr std::uint8_t kProtocolHip = 139;                // RFC 7401
inline constexpr std::uint8_t kProtocolShim6 = 140;              // IPv6 only, RFC 5533

}  // namespace pollux::net
