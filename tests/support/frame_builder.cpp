// SPDX-License-Identifier: Apache-2.0
#include "tests/support/frame_builder.h"

#include <stdexcept>

#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"
#include "tests/support/wire_math.h"

namespace pollux::test {
namespace {

constexpr std::string_view kTcpFlagLetters = "FSRPAUEC";

Bytes mac_bytes(std::string_view text) {
    const auto mac = net::MacAddress::parse(text);
    if (!mac) throw std::invalid_argument("not a MAC address: " + std::string(text));
    return {mac->bytes.begin(), mac->bytes.end()};
}

Bytes address_bytes(std::string_view text, net::Family family) {
    const auto address = net::IpAddress::parse(text);
    if (!address || address->family != family) {
        throw std::invalid_argument("not an address of this family: " + std::string(text));
    }
    const std::ptrdiff_t size = family == net::Family::V4 ? 4 : 16;
    return {address->bytes.begin(), address->bytes.begin() + size};
}

std::uint8_t tcp_flags(std::string_view letters) {
    unsigned flags = 0;
    for (const char letter : letters) {
        const std::size_t bit = kTcpFlagLetters.find(letter);
        if (bit == std::string_view::npos) throw std::invalid_argument("TCP flags: FSRPAUEC");
        flags |= 1U << bit;
    }
    return static_cast<std::uint8_t>(flags);
}

Bytes padded_options(std::initializer_list<std::uint8_t> options) {
    Bytes bytes(options);
    bytes.resize((bytes.size() + 3) / 4 * 4);
    return bytes;
}

Bytes arp(std::uint16_t operation) {
    Bytes bytes{0, 1, 8, 0, 6, 4, 0, 0};
    write16(bytes, 6, operation);
    return bytes;
}

}  // namespace

// --- link layer

FrameBuilder& FrameBuilder::eth(std::string_view source, std::string_view destination) {
    Bytes bytes = mac_bytes(destination);
    append(bytes, mac_bytes(source));
    append(bytes, {0, 0});
    return add(Kind::Ethernet, std::move(bytes));
}

FrameBuilder& FrameBuilder::ether_type(std::uint16_t type) {
    write16(last().bytes, last().bytes.size() - 2, type);
    last().fixed_next = true;
    return *this;
}

FrameBuilder& FrameBuilder::vlan(std::uint16_t id, std::uint8_t priority) {
    return add_tag(Kind::Vlan, id, priority);
}

FrameBuilder& FrameBuilder::service_vlan(std::uint16_t id, std::uint8_t priority) {
    return add_tag(Kind::ServiceVlan, id, priority);
}

FrameBuilder& FrameBuilder::add_tag(Kind kind, std::uint16_t id, std::uint8_t priority) {
    Bytes bytes(4);
    write16(bytes, 0, priority * 0x2000U + id);
    return add(kind, std::move(bytes));
}

FrameBuilder& FrameBuilder::arp_request(std::string_view sender_mac, std::string_view sender,
                                        std::string_view target) {
    arp_reply(sender_mac, sender, "00:00:00:00:00:00", target);
    write16(last().bytes, 6, 1);
    return *this;
}

FrameBuilder& FrameBuilder::arp_reply(std::string_view sender_mac, std::string_view sender,
                                      std::string_view target_mac, std::string_view target) {
    Bytes bytes = arp(2);
    append(bytes, mac_bytes(sender_mac));
    append(bytes, address_bytes(sender, net::Family::V4));
    append(bytes, mac_bytes(target_mac));
    append(bytes, address_bytes(target, net::Family::V4));
    return add(Kind::Arp, std::move(bytes));
}

// --- IP

FrameBuilder& FrameBuilder::ipv4(std::string_view source, std::string_view destination) {
    Bytes bytes{0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 0, 0, 0};
    append(bytes, address_bytes(source, net::Family::V4));
    append(bytes, address_bytes(destination, net::Family::V4));
    return add(Kind::Ipv4, std::move(bytes));
}

FrameBuilder& FrameBuilder::ipv6(std::string_view source, std::string_view destination) {
    Bytes bytes{0x60, 0, 0, 0, 0, 0, 0, 64};
    append(bytes, address_bytes(source, net::Family::V6));
    append(bytes, address_bytes(destination, net::Family::V6));
    return add(Kind::Ipv6, std::move(bytes));
}

FrameBuilder& FrameBuilder::ttl(std::uint8_t value) {
    Layer& ip = last_ip();
    ip.bytes.at(ip.kind == Kind::Ipv4 ? 8 : 7) = value;
    return *this;
}

FrameBuilder& FrameBuilder::traffic_class(std::uint8_t value) {
    Layer& ip = last_ip();
    if (ip.kind == Kind::Ipv4) {
        ip.bytes.at(1) = value;
    } else {
        write32(ip.bytes, 0, (read32(ip.bytes, 0) & 0xf00fffffU) | (std::uint32_t{value} << 20U));
    }
    return *this;
}

FrameBuilder& FrameBuilder::flow_label(std::uint32_t value) {
    Bytes& bytes = last_ip().bytes;
    write32(bytes, 0, (read32(bytes, 0) & 0xfff00000U) | value);
    return *this;
}

FrameBuilder& FrameBuilder::id(std::uint16_t value) {
    write16(last_ip().bytes, 4, value);
    return *this;
}

FrameBuilder& FrameBuilder::may_fragment() {
    last_ip().bytes.at(6) &= 0xbfU;
    return *this;
}

FrameBuilder& FrameBuilder::protocol(std::uint8_t value) {
    Layer& layer = last();
    layer.fixed_next = true;
    std::size_t at = 0;  // extension headers begin with it
    if (layer.kind == Kind::Ipv4) at = 9;
    if (layer.kind == Kind::Ipv6) at = 6;
    layer.bytes.at(at) = value;
    return *this;
}

FrameBuilder& FrameBuilder::ip_options(std::initializer_list<std::uint8_t> options) {
    Layer& ip = last_ip();
    append(ip.bytes, padded_options(options));
    ip.bytes.at(0) = static_cast<std::uint8_t>(0x40U + ip.bytes.size() / 4);
    return *this;
}

FrameBuilder& FrameBuilder::fragment(std::uint16_t offset, bool more, std::uint32_t id) {
    if (last_ip().kind == Kind::Ipv4) {
        write16(last_ip().bytes, 4, id);
        write16(last_ip().bytes, 6, offset / 8U + (more ? 0x2000U : 0U));
        return *this;
    }
    Bytes bytes(8);
    write16(bytes, 2, offset + (more ? 1U : 0U));
    write32(bytes, 4, id);
    return add(Kind::Fragment, std::move(bytes));
}

FrameBuilder& FrameBuilder::hop_by_hop(std::size_t bytes) {
    return add_extension(0, bytes);
}

FrameBuilder& FrameBuilder::destination_options(std::size_t bytes) {
    return add_extension(60, bytes);
}

FrameBuilder& FrameBuilder::routing(std::uint8_t type, std::uint8_t segments_left,
                                    std::size_t bytes) {
    add_extension(43, bytes);
    last().bytes.at(2) = type;
    last().bytes.at(3) = segments_left;
    return *this;
}

FrameBuilder& FrameBuilder::authentication(std::size_t bytes) {
    Bytes header(bytes);
    header.at(1) = static_cast<std::uint8_t>(bytes / 4 - 2);
    return add(Kind::Authentication, std::move(header));
}

FrameBuilder& FrameBuilder::add_extension(std::uint8_t number, std::size_t bytes) {
    Bytes header(bytes);
    header.at(1) = static_cast<std::uint8_t>(bytes / 8 - 1);
    if (number != 43) {  // one PadN option (RFC 8200 section 4.2) fills it
        header.at(2) = 1;
        header.at(3) = static_cast<std::uint8_t>(bytes - 4);
    }
    add(Kind::Extension, std::move(header));
    last().extension = number;
    return *this;
}

// --- layer 4

FrameBuilder& FrameBuilder::tcp(std::uint16_t source, std::uint16_t destination,
                                std::string_view flags) {
    Bytes bytes(20);
    write16(bytes, 0, source);
    write16(bytes, 2, destination);
    bytes[12] = 0x50;
    bytes[13] = tcp_flags(flags);
    write16(bytes, 14, 65535);
    return add(Kind::Tcp, std::move(bytes));
}

FrameBuilder& FrameBuilder::seq(std::uint32_t sequence, std::uint32_t acknowledgment) {
    write32(last().bytes, 4, sequence);
    write32(last().bytes, 8, acknowledgment);
    return *this;
}

FrameBuilder& FrameBuilder::window(std::uint16_t value) {
    write16(last().bytes, 14, value);
    return *this;
}

FrameBuilder& FrameBuilder::tcp_options(std::initializer_list<std::uint8_t> options) {
    Bytes& bytes = last().bytes;
    append(bytes, padded_options(options));
    bytes.at(12) = static_cast<std::uint8_t>(bytes.size() / 4 * 16);
    return *this;
}

FrameBuilder& FrameBuilder::udp(std::uint16_t source, std::uint16_t destination) {
    Bytes bytes(8);
    write16(bytes, 0, source);
    write16(bytes, 2, destination);
    return add(Kind::Udp, std::move(bytes));
}

FrameBuilder& FrameBuilder::no_checksum() {
    last().with_checksum = false;
    if (last().kind == Kind::Gre) last().bytes = Bytes(4);
    return *this;
}

FrameBuilder& FrameBuilder::sctp(std::uint16_t source, std::uint16_t destination,
                                 std::uint32_t tag) {
    Bytes bytes(12);
    write16(bytes, 0, source);
    write16(bytes, 2, destination);
    write32(bytes, 4, tag);
    return add(Kind::Sctp, std::move(bytes));
}

FrameBuilder& FrameBuilder::sctp_chunk(std::uint8_t type, std::size_t value_bytes) {
    Bytes bytes(4 + (value_bytes + 3) / 4 * 4);
    bytes[0] = type;
    write16(bytes, 2, static_cast<std::uint32_t>(4 + value_bytes));
    return add(Kind::Raw, std::move(bytes));
}

FrameBuilder& FrameBuilder::icmp(std::uint8_t type, std::uint8_t code, std::uint32_t body) {
    Bytes bytes{type, code, 0, 0, 0, 0, 0, 0};
    write32(bytes, 4, body);
    return add(Kind::Icmp, std::move(bytes));
}

FrameBuilder& FrameBuilder::icmpv6(std::uint8_t type, std::uint8_t code, std::uint32_t body) {
    icmp(type, code, body);
    last().kind = Kind::Icmpv6;
    return *this;
}

FrameBuilder& FrameBuilder::gre() {
    return add(Kind::Gre, {0x80, 0, 0, 0, 0, 0, 0, 0});
}

FrameBuilder& FrameBuilder::gue() {
    return add(Kind::Gue, Bytes(4));
}

// --- payload

FrameBuilder& FrameBuilder::payload(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i);
    return add(Kind::Raw, std::move(bytes));
}

FrameBuilder& FrameBuilder::payload(std::string_view text) {
    return add(Kind::Raw, Bytes(text.begin(), text.end()));
}

FrameBuilder& FrameBuilder::raw(Bytes bytes) {
    return add(Kind::Raw, std::move(bytes));
}

FrameBuilder& FrameBuilder::quote(const Bytes& other, std::size_t ip_bytes) {
    std::size_t start = 12;
    while (read16(other, start) == 0x8100 || read16(other, start) == 0x88a8) start += 4;
    start += 2;
    Bytes bytes(other.begin() + static_cast<std::ptrdiff_t>(start), other.end());
    if (bytes.size() > ip_bytes) bytes.resize(ip_bytes);
    return add(Kind::Raw, std::move(bytes));
}

FrameBuilder& FrameBuilder::pad_to(std::size_t frame_length, std::uint8_t byte) {
    padded_length_ = frame_length;
    padding_ = byte;
    return *this;
}

// --- lies

FrameBuilder& FrameBuilder::set8(std::size_t offset, std::uint8_t value) {
    last().lies.push_back({offset, {value}});
    return *this;
}

FrameBuilder& FrameBuilder::set16(std::size_t offset, std::uint16_t value) {
    Bytes bytes(2);
    write16(bytes, 0, value);
    last().lies.push_back({offset, bytes});
    return *this;
}

FrameBuilder& FrameBuilder::set32(std::size_t offset, std::uint32_t value) {
    Bytes bytes(4);
    write32(bytes, 0, value);
    last().lies.push_back({offset, bytes});
    return *this;
}

FrameBuilder& FrameBuilder::bad_checksum() {
    last().wrong_checksum = true;
    return *this;
}

FrameBuilder& FrameBuilder::add(Kind kind, Bytes bytes) {
    Layer layer;
    layer.kind = kind;
    layer.bytes = std::move(bytes);
    layers_.push_back(std::move(layer));
    return *this;
}

FrameBuilder::Layer& FrameBuilder::last() {
    return layers_.at(layers_.size() - 1);
}

FrameBuilder::Layer& FrameBuilder::last_ip() {
    for (std::size_t i = layers_.size(); i > 0; --i) {
        Layer& layer = layers_[i - 1];
        if (layer.kind == Kind::Ipv4 || layer.kind == Kind::Ipv6) return layer;
    }
    throw std::logic_error("no IP layer yet");
}

}  // namespace pollux::test
