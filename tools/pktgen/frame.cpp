// SPDX-License-Identifier: Apache-2.0
#include "tools/pktgen/frame.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "dataplane/net/checksum.h"
#include "dataplane/net/ip_build.h"
#include "dataplane/net/ip_protocol.h"

namespace pollux::pktgen {
namespace {

using net::Be16;
using net::Be32;

constexpr std::uint8_t kMark = 0x50;
constexpr std::uint8_t kReplyBit = 0x80;
constexpr std::size_t kMarkAndFlow = 6;
constexpr std::size_t kWholeTag = kMarkAndFlow + 8;
constexpr std::uint16_t kL3Offset = sizeof(net::EthernetHeader);

std::size_t l4_header(std::uint8_t protocol) {
    return protocol == net::kProtocolUdp ? net::kUdpHeaderLength : net::kTcpMinHeaderLength;
}

void put(std::uint8_t* at, Be16 value) {
    std::memcpy(at, &value, sizeof value);
}
void put(std::uint8_t* at, Be32 value) {
    std::memcpy(at, &value, sizeof value);
}
std::uint32_t word(const std::uint8_t* at) {
    std::uint32_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return value;
}
std::uint32_t host_word(const std::uint8_t* at) {
    return Be32::from_wire(word(at)).host();
}

std::uint64_t sum_of(const net::IpAddress& address) {
    std::uint64_t sum = word(address.bytes.data());
    if (address.is_v4()) return sum;
    for (unsigned i = 4; i < 16; i += 4) sum += word(address.bytes.data() + i);
    return sum;
}
// Of the words that lie at `bytes`, an even number of bytes, as ChecksumSum adds them.
std::uint64_t sum_of(std::span<const std::uint8_t> bytes) {
    net::ChecksumSum sum;
    sum.add(bytes);
    return static_cast<std::uint16_t>(~sum.finish().wire());
}
Be16 finish(std::uint64_t sum) {
    return Be16::from_wire(static_cast<std::uint16_t>(~net::fold_checksum(sum)));
}

}  // namespace

std::uint16_t smallest_frame(const Plan& plan) {
    const std::uint8_t protocol = plan.protocol();
    const std::size_t tag = protocol == net::kProtocolUdp ? kWholeTag : kMarkAndFlow;
    const net::Family family = plan.service.address.family;
    const std::size_t length =
        kL3Offset + net::ip_header_length(family == net::Family::V6 ? family : net::Family::V4) +
        l4_header(protocol) + tag;
    return static_cast<std::uint16_t>(std::max(length, net::kMinFrameLength));
}

FrameWriter::FrameWriter(net::Family family, std::uint8_t protocol, std::uint16_t length)
    : pattern_(length), family_(family), protocol_(protocol), length_(length) {
    const std::size_t ip_length = net::ip_header_length(family);
    l4_offset_ = static_cast<std::uint16_t>(kL3Offset + ip_length);
    tag_offset_ = static_cast<std::uint16_t>(l4_offset_ + l4_header(protocol));
    const bool is_udp = protocol == net::kProtocolUdp;
    assert(length >= tag_offset_ + (is_udp ? kWholeTag : kMarkAndFlow));
    const auto l4_length = static_cast<std::uint16_t>(length - l4_offset_);

    auto& ethernet = net::header_in<net::EthernetHeader>(pattern_.data());
    ethernet.ether_type = family == net::Family::V4 ? net::kEtherTypeIpv4 : net::kEtherTypeIpv6;
    net::IpHeaderFields ip;
    ip.source.family = ip.destination.family = family;
    ip.protocol = protocol;
    ip.payload_length = l4_length;
    [[maybe_unused]] const std::size_t written =
        net::write_ip_header(ip, std::span(pattern_).subspan(kL3Offset));
    assert(written == ip_length);
    if (family == net::Family::V4) {
        net::header_in<net::Ipv4Header>(pattern_.data() + kL3Offset).checksum = Be16{};
        ip_sum_ = sum_of(std::span(pattern_).subspan(kL3Offset, ip_length));
    }
    const std::size_t tag = is_udp ? kWholeTag : kMarkAndFlow;
    for (std::size_t i = tag_offset_ + tag; i < pattern_.size(); ++i) {
        pattern_[i] = static_cast<std::uint8_t>(i);
    }
    pattern_[tag_offset_] = kMark;
    if (is_udp) {
        net::header_in<net::UdpHeader>(pattern_.data() + l4_offset_).length =
            Be16::from_host(l4_length);
    } else {
        auto& tcp = net::header_in<net::TcpHeader>(pattern_.data() + l4_offset_);
        tcp.data_offset = (net::kTcpMinHeaderLength / 4) << 4U;
        tcp.window = Be16::from_host(0xffff);
    }
    net::ChecksumSum sum;
    sum.add_pseudo_header(ip.source, ip.destination, protocol, l4_length);
    sum.add(std::span(pattern_).subspan(l4_offset_));
    l4_sum_ = static_cast<std::uint16_t>(~sum.finish().wire());
}

void FrameWriter::write(const Path& path, const Tag& tag, std::uint8_t* out) const noexcept {
    std::memcpy(out, pattern_.data(), length_);
    auto& ethernet = net::header_in<net::EthernetHeader>(out);
    ethernet.destination = path.destination_mac;
    ethernet.source = path.source_mac;
    const std::uint64_t addresses = sum_of(path.source.address) + sum_of(path.destination.address);
    if (family_ == net::Family::V4) {
        auto& ip = net::header_in<net::Ipv4Header>(out + kL3Offset);
        ip.source = path.source.address.v4();
        ip.destination = path.destination.address.v4();
        ip.checksum = finish(ip_sum_ + addresses);
    } else {
        auto& ip = net::header_in<net::Ipv6Header>(out + kL3Offset);
        ip.source = path.source.address.v6();
        ip.destination = path.destination.address.v6();
    }
    const Be16 source_port = Be16::from_host(path.source.port);
    const Be16 destination_port = Be16::from_host(path.destination.port);
    const auto trial = static_cast<std::uint8_t>(tag.trial | (tag.reply ? kReplyBit : 0));
    const Be32 flow = Be32::from_host(tag.flow);
    const Be32 sequence = Be32::from_host(tag.sequence);
    const Be32 time = Be32::from_host(tag.time);
    std::uint64_t sum = l4_sum_ + addresses + source_port.wire() + destination_port.wire() +
                        Be16::from_host(trial).wire() + flow.wire() + sequence.wire() + time.wire();
    std::uint8_t* const mark = out + tag_offset_;
    mark[1] = trial;
    put(mark + 2, flow);
    put(out + l4_offset_, source_port);
    put(out + l4_offset_ + 2, destination_port);
    if (protocol_ == net::kProtocolUdp) {
        put(mark + kMarkAndFlow, sequence);
        put(mark + kMarkAndFlow + 4, time);
        net::header_in<net::UdpHeader>(out + l4_offset_).checksum = net::udp_nonzero(finish(sum));
        return;
    }
    auto& tcp = net::header_in<net::TcpHeader>(out + l4_offset_);
    tcp.sequence = sequence;
    tcp.acknowledgment = time;
    tcp.flags = path.tcp_flags;
    sum += Be16::from_host(path.tcp_flags).wire();
    tcp.checksum = finish(sum);
}

std::optional<Tag> read_tag(std::span<const std::uint8_t> frame,
                            const net::ParsedPacket& parsed) noexcept {
    if (!parsed.has_ports()) return std::nullopt;
    const bool is_udp = parsed.protocol == net::kProtocolUdp;
    if (!is_udp && parsed.protocol != net::kProtocolTcp) return std::nullopt;
    const std::size_t end = std::size_t{parsed.l3_offset} + parsed.ip_length;
    const std::size_t needed = parsed.payload_offset + (is_udp ? kWholeTag : kMarkAndFlow);
    if (needed > end || needed > frame.size()) return std::nullopt;
    const std::uint8_t* mark = frame.data() + parsed.payload_offset;
    if (mark[0] != kMark) return std::nullopt;
    Tag tag;
    tag.trial = mark[1] & ~kReplyBit;
    tag.reply = (mark[1] & kReplyBit) != 0;
    tag.flow = host_word(mark + 2);
    if (is_udp) {
        tag.sequence = host_word(mark + kMarkAndFlow);
        tag.time = host_word(mark + kMarkAndFlow + 4);
    } else {
        const auto& tcp = net::header_in<net::TcpHeader>(frame.data() + parsed.l4_offset);
        tag.sequence = tcp.sequence.host();
        tag.time = tcp.acknowledgment.host();
    }
    return tag;
}

}  // namespace pollux::pktgen
