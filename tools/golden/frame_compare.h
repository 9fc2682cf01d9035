// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether a frame is the one that the kernel sent, but for what a director chooses freely in its
// own headers: IP identification, IPv6 flow label and fragment identification, GUE source port. The
// checksums over these must be right instead of equal. Single thread.

#include <optional>
#include <string>

#include "tools/golden/frames.h"

namespace pollux::golden {

// Nothing when they agree, else what differs first. `input` is the frame that caused them.
[[nodiscard]] std::optional<std::string> difference(const Bytes& expected, const Bytes& actual,
                                                    const Bytes& input);

// A fragment of an IPv4 or IPv6 datagram.
[[nodiscard]] bool is_fragment(const Bytes& frame);
// An IP packet within another one.
[[nodiscard]] bool is_encapsulated(const Bytes& frame);
// An unfragmented UDP datagram over IPv4, its checksum set to 0; nothing for any other frame.
[[nodiscard]] std::optional<Bytes> without_udp_checksum(const Bytes& frame);
[[nodiscard]] bool has_zero_udp_checksum(const Bytes& frame);

[[nodiscard]] std::string hex(const Bytes& frame);

}  // namespace pollux::golden
