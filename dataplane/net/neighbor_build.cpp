// SPDX-License-Identifier: Apache-2.0
// The writing half of neighbor_frames.h.

#include "dataplane/net/arp.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/icmpv6.h"
#include "dataplane/net/ip_build.h"
#include "dataplane/net/ip_protocol.h"
#include "dataplane/net/neighbor_frames.h"

namespace pollux::net {
namespace {

constexpr std::size_t kL3Offset = sizeof(EthernetHeader);
constexpr std::size_t kOptionOffset = kNeighborMessageOffset + sizeof(NeighborMessage);

void set_ethernet(NeighborFrame& frame, const MacAddress& destination, const MacAddress& source,
                  Be16 ether_type) noexcept {
    auto& ethernet = header_in<EthernetHeader>(frame.bytes.data());
    ethernet.destination = destination;
    ethernet.source = source;
    ethernet.ether_type = ether_type;
}

struct ArpTarget {
    MacAddress link;  // of the Ethernet header
    MacAddress mac;   // of the ARP packet
    Ipv4Address address;
};

NeighborFrame build_arp(Be16 operation, const NeighborClaim& sender,
                        const ArpTarget& target) noexcept {
    NeighborFrame frame;
    frame.length = kL3Offset + sizeof(ArpPacket);
    set_ethernet(frame, target.link, sender.mac, kEtherTypeArp);
    auto& arp = header_in<ArpPacket>(frame.bytes.data() + kL3Offset);
    arp.hardware_type = kArpHardwareEthernet;
    arp.protocol_type = kArpProtocolIpv4;
    arp.hardware_length = sizeof(MacAddress);
    arp.protocol_length = sizeof(Ipv4Address);
    arp.operation = operation;
    arp.sender_mac = sender.mac;
    arp.sender_address = sender.address.v4();
    arp.target_mac = target.mac;
    arp.target_address = target.address;
    return frame;
}

// A Neighbor message without its addresses.
struct Message {
    std::uint8_t type = 0;
    Be32 flags;
    Ipv6Address target;
    std::uint8_t option = 0;  // kind of the link-layer option with the sender's MAC; 0: none
};

struct Parties {
    IpAddress source;
    MacAddress source_mac;
    IpAddress destination;
    MacAddress destination_mac;
};

NeighborFrame build_message(const Message& message, const Parties& parties) noexcept {
    NeighborFrame frame;
    const std::size_t length =
        sizeof(NeighborMessage) + (message.option != 0 ? sizeof(LinkLayerOption) : 0);
    frame.length = kNeighborMessageOffset + length;
    set_ethernet(frame, parties.destination_mac, parties.source_mac, kEtherTypeIpv6);
    IpHeaderFields ip;
    ip.source = parties.source;
    ip.destination = parties.destination;
    ip.protocol = kProtocolIcmpv6;
    ip.ttl = kNeighborDiscoveryHopLimit;
    ip.payload_length = length;
    const auto room = std::span(frame.bytes);
    static_cast<void>(write_ip_header(ip, room.subspan(kL3Offset)));  // the room is sufficient
    auto& icmp = header_in<NeighborMessage>(frame.bytes.data() + kNeighborMessageOffset);
    icmp.type = message.type;
    icmp.flags = message.flags;
    icmp.target = message.target;
    if (message.option != 0) {
        auto& option = header_in<LinkLayerOption>(frame.bytes.data() + kOptionOffset);
        option.type = message.option;
        option.length = 1;
        option.mac = parties.source_mac;
    }
    ChecksumSum sum;
    sum.add_pseudo_header(ip.source, ip.destination, kProtocolIcmpv6,
                          static_cast<std::uint32_t>(length));
    sum.add(room.subspan(kNeighborMessageOffset, length));
    icmp.checksum = sum.finish();
    return frame;
}

Be32 either(Be32 a, Be32 b) noexcept {
    return Be32::from_wire(a.wire() | b.wire());
}

NeighborFrame build_advertisement(const NeighborClaim& claim, const IpAddress& to,
                                  const MacAddress& to_mac, Be32 flags) noexcept {
    return build_message({kIcmpv6NeighborAdvertisement, either(flags, kNeighborOverride),
                          claim.address.v6(), kOptionTargetLinkLayer},
                         {claim.address, claim.mac, to, to_mac});
}

}  // namespace

NeighborFrame build_neighbor_answer(const NeighborQuestion& question, const MacAddress& mac,
                                    bool router) noexcept {
    const NeighborClaim claim{question.target, mac};
    if (question.target.is_v4()) {
        NeighborFrame frame = build_arp(
            kArpReply, claim, {question.asker_mac, question.asker_mac, question.asker.v4()});
        frame.length = kMinFrameLength;
        return frame;
    }
    // RFC 4861 section 7.2.4: an answer to a duplicate address probe goes to all nodes.
    if (question.asker.is_unspecified()) return build_neighbor_announcement(claim, router);
    const Be32 flags = router ? kNeighborIsRouter : Be32{};
    return build_advertisement(claim, question.asker, question.asker_mac,
                               either(flags, kNeighborSolicited));
}

NeighborFrame build_neighbor_question(const NeighborQuestion& question) noexcept {
    const NeighborClaim asker{question.asker, question.asker_mac};
    if (question.target.is_v4()) {
        NeighborFrame frame =
            build_arp(kArpRequest, asker, {MacAddress::broadcast(), {}, question.target.v4()});
        frame.length = kMinFrameLength;
        return frame;
    }
    const Ipv6Address group = solicited_node_address(question.target.v6());
    // RFC 4861 section 4.3: no option when the source is unspecified.
    const std::uint8_t option =
        question.asker.is_unspecified() ? std::uint8_t{0} : kOptionSourceLinkLayer;
    return build_message(
        {kIcmpv6NeighborSolicitation, {}, question.target.v6(), option},
        {asker.address, asker.mac, IpAddress::from_v6(group), multicast_mac(group)});
}

NeighborFrame build_neighbor_announcement(const NeighborClaim& claim, bool router) noexcept {
    if (claim.address.is_v4()) {
        return build_arp(kArpRequest, claim,
                         {MacAddress::broadcast(), MacAddress::broadcast(), claim.address.v4()});
    }
    return build_advertisement(claim, IpAddress::from_v6(kIpv6AllNodes),
                               multicast_mac(kIpv6AllNodes), router ? kNeighborIsRouter : Be32{});
}

}  // namespace pollux::net
