// SPDX-License-Identifier: Apache-2.0
// How FrameBuilder puts its layers together: lengths, protocol numbers, checksums, fragments.

#include <algorithm>
#include <stdexcept>

#include "tests/support/frame_builder.h"
#include "tests/support/wire_math.h"

namespace pollux::test {
namespace {

constexpr std::uint8_t kExperimental = 253;  // RFC 3692: for a payload without a protocol

Bytes part(const Bytes& bytes, std::size_t from, std::size_t size) {
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(from);
    return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

}  // namespace

bool FrameBuilder::inner_is_v4(std::size_t index) const {
    if (index < layers_.size() && layers_[index].kind == Kind::Raw) {
        return !layers_[index].bytes.empty() && layers_[index].bytes[0] >> 4U == 4;
    }
    return index < layers_.size() && layers_[index].kind == Kind::Ipv4;
}

std::uint8_t FrameBuilder::protocol_of(std::size_t index) const {
    if (index >= layers_.size()) return kExperimental;
    switch (layers_[index].kind) {
        case Kind::Ipv4:
            return 4;
        case Kind::Ipv6:
            return 41;
        case Kind::Extension:
            return layers_[index].extension;
        case Kind::Authentication:
            return 51;
        case Kind::Fragment:
            return 44;
        case Kind::Tcp:
            return 6;
        case Kind::Udp:
            return 17;
        case Kind::Sctp:
            return 132;
        case Kind::Icmp:
            return 1;
        case Kind::Icmpv6:
            return 58;
        case Kind::Gre:
            return 47;
        case Kind::Ethernet:
        case Kind::Vlan:
        case Kind::ServiceVlan:
        case Kind::Arp:
        case Kind::Gue:
        case Kind::Raw:
            break;
    }
    return kExperimental;
}

std::uint16_t FrameBuilder::ether_type_of(std::size_t index) const {
    if (index >= layers_.size()) return 0xffff;
    const Kind kind = layers_[index].kind;
    if (kind == Kind::Vlan) return 0x8100;
    if (kind == Kind::ServiceVlan) return 0x88a8;
    if (kind == Kind::Arp) return 0x0806;
    if (kind == Kind::Ipv6) return 0x86dd;
    return inner_is_v4(index) ? 0x0800 : 0xffff;
}

// Names the layer behind this one.
void FrameBuilder::fill_next(std::size_t index, Bytes& bytes) const {
    const Layer& layer = layers_[index];
    if (layer.fixed_next) return;
    const Kind kind = layer.kind;
    if (kind == Kind::Ethernet || kind == Kind::Vlan || kind == Kind::ServiceVlan) {
        write16(bytes, bytes.size() - 2, ether_type_of(index + 1));
    } else if (kind == Kind::Gre) {
        write16(bytes, 2, inner_is_v4(index + 1) ? 0x0800 : 0x86dd);
    } else if (kind == Kind::Gue) {
        bytes[1] = inner_is_v4(index + 1) ? 4 : 41;
    } else if (kind == Kind::Ipv4) {
        bytes[9] = protocol_of(index + 1);
    } else if (kind == Kind::Ipv6) {
        bytes[6] = protocol_of(index + 1);
    } else if (kind == Kind::Extension || kind == Kind::Fragment || kind == Kind::Authentication) {
        bytes[0] = protocol_of(index + 1);
    }
}

void FrameBuilder::fill_length(std::size_t index, Bytes& bytes, std::size_t behind) const {
    const Kind kind = layers_[index].kind;
    const auto length = static_cast<std::uint32_t>(bytes.size() + behind);
    if (kind == Kind::Ipv4) write16(bytes, 2, length);
    if (kind == Kind::Ipv6) write16(bytes, 4, length - 40);
    if (kind == Kind::Udp) write16(bytes, 4, length);
}

Bytes FrameBuilder::pseudo_header(std::size_t index, std::size_t length) const {
    for (std::size_t i = index; i > 0; --i) {
        const Layer& ip = layers_[i - 1];
        if (ip.kind != Kind::Ipv4 && ip.kind != Kind::Ipv6) continue;
        Bytes pseudo = ip.kind == Kind::Ipv4 ? part(ip.bytes, 12, 8) : part(ip.bytes, 8, 32);
        append(pseudo, {0, 0, 0, protocol_of(index), 0, 0, 0, 0});
        write32(pseudo, pseudo.size() - 4, static_cast<std::uint32_t>(length));
        return pseudo;
    }
    throw std::logic_error("a layer with a pseudo-header needs an IP layer before it");
}

void FrameBuilder::fill_checksum(std::size_t index, Bytes& bytes, const Bytes& behind) const {
    const Layer& layer = layers_[index];
    if (!layer.with_checksum) return;
    Bytes covered = bytes;
    if (layer.kind != Kind::Ipv4) append(covered, behind);
    std::size_t at = 0;
    switch (layer.kind) {
        case Kind::Ipv4:
            at = 10;
            break;
        case Kind::Tcp:
            at = 16;
            break;
        case Kind::Udp:
            at = 6;
            break;
        case Kind::Icmp:
        case Kind::Icmpv6:
            at = 2;
            break;
        case Kind::Gre:
            at = 4;
            break;
        case Kind::Sctp:
            write32(bytes, 8, slow_sctp_checksum(covered) ^ (layer.wrong_checksum ? 1U : 0U));
            return;
        case Kind::Ethernet:
        case Kind::Vlan:
        case Kind::ServiceVlan:
        case Kind::Arp:
        case Kind::Ipv6:
        case Kind::Extension:
        case Kind::Authentication:
        case Kind::Fragment:
        case Kind::Gue:
        case Kind::Raw:
            return;
    }
    if (layer.kind == Kind::Tcp || layer.kind == Kind::Udp || layer.kind == Kind::Icmpv6) {
        Bytes with_pseudo = pseudo_header(index, covered.size());
        append(with_pseudo, covered);
        covered = with_pseudo;
    }
    std::uint16_t checksum = slow_checksum(covered);
    if (layer.kind == Kind::Udp && checksum == 0) checksum = 0xffff;
    write16(bytes, at, checksum ^ (layer.wrong_checksum ? 0x0101U : 0U));
}

Bytes FrameBuilder::bytes() const {
    Bytes result;
    for (std::size_t i = layers_.size(); i > 0; --i) {
        Bytes bytes = layers_[i - 1].bytes;
        fill_next(i - 1, bytes);
        fill_length(i - 1, bytes, result.size());
        for (const auto& [offset, value] : layers_[i - 1].lies) {
            std::copy(value.begin(), value.end(),
                      bytes.begin() + static_cast<std::ptrdiff_t>(offset));
        }
        fill_checksum(i - 1, bytes, result);
        append(bytes, result);
        result = std::move(bytes);
    }
    if (result.size() < padded_length_) result.resize(padded_length_, padding_);
    return result;
}

std::vector<Bytes> fragment_frame(const Bytes& whole, std::size_t mtu, std::uint32_t id) {
    std::size_t l3 = 14;
    while (read16(whole, l3 - 2) == 0x8100 || read16(whole, l3 - 2) == 0x88a8) l3 += 4;
    const bool v4 = whole.at(l3) >> 4U == 4;
    const std::size_t header = v4 ? std::size_t{4} * (whole.at(l3) & 0xfU) : 40;
    const std::size_t size = v4 ? read16(whole, l3 + 2) - header : read16(whole, l3 + 4);
    const std::size_t step = (mtu - header - (v4 ? 0 : 8)) / 8 * 8;
    std::vector<Bytes> result;
    for (std::size_t offset = 0; offset < size; offset += step) {
        const std::size_t now = std::min(step, size - offset);
        const bool more = offset + now < size;
        Bytes fragment = part(whole, 0, l3 + header);
        if (v4) {
            write16(fragment, l3 + 2, static_cast<std::uint32_t>(header + now));
            write16(fragment, l3 + 4, id);
            write16(fragment, l3 + 6,
                    static_cast<std::uint32_t>(offset / 8 + (more ? 0x2000U : 0U)));
            write16(fragment, l3 + 10, 0);
            write16(fragment, l3 + 10, slow_checksum(part(fragment, l3, header)));
        } else {
            write16(fragment, l3 + 4, static_cast<std::uint32_t>(8 + now));
            append(fragment, {fragment[l3 + 6], 0, 0, 0, 0, 0, 0, 0});
            fragment[l3 + 6] = 44;
            write16(fragment, l3 + 42, static_cast<std::uint32_t>(offset + (more ? 1U : 0U)));
            write32(fragment, l3 + 44, id);
        }
        append(fragment, part(whole, l3 + header + offset, now));
        result.push_back(std::move(fragment));
    }
    return result;
}

}  // namespace pollux::test
