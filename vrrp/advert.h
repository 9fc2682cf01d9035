// SPDX-License-Identifier: Apache-2.0
#pragma once

// An advertisement as it was received (a view over the frame) and as it is to be sent. Any thread.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"
#include "vrrp/clock.h"
#include "vrrp/wire.h"

namespace pollux::vrrp {

// What a version 3 checksum over IPv4 covers. RFC 5798 section 5.2.8 was read as "with the
// pseudo-header" by keepalived and FRR, RFC 9568 section 5.2.8 says "the message only". IPv6 always
// has the pseudo-header, version 2 never.
enum class ChecksumForm : std::uint8_t { PseudoHeader, MessageOnly };

// What is wrong with a packet whatever the configuration says. Order: of the checks.
enum class DecodeError : std::uint8_t {
    None,
    NotVrrp,               // not an IP packet of protocol 112 or 51
    IpHeader,              // malformed, bad header checksum, a fragment
    AuthenticationHeader,  // IP protocol 51 around VRRP: no implementation checks it safely
    Length,                // shorter than the header and its addresses need
    Version,               // neither 2 nor 3, or 2 over IPv6
    Type,                  // not an advertisement
    Checksum,              // neither form fits
    NoAddress,             // count 0 (RFC 9568 erratum 8299)
    IntervalZero,          // version 3 with interval 0 (RFC 9568 erratum 8301)
};
inline constexpr unsigned kDecodeErrorCount = 10;

[[nodiscard]] std::string_view to_string(DecodeError error) noexcept;
[[nodiscard]] std::string_view to_string(ChecksumForm form) noexcept;

struct ReceivedAdvert {
    net::MacAddress source_mac;
    net::IpAddress source;
    net::IpAddress destination;
    std::uint8_t ttl = 0;
    std::uint8_t version = 0;
    std::uint8_t virtual_router_id = 0;
    std::uint8_t priority = 0;
    std::uint8_t count = 0;
    std::uint8_t auth_type = 0;  // version 2
    Duration interval{};         // version 2: whole seconds, version 3: 10 ms to 40.95 s
    ChecksumForm checksum_form = ChecksumForm::PseudoHeader;  // version 3 over IPv4
    std::array<std::uint8_t, kAuthDataLength> auth_data{};    // version 2
    std::span<const std::uint8_t> address_bytes;              // count * 4 or 16, inside the frame

    [[nodiscard]] net::Family family() const noexcept { return source.family; }
    // Precondition: index < count.
    [[nodiscard]] net::IpAddress address(std::size_t index) const noexcept;
    [[nodiscard]] std::vector<net::IpAddress> addresses() const;
};

// `advert` holds everything that could be read before `error`; `has_virtual_router_id` says whether
// that went far enough to know which instance shall count the error.
struct Decoded {
    DecodeError error = DecodeError::None;
    bool has_virtual_router_id = false;
    ReceivedAdvert advert;
};

// `frame` starts with the Ethernet header, up to two VLAN tags are skipped; bytes beyond the IP
// length are Ethernet padding and ignored. The result views `frame`.
[[nodiscard]] Decoded decode_frame(std::span<const std::uint8_t> frame) noexcept;

// What is said.
struct AdvertMessage {
    std::uint8_t version = 3;
    std::uint8_t virtual_router_id = 0;
    std::uint8_t priority = 0;
    Duration interval{};
    std::uint8_t auth_type = kAuthNone;                     // version 2
    std::array<std::uint8_t, kAuthDataLength> auth_data{};  // version 2
    ChecksumForm checksum_form = ChecksumForm::PseudoHeader;
    std::span<const net::IpAddress> addresses;  // at most kMaxAdvertAddresses, one family
};

// Who says it to whom. Both addresses are of the addresses' family.
struct AdvertEnvelope {
    net::MacAddress source_mac;
    net::MacAddress destination_mac;
    net::IpAddress source;
    net::IpAddress destination;
    std::uint8_t ttl = kRequiredTtl;
    std::uint16_t identification = 0;  // IPv4
    std::uint32_t flow_label = 0;      // IPv6, 20 bits
};

// Bytes of the frame, without padding to the minimum of Ethernet.
[[nodiscard]] std::size_t advert_frame_length(const AdvertMessage& message) noexcept;

// Writes the whole frame and returns its length; 0 when `out` is too small for it.
std::size_t write_advert_frame(const AdvertMessage& message, const AdvertEnvelope& envelope,
                               std::span<std::uint8_t> out) noexcept;

// The destination MAC of a multicast group.
[[nodiscard]] net::MacAddress group_mac(const net::IpAddress& group) noexcept;

}  // namespace pollux::vrrp
