// SPDX-License-Identifier: Apache-2.0

#include "vrrp/announce_frame.h"

#include "dataplane/net/arp.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/icmpv6.h"
#include "dataplane/net/ip_protocol.h"
#include "dataplane/net/ipv6.h"

namespace pollux::vrrp {
namespace {

constexpr std::size_t kAdvertisementLength =
    sizeof(net::NeighborMessage) + sizeof(net::LinkLayerOption);
static_assert(sizeof(net::EthernetHeader) + net::kIpv6HeaderLength + kAdvertisementLength ==
              kMaxAnnounceFrame);

void write_ethernet(std::span<std::uint8_t> frame, const net::MacAddress& destination,
                    const net::MacAddress& source, net::Be16 type) {
    auto& ethernet = *net::header_at<net::EthernetHeader>(frame, 0);
    ethernet.destination = destination;
    ethernet.source = source;
    ethernet.ether_type = type;
}

void write_arp(const net::IpAddress& address, const net::MacAddress& mac, AnnounceFrame& frame) {
    frame.length = sizeof(net::EthernetHeader) + sizeof(net::ArpPacket);
    const std::span<std::uint8_t> bytes = std::span(frame.storage).first(frame.length);
    write_ethernet(bytes, net::MacAddress::broadcast(), mac, net::kEtherTypeArp);
    auto& arp = *net::header_at<net::ArpPacket>(bytes, sizeof(net::EthernetHeader));
    arp.hardware_type = net::kArpHardwareEthernet;
    arp.protocol_type = net::kArpProtocolIpv4;
    arp.hardware_length = sizeof(net::MacAddress);
    arp.protocol_length = sizeof(net::Ipv4Address);
    arp.operation = net::kArpRequest;
    arp.sender_mac = mac;
    arp.sender_address = address.v4();
    arp.target_mac = net::MacAddress::broadcast();
    arp.target_address = address.v4();
}

void write_neighbour(const net::IpAddress& address, const net::MacAddress& mac, bool is_router,
                     AnnounceFrame& frame) {
    frame.length = kMaxAnnounceFrame;
    const std::span<std::uint8_t> bytes = std::span(frame.storage).first(frame.length);
    write_ethernet(bytes, net::multicast_mac(net::kIpv6AllNodes), mac, net::kEtherTypeIpv6);
    const auto packet = bytes.subspan(sizeof(net::EthernetHeader));
    auto& ip = *net::header_at<net::Ipv6Header>(packet, 0);
    ip.set_class_and_flow(0, 0);
    ip.payload_length = net::Be16::from_host(kAdvertisementLength);
    ip.next_header = net::kProtocolIcmpv6;
    ip.hop_limit = net::kNeighborDiscoveryHopLimit;
    ip.source = address.v6();
    ip.destination = net::kIpv6AllNodes;

    const auto body = packet.subspan(net::kIpv6HeaderLength);
    auto& message = *net::header_at<net::NeighborMessage>(body, 0);
    message.type = net::kIcmpv6NeighborAdvertisement;
    message.code = 0;
    message.flags = net::Be32::from_host(net::kNeighborOverride.host() |
                                         (is_router ? net::kNeighborIsRouter.host() : 0));
    message.target = address.v6();
    auto& option = *net::header_at<net::LinkLayerOption>(body, sizeof(net::NeighborMessage));
    option.type = net::kOptionTargetLinkLayer;
    option.length = 1;
    option.mac = mac;
    net::ChecksumSum sum;
    sum.add(body);
    sum.add_pseudo_header(address, net::IpAddress::from_v6(net::kIpv6AllNodes),
                          net::kProtocolIcmpv6, kAdvertisementLength);
    message.checksum = sum.finish();
}

}  // namespace

AnnounceFrame announce_frame(const net::IpAddress& address, const net::MacAddress& mac,
                             bool is_router) noexcept {
    AnnounceFrame frame;
    if (address.is_v4()) {
        write_arp(address, mac, frame);
    } else {
        write_neighbour(address, mac, is_router, frame);
    }
    return frame;
}

}  // namespace pollux::vrrp
