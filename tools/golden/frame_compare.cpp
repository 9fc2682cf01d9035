// SPDX-License-Identifier: Apache-2.0

#include "tools/golden/frame_compare.h"

#include <algorithm>
#include <cstdio>

#include "dataplane/net/checksum.h"
#include "dataplane/net/ip_protocol.h"

namespace pollux::golden {

namespace {

constexpr std::size_t kIp = 14;  // behind the Ethernet header
constexpr std::uint16_t kGuePort = 6080;

// Reads beyond the end give zero: a frame that is too short differs anyway.
unsigned byte(const Bytes& frame, std::size_t at) {
    return at < frame.size() ? frame[at] : 0;
}
unsigned word(const Bytes& frame, std::size_t at) {
    return byte(frame, at) * 256 + byte(frame, at + 1);
}
void clear(Bytes& frame, std::size_t at, std::size_t count) {
    for (std::size_t i = at; i < at + count && i < frame.size(); ++i) frame[i] = 0;
}

bool is_v4(const Bytes& frame) {
    return word(frame, 12) == 0x0800;
}
bool is_v6(const Bytes& frame) {
    return word(frame, 12) == 0x86dd;
}
std::size_t header_length(const Bytes& frame) {
    return is_v4(frame) ? std::size_t{4} * (byte(frame, kIp) & 15U) : 40;
}
unsigned protocol(const Bytes& frame) {
    return byte(frame, kIp + (is_v4(frame) ? 9 : 6));
}
std::uint32_t flow_label(const Bytes& frame) {
    return (byte(frame, kIp + 1) & 15U) << 16U | word(frame, kIp + 2);
}

// Where the UDP header of GUE is, also in the first fragment; 0: the frame is no GUE.
std::size_t gue_offset(const Bytes& frame) {
    std::size_t at = kIp + header_length(frame);
    unsigned next = protocol(frame);
    if (is_v6(frame) && next == net::kProtocolFragment) {
        constexpr unsigned kOffsetBits = 0xfff8;
        if ((word(frame, at + 2) & kOffsetBits) != 0) return 0;
        next = byte(frame, at);
        at += 8;
    }
    return next == net::kProtocolUdp && word(frame, at + 2) == kGuePort ? at : 0;
}

bool ip_checksum_is_right(const Bytes& frame) {
    const std::size_t length = header_length(frame);
    if (frame.size() < kIp + length) return false;
    net::ChecksumSum sum;
    sum.add(std::span(frame).subspan(kIp, length));
    return sum.is_valid();
}

bool udp_checksum_is_right(const Bytes& frame) {
    const std::size_t at = kIp + header_length(frame);
    const std::size_t length = word(frame, at + 4);
    if (at + length > frame.size()) return false;
    const bool v4 = is_v4(frame);
    net::IpAddress source{{}, v4 ? net::Family::V4 : net::Family::V6};
    net::IpAddress destination = source;
    const std::size_t size = v4 ? 4 : 16;
    const auto addresses = frame.begin() + kIp + (v4 ? 12 : 8);
    std::copy_n(addresses, size, source.bytes.begin());
    std::copy_n(addresses + static_cast<std::ptrdiff_t>(size), size, destination.bytes.begin());
    net::ChecksumSum sum;
    sum.add_pseudo_header(source, destination, net::kProtocolUdp,
                          static_cast<std::uint32_t>(length));
    sum.add(std::span(frame).subspan(at, length));
    return sum.is_valid();
}

// Takes out of both frames what the director chose for the expected one.
std::optional<std::string> take_out_free_fields(Bytes& expected, Bytes& actual,
                                                const Bytes& input) {
    if (is_v4(expected) && is_v4(actual)) {
        if (!ip_checksum_is_right(actual)) return "wrong IPv4 header checksum";
        const bool own = word(expected, kIp + 4) != word(input, kIp + 4) || !is_v4(input) ||
                         is_encapsulated(expected);
        if (own) {
            for (Bytes* frame : {&expected, &actual}) {
                clear(*frame, kIp + 4, 2);
                clear(*frame, kIp + 10, 2);
            }
        }
    } else if (is_v6(expected) && is_v6(actual)) {
        if (flow_label(expected) != flow_label(input) || !is_v6(input)) {
            for (Bytes* frame : {&expected, &actual}) {
                (*frame)[kIp + 1] &= 0xf0U;
                clear(*frame, kIp + 2, 2);
            }
        }
        if (protocol(expected) == net::kProtocolFragment &&
            protocol(actual) == net::kProtocolFragment) {
            for (Bytes* frame : {&expected, &actual}) clear(*frame, kIp + 44, 4);
        }
    }
    const std::size_t udp = gue_offset(expected);
    if (udp == 0 || udp != gue_offset(actual)) return std::nullopt;
    const bool checked = word(expected, udp + 6) != 0;
    if (checked != (word(actual, udp + 6) != 0)) return "GUE checksum present on one side only";
    if (checked && !is_fragment(actual) && !udp_checksum_is_right(actual)) {
        return "wrong GUE checksum";
    }
    for (Bytes* frame : {&expected, &actual}) {
        clear(*frame, udp, 2);
        clear(*frame, udp + 6, 2);
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> difference(const Bytes& expected, const Bytes& actual,
                                      const Bytes& input) {
    Bytes left = expected;
    Bytes right = actual;
    if (auto wrong = take_out_free_fields(left, right, input)) return wrong;
    if (left.size() != right.size()) {
        return "length " + std::to_string(left.size()) + " against " + std::to_string(right.size());
    }
    const auto at = std::mismatch(left.begin(), left.end(), right.begin());
    if (at.first == left.end()) return std::nullopt;
    return "byte " + std::to_string(at.first - left.begin()) + " of the frame";
}

bool is_fragment(const Bytes& frame) {
    if (is_v4(frame)) return (word(frame, kIp + 6) & 0x3fffU) != 0;
    return is_v6(frame) && protocol(frame) == net::kProtocolFragment;
}

bool is_encapsulated(const Bytes& frame) {
    const unsigned inner = protocol(frame);
    return inner == net::kProtocolIpip || inner == net::kProtocolIpv6 ||
           inner == net::kProtocolGre || gue_offset(frame) != 0;
}

std::optional<Bytes> without_udp_checksum(const Bytes& frame) {
    if (!is_v4(frame) || is_fragment(frame) || protocol(frame) != net::kProtocolUdp) {
        return std::nullopt;
    }
    Bytes changed = frame;
    clear(changed, kIp + header_length(frame) + 6, 2);
    return changed;
}

bool has_zero_udp_checksum(const Bytes& frame) {
    const auto without = without_udp_checksum(frame);
    return without && *without == frame;
}

std::string hex(const Bytes& frame) {
    std::string text;
    for (std::size_t i = 0; i < frame.size(); ++i) {
        char digits[4];
        std::snprintf(digits, sizeof digits, "%02x", frame[i]);
        if (i != 0 && i % 4 == 2) text += ' ';
        text += digits;
        if (i == 159) return text + " ...";
    }
    return text;
}

}  // namespace pollux::golden
