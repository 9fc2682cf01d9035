// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/fragmentation.h"

#include <algorithm>
#include <cstring>

#include "dataplane/net/checksum.h"
#include "dataplane/net/header.h"
#include "dataplane/net/ip_protocol.h"
#include "dataplane/net/ipv4.h"
#include "dataplane/net/ipv6.h"

namespace pollux::lb {
namespace {

// What all fragments of one packet have in common.
struct Original {
    const std::uint8_t* frame;  // link header
    std::size_t link;           // its length
    std::size_t header;         // length of the IP header
    std::uint32_t payload;      // bytes behind it
    std::uint32_t piece;        // payload bytes of each fragment but the last; multiple of 8
    bool is_v6;
    std::uint32_t id;          // IPv6
    std::uint8_t next_header;  // IPv6: of the payload
    std::uint16_t base;        // IPv4: offset field of the original
    bool more;                 // IPv4: it is a fragment itself and not the last
};

std::size_t piece_header(const Original& whole) noexcept {
    return whole.header + (whole.is_v6 ? sizeof(net::Ipv6FragmentHeader) : 0);
}

// RFC 791 section 3.1: options without the copied bit stay in the first fragment; the kernel keeps
// their place with no-operations.
void blank_options(std::uint8_t* options, std::size_t length) noexcept {
    constexpr std::uint8_t kCopied = 0x80;
    for (std::size_t at = 0; at < length;) {
        if (options[at] == net::kIpv4OptionEnd) return;
        if (options[at] == net::kIpv4OptionNoOperation) {
            ++at;
            continue;
        }
        const std::size_t size = at + 1 < length ? options[at + 1] : 0;
        if (size < 2 || at + size > length) return;
        if ((options[at] & kCopied) == 0) {
            std::memset(options + at, net::kIpv4OptionNoOperation, size);
        }
        at += size;
    }
}

void finish_v4(std::uint8_t* header, const Original& whole, std::uint32_t offset,
               std::uint32_t length) noexcept {
    auto& ip = net::header_in<net::Ipv4Header>(header);
    const bool more = whole.more || offset + length < whole.payload;
    if (offset != 0) blank_options(header + sizeof ip, whole.header - sizeof ip);
    ip.total_length = net::Be16::from_host(static_cast<std::uint16_t>(whole.header + length));
    ip.flags_and_offset = net::Be16::from_host(static_cast<std::uint16_t>(
        (whole.base + offset / 8) | (more ? net::kIpv4MoreFragments.host() : 0U)));
    ip.checksum = {};
    ip.checksum = net::internet_checksum({header, whole.header});
}

void finish_v6(std::uint8_t* header, const Original& whole, std::uint32_t offset,
               std::uint32_t length) noexcept {
    auto& ip = net::header_in<net::Ipv6Header>(header);
    auto& fragment = net::header_in<net::Ipv6FragmentHeader>(header + sizeof ip);
    ip.next_header = net::kProtocolFragment;
    ip.payload_length = net::Be16::from_host(static_cast<std::uint16_t>(sizeof fragment + length));
    fragment.next_header = whole.next_header;
    fragment.reserved = 0;
    const bool more = offset + length < whole.payload;
    fragment.offset_and_more =
        net::Be16::from_host(static_cast<std::uint16_t>(offset | (more ? 1U : 0U)));
    fragment.identification = net::Be32::from_host(whole.id);
}

void finish(std::uint8_t* header, const Original& whole, std::uint32_t offset,
            std::uint32_t length) noexcept {
    if (whole.is_v6) {
        finish_v6(header, whole, offset, length);
    } else {
        finish_v4(header, whole, offset, length);
    }
}

Original describe(Burst& burst, const PacketContext& context, std::uint16_t mtu) noexcept {
    Original whole{};
    whole.frame = context.packet->data;
    whole.link = context.parsed.l3_offset;
    const std::uint8_t* const header = whole.frame + whole.link;
    whole.is_v6 = header[0] >> 4U == 6;
    if (whole.is_v6) {
        const auto& ip = net::header_in<net::Ipv6Header>(header);
        whole.header = sizeof ip;
        whole.payload = ip.payload_length.host();
        whole.next_header = ip.next_header;
        whole.id = burst.worker.next_fragment_id++;
    } else {
        const auto& ip = net::header_in<net::Ipv4Header>(header);
        whole.header = ip.header_length();
        whole.payload = static_cast<std::uint32_t>(ip.total_length.host() - whole.header);
        whole.base = ip.flags_and_offset.host() & net::kIpv4OffsetMask;
        whole.more = ip.more_fragments();
    }
    whole.piece = static_cast<std::uint32_t>(mtu - piece_header(whole)) & ~7U;
    return whole;
}

// Builds the fragment at `offset` in a buffer of its own.
void build_further(const PacketContext& context, const Original& whole, std::uint32_t offset,
                   Packet& packet) noexcept {
    const std::uint32_t length = std::min(whole.piece, whole.payload - offset);
    const std::size_t headers = whole.link + piece_header(whole);
    std::memcpy(packet.data, whole.frame, whole.link + whole.header);
    std::memcpy(packet.data + headers, whole.frame + whole.link + whole.header + offset, length);
    finish(packet.data + whole.link, whole, offset, length);
    const Packet& first = *context.packet;
    packet.length = static_cast<std::uint32_t>(headers + length);
    packet.frame_length = packet.length;
    packet.tailroom = static_cast<std::uint16_t>(packet.tailroom - packet.length);
    packet.port = first.port;
    packet.verdict = first.verdict;
    packet.punt_reason = first.punt_reason;
    packet.next_hop = first.next_hop;
    packet.originated = true;
}

void shorten_to_first(PacketContext& context, const Original& whole) noexcept {
    Packet& packet = *context.packet;
    const std::size_t shift = piece_header(whole) - whole.header;
    if (shift != 0) {
        std::memmove(packet.data - shift, packet.data, whole.link + whole.header);
        packet.data -= shift;
        packet.headroom = static_cast<std::uint16_t>(packet.headroom - shift);
        packet.length += static_cast<std::uint32_t>(shift);
    }
    const auto length = static_cast<std::uint32_t>(whole.link + piece_header(whole) + whole.piece);
    packet.tailroom = static_cast<std::uint16_t>(packet.tailroom + (packet.length - length));
    packet.length = length;
    packet.frame_length = length;
    finish(packet.data + whole.link, whole, 0, whole.piece);
}

}  // namespace

bool FragmentBuffers::take(Burst& burst, unsigned count) noexcept {
    const PacketSource& source = burst.worker.source;
    if (source.allocate == nullptr || count > kMax ||
        burst.extra.count + count > kMaxExtraPackets) {
        return false;
    }
    for (unsigned taken = 0; taken < count; ++taken) {
        packets_[taken] = source.allocate(source.context);
        if (packets_[taken].data != nullptr) continue;
        // Gives back what it has got.
        for (unsigned i = 0; i < taken; ++i) {
            packets_[i].verdict = Verdict::Drop;
            packets_[i].originated = true;
            burst.extra.packets[burst.extra.count++] = packets_[i];
        }
        return false;
    }
    return true;
}

unsigned fragment_count(std::uint32_t ip_length, std::size_t header, std::uint16_t mtu) noexcept {
    const auto piece = static_cast<std::uint32_t>(mtu - header) & ~7U;
    if (mtu <= header || piece == 0) return FragmentBuffers::kMax + 2;
    return static_cast<unsigned>((ip_length - header + piece - 1) / piece);
}

void split(Burst& burst, PacketContext& context, std::uint16_t mtu,
           FragmentBuffers& buffers) noexcept {
    const Original whole = describe(burst, context, mtu);
    unsigned used = 0;
    for (std::uint32_t offset = whole.piece; offset < whole.payload; offset += whole.piece) {
        Packet& packet = buffers[used++];
        build_further(context, whole, offset, packet);
        burst.extra.packets[burst.extra.count++] = packet;
        burst.worker.counters.originated.add(1);
    }
    shorten_to_first(context, whole);
}

}  // namespace pollux::lb
