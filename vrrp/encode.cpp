// SPDX-License-Identifier: Apache-2.0

#include <algorithm>

#include "dataplane/net/checksum.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/ip_protocol.h"
#include "dataplane/net/ipv4.h"
#include "dataplane/net/ipv6.h"
#include "vrrp/advert.h"

namespace pollux::vrrp {
namespace {

net::Family family_of(const AdvertMessage& message) {
    return message.addresses.empty() ? net::Family::V4 : message.addresses.front().family;
}

std::size_t message_length(const AdvertMessage& message) {
    const std::size_t auth = message.version == 2 ? kAuthDataLength : 0;
    return sizeof(VrrpHeader) + message.addresses.size() * address_length(family_of(message)) +
           auth;
}

std::size_t ip_header_length(const AdvertMessage& message) {
    return family_of(message) == net::Family::V4 ? net::kIpv4MinHeaderLength
                                                 : net::kIpv6HeaderLength;
}

net::Be16 interval_field(const AdvertMessage& message) {
    using std::chrono::duration_cast;
    if (message.version == 2) {
        const auto seconds = duration_cast<std::chrono::seconds>(message.interval).count();
        return net::Be16::from_host(
            static_cast<std::uint16_t>((message.auth_type << 8U) | (seconds & 0xff)));
    }
    const auto centiseconds =
        duration_cast<std::chrono::milliseconds>(message.interval).count() / 10;
    return net::Be16::from_host(static_cast<std::uint16_t>(centiseconds & kMaxIntervalCs));
}

void write_message(const AdvertMessage& message, const AdvertEnvelope& envelope,
                   std::span<std::uint8_t> out) {
    auto& header = *net::header_at<VrrpHeader>(out, 0);
    header.version_type = static_cast<std::uint8_t>((message.version << 4U) | kTypeAdvertisement);
    header.virtual_router_id = message.virtual_router_id;
    header.priority = message.priority;
    header.count = static_cast<std::uint8_t>(message.addresses.size());
    header.interval = interval_field(message);
    header.checksum = net::Be16();

    auto rest = out.subspan(sizeof(VrrpHeader));
    const std::size_t length = address_length(family_of(message));
    for (const net::IpAddress& address : message.addresses) {
        std::copy_n(address.bytes.begin(), length, rest.begin());
        rest = rest.subspan(length);
    }
    if (message.version == 2) std::ranges::copy(message.auth_data, rest.begin());

    net::ChecksumSum sum;
    sum.add(out);
    if (message.version == 3 && (family_of(message) == net::Family::V6 ||
                                 message.checksum_form == ChecksumForm::PseudoHeader)) {
        sum.add_pseudo_header(envelope.source, envelope.destination, net::kProtocolVrrp,
                              static_cast<std::uint32_t>(out.size()));
    }
    header.checksum = sum.finish();
}

void write_ipv4(const AdvertEnvelope& envelope, std::span<std::uint8_t> packet) {
    auto& ip = *net::header_at<net::Ipv4Header>(packet, 0);
    ip.version_ihl = 0x45;
    ip.traffic_class = kTrafficClass;
    ip.total_length = net::Be16::from_host(static_cast<std::uint16_t>(packet.size()));
    ip.identification = net::Be16::from_host(envelope.identification);
    ip.flags_and_offset = net::Be16();
    ip.ttl = envelope.ttl;
    ip.protocol = net::kProtocolVrrp;
    ip.checksum = net::Be16();
    ip.source = envelope.source.v4();
    ip.destination = envelope.destination.v4();
    ip.checksum = net::internet_checksum(packet.first(net::kIpv4MinHeaderLength));
}

void write_ipv6(const AdvertEnvelope& envelope, std::span<std::uint8_t> packet) {
    auto& ip = *net::header_at<net::Ipv6Header>(packet, 0);
    ip.set_class_and_flow(kTrafficClass, envelope.flow_label);
    ip.payload_length =
        net::Be16::from_host(static_cast<std::uint16_t>(packet.size() - net::kIpv6HeaderLength));
    ip.next_header = net::kProtocolVrrp;
    ip.hop_limit = envelope.ttl;
    ip.source = envelope.source.v6();
    ip.destination = envelope.destination.v6();
}

}  // namespace

std::size_t advert_frame_length(const AdvertMessage& message) noexcept {
    return sizeof(net::EthernetHeader) + ip_header_length(message) + message_length(message);
}

std::size_t write_advert_frame(const AdvertMessage& message, const AdvertEnvelope& envelope,
                               std::span<std::uint8_t> out) noexcept {
    const std::size_t length = advert_frame_length(message);
    if (out.size() < length || message.addresses.size() > kMaxAdvertAddresses) return 0;
    const bool v4 = family_of(message) == net::Family::V4;
    auto& ethernet = *net::header_at<net::EthernetHeader>(out, 0);
    ethernet.destination = envelope.destination_mac;
    ethernet.source = envelope.source_mac;
    ethernet.ether_type = v4 ? net::kEtherTypeIpv4 : net::kEtherTypeIpv6;

    const auto packet =
        out.subspan(sizeof(net::EthernetHeader), length - sizeof(net::EthernetHeader));
    v4 ? write_ipv4(envelope, packet) : write_ipv6(envelope, packet);
    write_message(message, envelope, packet.subspan(ip_header_length(message)));
    return length;
}

net::MacAddress group_mac(const net::IpAddress& group) noexcept {
    return group.is_v4() ? net::multicast_mac(group.v4()) : net::multicast_mac(group.v6());
}

}  // namespace pollux::vrrp
