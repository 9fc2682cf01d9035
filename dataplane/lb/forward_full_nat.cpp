// SPDX-License-Identifier: Apache-2.0

// Full network address translation (LVS's FullNAT patch): both ends are replaced, so that the
// server answers to one of our local addresses and may stand anywhere. It learns the client from
// the TCP option TOA (sysctl fullnat_toa).

#include "dataplane/lb/cross_family.h"
#include "dataplane/lb/forwarding.h"
#include "dataplane/lb/rewrite.h"
#include "dataplane/lb/send.h"

namespace pollux::lb {
namespace {

//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1   (bits)
// +---------------+---------------+-------------------------------+
// |   kind 254    | length 8, 20  |         client's port         |
// +---------------+---------------+-------------------------------+
// |             client's address: 4 or 16 bytes                   |
// +---------------------------------------------------------------+
struct ToaOption {
    std::array<std::uint8_t, 20> bytes{};
    std::uint8_t length = 0;
};

ToaOption toa_of(const Connection& connection, bool is_v4) noexcept {
    ToaOption option;
    option.length = is_v4 ? 8 : 20;
    option.bytes[0] = net::kTcpOptionToa;
    option.bytes[1] = option.length;
    const net::Be16 port = connection.client_port();
    std::memcpy(&option.bytes[2], &port, sizeof port);
    std::memcpy(&option.bytes[4], connection.client_bytes().data(), option.length - 4U);
    return option;
}

// A server's TOA module looks at the SYN and at the packet that completes the handshake. Which one
// that is only the server knows, so that the client's first packets carry the option, as long as
// there is room for it.
bool carries_toa(const Burst& burst, const PacketContext& context,
                 const ToaOption& option) noexcept {
    if (context.parsed.protocol != net::kProtocolTcp || context.parsed.is_fragment() ||
        (context.parsed.tcp_flags & net::kTcpRst) != 0) {
        return false;
    }
    const bool is_syn = (context.parsed.tcp_flags & net::kTcpSyn) != 0;
    const ConnectionState state = context.connection->state_relaxed();
    if (!is_syn && state.packets() >= burst.snapshot.counted_packets) return false;
    const std::size_t header = net::header_in<net::TcpHeader>(context.l4()).header_length();
    const bool grows = context.parsed.is_v4() && crosses_families(*context.connection);
    const std::size_t more = option.length + (grows ? kFamilyGrowth : 0);
    return header + option.length <= net::kTcpMaxHeaderLength && context.packet->headroom >= more &&
           context.parsed.ip_length + more <= context.server->mtu;
}

// Puts the option in front of the others: everything before them moves towards the headroom.
void insert_toa(PacketContext& context, const ToaOption& option) noexcept {
    Packet& packet = *context.packet;
    const std::size_t front = context.parsed.l4_offset + sizeof(net::TcpHeader);
    std::memmove(packet.data - option.length, packet.data, front);
    packet.data -= option.length;
    packet.headroom = static_cast<std::uint16_t>(packet.headroom - option.length);
    packet.length += option.length;
    packet.frame_length += option.length;
    std::memcpy(packet.data + front, option.bytes.data(), option.length);

    net::ChecksumDelta delta;
    for (unsigned i = 0; i < option.length; i += 2) {
        net::Be16 word;
        std::memcpy(&word, &option.bytes.at(i), sizeof word);
        delta.replace(net::Be16{}, word);
    }
    auto& tcp = net::header_in<net::TcpHeader>(context.l4());
    const auto offset_word = [&tcp] {
        return net::Be16::from_host(static_cast<std::uint16_t>(tcp.data_offset << 8U | tcp.flags));
    };
    const net::Be16 before = offset_word();
    tcp.data_offset = static_cast<std::uint8_t>(tcp.data_offset + (option.length / 4U << 4U));
    delta.replace(before, offset_word());
    const auto longer = [&option](net::Be16 length) {
        return net::Be16::from_host(static_cast<std::uint16_t>(length.host() + option.length));
    };
    // The pseudo header has the length, too.
    const auto length = static_cast<std::uint16_t>(context.parsed.l4_length());
    delta.replace(net::Be16::from_host(length), longer(net::Be16::from_host(length)));
    tcp.checksum = delta.apply(tcp.checksum);

    if (context.parsed.is_v4()) {
        auto& ip = net::header_in<net::Ipv4Header>(context.ip());
        const net::Be16 total = ip.total_length;
        ip.total_length = longer(total);
        ip.checksum = net::checksum_replace(ip.checksum, total, ip.total_length);
    } else {
        auto& ip = net::header_in<net::Ipv6Header>(context.ip());
        ip.payload_length = longer(ip.payload_length);
    }
}

void tell_client(Burst& burst, const PacketList& list) noexcept {
    for (const std::uint8_t at : list) {
        PacketContext& context = burst.packet(at);
        const ToaOption option = toa_of(*context.connection, context.parsed.is_v4());
        if (carries_toa(burst, context, option)) insert_toa(context, option);
    }
}

}  // namespace

void forward_full_nat(Burst& burst, const PacketList& list) noexcept {
    if (burst.snapshot.sysctl.fullnat_toa) tell_client(burst, list);
    for (const std::uint8_t at : list) {
        PacketContext& context = burst.packet(at);
        const Connection& connection = *context.connection;
        const AddressRecord& local =
            burst.worker.shared.local_addresses[index(connection.local_address())];
        const EndPoints ends{{local.bytes.data(), connection.local_port()},
                             {context.server->address.bytes.data(), connection.server_port()}};
        if (crosses_families(connection)) [[unlikely]] {
            if (!cross(burst, context, ends, context.server->mtu)) continue;
        } else {
            replace_both(context, ends);
        }
        send_to_server(burst, context);
    }
}

void forward_full_nat_reply(Burst& burst, const PacketList& list) noexcept {
    for (const std::uint8_t at : list) {
        PacketContext& context = burst.packet(at);
        const Connection& connection = *context.connection;
        const EndPoints ends{{connection.virtual_bytes().data(), connection.virtual_port()},
                             {connection.client_bytes().data(), connection.client_port()}};
        if (crosses_families(connection)) [[unlikely]] {
            if (!cross(burst, context, ends, context.hop->mtu)) continue;
        } else {
            replace_both(context, ends);
        }
        send_to_client(burst, context);
    }
}

}  // namespace pollux::lb
