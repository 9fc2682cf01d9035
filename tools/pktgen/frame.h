// SPDX-License-Identifier: Apache-2.0
#pragma once

// The frames that are sent, and the Tag by which a received frame is recognised. Every frame
// carries its trial, flow, sequence number and time of sending, also the smallest ones. One thread.
//
//   UDP payload                                TCP
//   +------+-------+-----------+               header: sequence number = Tag::sequence
//   | 0x50 | trial |   flow    |                       acknowledgment  = Tag::time
//   +------+-------+-----------+               payload: 0x50, trial, flow
//   | sequence | time | filler...
//
// A balancer passes a connection's TCP numbers on as they are.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/net/mac_address.h"
#include "dataplane/net/parsed_packet.h"
#include "tools/pktgen/plan.h"

namespace pollux::pktgen {

// Without frame check sequence; MTU 9600.
inline constexpr std::uint16_t kLargestFrame = 14 + 9600;

struct Tag {
    std::uint8_t trial = 0;  // 0..127
    bool reply = false;      // sent by a server; the highest bit of the byte `trial`
    std::uint32_t flow = 0;
    std::uint32_t sequence = 0;  // within the flow and direction
    std::uint32_t time = 0;      // nanoseconds modulo 2^32
    bool operator==(const Tag&) const = default;
};

// The shortest frame that holds headers and tag, without frame check sequence.
[[nodiscard]] std::uint16_t smallest_frame(const Plan& plan);

// What tells one direction's frames apart from the other's.
struct Path {
    net::MacAddress source_mac, destination_mac;
    Endpoint source, destination;
    std::uint8_t tcp_flags = 0;  // ignored for UDP
};

// Writes frames of one length and protocol: all that does not change is laid out beforehand.
class FrameWriter {
  public:
    // `length` without frame check sequence, at least smallest_frame.
    FrameWriter(net::Family family, std::uint8_t protocol, std::uint16_t length);

    [[nodiscard]] std::uint16_t length() const { return length_; }
    // Precondition: `out` holds length() bytes; the path's addresses are of the family.
    void write(const Path& path, const Tag& tag, std::uint8_t* out) const noexcept;

  private:
    std::vector<std::uint8_t> pattern_;
    net::Family family_;
    std::uint8_t protocol_;
    std::uint16_t length_;
    std::uint16_t l4_offset_ = 0, tag_offset_ = 0;
    std::uint64_t ip_sum_ = 0;  // of what does not change; 0 for IPv6
    std::uint64_t l4_sum_ = 0;  // pseudo-header, fixed header fields and filler
};

// The tag of a parsed TCP or UDP packet; nothing when it is not ours. `frame` is what was parsed.
[[nodiscard]] std::optional<Tag> read_tag(std::span<const std::uint8_t> frame,
                                          const net::ParsedPacket& parsed) noexcept;

}  // namespace pollux::pktgen
