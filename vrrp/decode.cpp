// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <optional>

#include "dataplane/net/checksum.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/ip_protocol.h"
#include "dataplane/net/ipv4.h"
#include "dataplane/net/ipv6.h"
#include "vrrp/advert.h"

namespace pollux::vrrp {
namespace {

using Bytes = std::span<const std::uint8_t>;

struct IpPayload {
    DecodeError error = DecodeError::None;
    std::uint8_t protocol = 0;
    Bytes bytes;
};

// The bytes after the Ethernet header and its tags; nothing for a frame that is too short.
std::optional<std::pair<net::Be16, Bytes>> ethernet_payload(Bytes frame, ReceivedAdvert& advert) {
    const auto* ethernet = net::header_at<net::EthernetHeader>(frame, 0);
    if (ethernet == nullptr) return std::nullopt;
    advert.source_mac = ethernet->source;
    net::Be16 type = ethernet->ether_type;
    std::size_t offset = sizeof(net::EthernetHeader);
    for (unsigned tags = 0; tags < net::kMaxVlanTags && net::is_vlan_ether_type(type); ++tags) {
        const auto* tag = net::header_at<net::VlanTag>(frame, offset);
        if (tag == nullptr) return std::nullopt;
        type = tag->ether_type;
        offset += sizeof(net::VlanTag);
    }
    return std::pair{type, frame.subspan(offset)};
}

IpPayload ipv4_payload(Bytes packet, ReceivedAdvert& advert) {
    const auto* ip = net::header_at<net::Ipv4Header>(packet, 0);
    if (ip == nullptr) return {DecodeError::IpHeader, 0, {}};
    const std::size_t header_length = ip->header_length();
    const std::size_t total_length = ip->total_length.host();
    if (ip->version() != 4 || header_length < net::kIpv4MinHeaderLength ||
        total_length < header_length || total_length > packet.size() || ip->is_fragment()) {
        return {DecodeError::IpHeader, 0, {}};
    }
    if (net::internet_checksum(packet.first(header_length)).wire() != 0) {
        return {DecodeError::IpHeader, 0, {}};
    }
    advert.source = net::IpAddress::from_v4(ip->source);
    advert.destination = net::IpAddress::from_v4(ip->destination);
    advert.ttl = ip->ttl;
    return {DecodeError::None, ip->protocol,
            packet.subspan(header_length, total_length - header_length)};
}

// Extension headers are not walked: no router sends an advertisement behind one.
IpPayload ipv6_payload(Bytes packet, ReceivedAdvert& advert) {
    const auto* ip = net::header_at<net::Ipv6Header>(packet, 0);
    if (ip == nullptr) return {DecodeError::IpHeader, 0, {}};
    const std::size_t length = ip->payload_length.host();
    if (ip->version() != 6 || length > packet.size() - net::kIpv6HeaderLength) {
        return {DecodeError::IpHeader, 0, {}};
    }
    advert.source = net::IpAddress::from_v6(ip->source);
    advert.destination = net::IpAddress::from_v6(ip->destination);
    advert.ttl = ip->hop_limit;
    return {DecodeError::None, ip->next_header, packet.subspan(net::kIpv6HeaderLength, length)};
}

IpPayload ip_payload(Bytes frame, ReceivedAdvert& advert) {
    const auto payload = ethernet_payload(frame, advert);
    if (!payload) return {DecodeError::NotVrrp, 0, {}};
    const auto& [type, packet] = *payload;
    if (type == net::kEtherTypeIpv4) return ipv4_payload(packet, advert);
    if (type == net::kEtherTypeIpv6) return ipv6_payload(packet, advert);
    return {DecodeError::NotVrrp, 0, {}};
}

bool sums_up(Bytes message, const ReceivedAdvert* pseudo_header) {
    net::ChecksumSum sum;
    sum.add(message);
    if (pseudo_header != nullptr) {
        sum.add_pseudo_header(pseudo_header->source, pseudo_header->destination, net::kProtocolVrrp,
                              static_cast<std::uint32_t>(message.size()));
    }
    return sum.is_valid();
}

// Version 2: the message. Version 3: IPv6 with pseudo-header, IPv4 either way.
DecodeError check_checksum(Bytes message, ReceivedAdvert& advert) {
    if (advert.version == 2) {
        return sums_up(message, nullptr) ? DecodeError::None : DecodeError::Checksum;
    }
    if (sums_up(message, &advert)) {
        advert.checksum_form = ChecksumForm::PseudoHeader;
        return DecodeError::None;
    }
    if (advert.family() == net::Family::V4 && sums_up(message, nullptr)) {
        advert.checksum_form = ChecksumForm::MessageOnly;
        return DecodeError::None;
    }
    return DecodeError::Checksum;
}

void read_interval(const VrrpHeader& header, ReceivedAdvert& advert) {
    const std::uint16_t raw = header.interval.host();
    if (advert.version == 2) {
        advert.auth_type = static_cast<std::uint8_t>(raw >> 8U);
        advert.interval = std::chrono::seconds(raw & 0xffU);
    } else {
        // RFC 9568 section 5.2.6: the four reserved bits are ignored on reception.
        advert.interval = std::chrono::milliseconds(10) * (raw & kMaxIntervalCs);
    }
}

DecodeError decode_message(Bytes payload, Decoded& result) {
    ReceivedAdvert& advert = result.advert;
    const auto* header = net::header_at<VrrpHeader>(payload, 0);
    if (header == nullptr) return DecodeError::Length;
    advert.version = header->version_type >> 4U;
    advert.virtual_router_id = header->virtual_router_id;
    advert.priority = header->priority;
    advert.count = header->count;
    result.has_virtual_router_id = true;
    if (advert.version != 3 && !(advert.version == 2 && advert.family() == net::Family::V4)) {
        return DecodeError::Version;
    }
    if ((header->version_type & 0xfU) != kTypeAdvertisement) return DecodeError::Type;
    read_interval(*header, advert);

    const std::size_t addresses = advert.count * address_length(advert.family());
    const std::size_t auth = advert.version == 2 ? kAuthDataLength : 0;
    const std::size_t length = sizeof(VrrpHeader) + addresses + auth;
    if (payload.size() < length) return DecodeError::Length;
    const Bytes message = payload.first(length);
    advert.address_bytes = message.subspan(sizeof(VrrpHeader), addresses);
    if (auth != 0) {
        std::copy_n(message.end() - kAuthDataLength, kAuthDataLength, advert.auth_data.begin());
    }
    const DecodeError checksum = check_checksum(message, advert);
    if (checksum != DecodeError::None) return checksum;
    if (advert.count == 0) return DecodeError::NoAddress;
    if (advert.version == 3 && advert.interval == Duration::zero()) {
        return DecodeError::IntervalZero;
    }
    return DecodeError::None;
}

// Authenticated adverts are refused, but the instance that they are meant for shall say so.
DecodeError decode_authenticated(Bytes payload, Decoded& result) {
    const auto* ah = net::header_at<net::Ipv6ExtensionHeader>(payload, 0);
    if (ah == nullptr || ah->next_header != net::kProtocolVrrp) return DecodeError::NotVrrp;
    if (const auto* header = net::header_at<VrrpHeader>(payload, ah->ah_length())) {
        result.advert.version = header->version_type >> 4U;
        result.advert.virtual_router_id = header->virtual_router_id;
        result.advert.priority = header->priority;
        result.has_virtual_router_id = true;
    }
    return DecodeError::AuthenticationHeader;
}

}  // namespace

Decoded decode_frame(std::span<const std::uint8_t> frame) noexcept {
    Decoded result;
    const IpPayload payload = ip_payload(frame, result.advert);
    if (payload.error != DecodeError::None) {
        result.error = payload.error;
    } else if (payload.protocol == net::kProtocolAh) {
        result.error = decode_authenticated(payload.bytes, result);
    } else if (payload.protocol != net::kProtocolVrrp) {
        result.error = DecodeError::NotVrrp;
    } else {
        result.error = decode_message(payload.bytes, result);
    }
    return result;
}

net::IpAddress ReceivedAdvert::address(std::size_t index) const noexcept {
    net::IpAddress result;
    result.family = family();
    const std::size_t length = address_length(result.family);
    std::copy_n(address_bytes.begin() + static_cast<std::ptrdiff_t>(index * length), length,
                result.bytes.begin());
    return result;
}

std::vector<net::IpAddress> ReceivedAdvert::addresses() const {
    std::vector<net::IpAddress> result;
    result.reserve(count);
    for (std::size_t i = 0; i < count; ++i) result.push_back(address(i));
    return result;
}

std::string_view to_string(DecodeError error) noexcept {
    switch (error) {
        case DecodeError::None:
            return "none";
        case DecodeError::NotVrrp:
            return "not VRRP";
        case DecodeError::IpHeader:
            return "bad IP header or fragment";
        case DecodeError::AuthenticationHeader:
            return "AH authentication is not supported";
        case DecodeError::Length:
            return "too short";
        case DecodeError::Version:
            return "wrong version";
        case DecodeError::Type:
            return "invalid type";
        case DecodeError::Checksum:
            return "bad checksum";
        case DecodeError::NoAddress:
            return "no address";
        case DecodeError::IntervalZero:
            return "advertisement interval 0";
    }
    return "unknown";
}

std::string_view to_string(ChecksumForm form) noexcept {
    return form == ChecksumForm::PseudoHeader ? "pseudo-header" : "rfc9568";
}

}  // namespace pollux::vrrp
