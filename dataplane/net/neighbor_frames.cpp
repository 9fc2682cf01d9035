// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/neighbor_frames.h"

#include "dataplane/net/arp.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/icmpv6.h"
#include "dataplane/net/ip_protocol.h"
#include "dataplane/net/ipv6.h"

namespace pollux::net {
namespace {

constexpr std::size_t kArpOffset = sizeof(EthernetHeader);
constexpr std::size_t kIpv6Offset = sizeof(EthernetHeader);

const ArpPacket* find_arp(std::span<const std::uint8_t> frame) noexcept {
    const auto* ethernet = header_at<EthernetHeader>(frame, 0);
    if (ethernet == nullptr || ethernet->ether_type != kEtherTypeArp) return nullptr;
    const auto* arp = header_at<ArpPacket>(frame, kArpOffset);
    if (arp == nullptr || !arp->is_ipv4_over_ethernet()) return nullptr;
    return arp;
}

// Of the first option in bytes; 0 if it is malformed.
std::size_t option_length(std::span<const std::uint8_t> options) noexcept {
    if (options.size() < 2) return 0;
    const std::size_t length = std::size_t{options[1]} * 8;
    return length <= options.size() ? length : 0;
}

// RFC 4861 section 7.1: an option of length zero makes the whole message invalid.
bool options_are_well_formed(std::span<const std::uint8_t> options) noexcept {
    while (!options.empty()) {
        const std::size_t length = option_length(options);
        if (length == 0) return false;
        options = options.subspan(length);
    }
    return true;
}

// A Neighbor message that passes the checks common to RFC 4861 sections 7.1.1 and 7.1.2.
struct CheckedMessage {
    const Ipv6Header* ip = nullptr;
    const NeighborMessage* message = nullptr;
    std::span<const std::uint8_t> options;
};

std::optional<CheckedMessage> find_message(std::span<const std::uint8_t> frame,
                                           std::uint8_t type) noexcept {
    const auto* ethernet = header_at<EthernetHeader>(frame, 0);
    if (ethernet == nullptr || ethernet->ether_type != kEtherTypeIpv6) return std::nullopt;
    const auto* ip = header_at<Ipv6Header>(frame, kIpv6Offset);
    if (ip == nullptr || ip->version() != 6 || ip->next_header != kProtocolIcmpv6 ||
        ip->hop_limit != kNeighborDiscoveryHopLimit) {
        return std::nullopt;
    }
    const std::size_t length = ip->payload_length.host();
    if (length < sizeof(NeighborMessage) || frame.size() - kNeighborMessageOffset < length) {
        return std::nullopt;
    }
    const auto payload = frame.subspan(kNeighborMessageOffset, length);
    const auto* message = header_at<NeighborMessage>(payload, 0);
    if (message->type != type || message->code != 0 ||
        IpAddress::from_v6(message->target).is_multicast()) {
        return std::nullopt;
    }
    ChecksumSum sum;
    sum.add_pseudo_header(IpAddress::from_v6(ip->source), IpAddress::from_v6(ip->destination),
                          kProtocolIcmpv6, static_cast<std::uint32_t>(length));
    sum.add(payload);
    if (!sum.is_valid()) return std::nullopt;
    const auto options = payload.subspan(sizeof(NeighborMessage));
    if (!options_are_well_formed(options)) return std::nullopt;
    return CheckedMessage{ip, message, options};
}

// The position in the frame of the MAC of the first link-layer option; 0: there is none.
// Precondition: well-formed options.
std::size_t link_option_position(std::span<const std::uint8_t> options,
                                 std::uint8_t type) noexcept {
    std::size_t position = kNeighborMessageOffset + sizeof(NeighborMessage);
    while (!options.empty()) {
        const std::size_t length = option_length(options);
        if (options[0] == type && length == sizeof(LinkLayerOption)) {
            return position + offsetof(LinkLayerOption, mac);
        }
        position += length;
        options = options.subspan(length);
    }
    return 0;
}

// The MAC of the first link-layer option of this type. Precondition: well-formed options.
std::optional<MacAddress> find_option(std::span<const std::uint8_t> options,
                                      std::uint8_t type) noexcept {
    while (!options.empty()) {
        const std::size_t length = option_length(options);
        if (options[0] == type && length == sizeof(LinkLayerOption)) {
            return header_in<LinkLayerOption>(options.data()).mac;
        }
        options = options.subspan(length);
    }
    return std::nullopt;
}

}  // namespace

std::optional<NeighborQuestion> parse_neighbor_question(
    std::span<const std::uint8_t> frame) noexcept {
    if (const ArpPacket* arp = find_arp(frame)) {
        if (arp->operation != kArpRequest || arp->is_announcement()) return std::nullopt;
        return NeighborQuestion{IpAddress::from_v4(arp->target_address),
                                IpAddress::from_v4(arp->sender_address), arp->sender_mac};
    }
    const auto found = find_message(frame, kIcmpv6NeighborSolicitation);
    if (!found) return std::nullopt;
    NeighborQuestion question;
    question.target = IpAddress::from_v6(found->message->target);
    question.asker = IpAddress::from_v6(found->ip->source);
    const auto option = find_option(found->options, kOptionSourceLinkLayer);
    if (question.asker.is_unspecified() && option) return std::nullopt;
    question.asker_mac = option.value_or(header_in<EthernetHeader>(frame.data()).source);
    return question;
}

void set_sender_mac(std::span<std::uint8_t> frame, const MacAddress& mac) noexcept {
    if (frame.size() < sizeof(EthernetHeader)) return;
    header_in<EthernetHeader>(frame.data()).source = mac;
    if (find_arp(frame) != nullptr) {
        header_in<ArpPacket>(frame.data() + kArpOffset).sender_mac = mac;
        return;
    }
    std::uint8_t type = kOptionSourceLinkLayer;
    auto found = find_message(frame, kIcmpv6NeighborSolicitation);
    if (!found) {
        type = kOptionTargetLinkLayer;
        found = find_message(frame, kIcmpv6NeighborAdvertisement);
    }
    if (!found) return;
    const std::size_t position = link_option_position(found->options, type);
    if (position == 0) return;
    auto& inside = header_in<MacAddress>(frame.data() + position);
    ChecksumDelta delta;
    for (std::size_t i = 0; i < mac.bytes.size(); i += sizeof(Be16)) {
        delta.replace(header_in<Be16>(&inside.bytes[i]), header_in<Be16>(&mac.bytes[i]));
    }
    inside = mac;
    auto& message = header_in<NeighborMessage>(frame.data() + kNeighborMessageOffset);
    message.checksum = delta.apply(message.checksum);
}

std::optional<NeighborClaim> parse_neighbor_claim(std::span<const std::uint8_t> frame) noexcept {
    if (const ArpPacket* arp = find_arp(frame)) {
        const IpAddress sender = IpAddress::from_v4(arp->sender_address);
        if (sender.is_unspecified()) return std::nullopt;
        return NeighborClaim{sender, arp->sender_mac};
    }
    const auto found = find_message(frame, kIcmpv6NeighborAdvertisement);
    if (!found) return std::nullopt;
    return NeighborClaim{IpAddress::from_v6(found->message->target),
                         find_option(found->options, kOptionTargetLinkLayer)
                             .value_or(header_in<EthernetHeader>(frame.data()).source)};
}

}  // namespace pollux::net
