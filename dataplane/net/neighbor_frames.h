// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whole frames of neighbour resolution for both families: the question (ARP request, Neighbor
// Solicitation), its answer, and what either tells about who owns an address. Untagged Ethernet.
// Pure; any thread.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"

namespace pollux::net {

// Ethernet, IPv6, Neighbor message and one link-layer option: the longest of these frames.
inline constexpr std::size_t kNeighborFrameRoom = 14 + 40 + 24 + 8;
// Of the Neighbor message (RFC 4861 section 4), behind Ethernet and IPv6.
inline constexpr std::size_t kNeighborMessageOffset = 14 + 40;

struct NeighborFrame {
    std::array<std::uint8_t, kNeighborFrameRoom> bytes{};
    std::size_t length = 0;

    [[nodiscard]] std::span<const std::uint8_t> span() const noexcept {
        return {bytes.data(), length};
    }
};

// "Who has `target`?" An unspecified `asker` is a probe for duplicates (RFC 5227, RFC 4862).
struct NeighborQuestion {
    IpAddress target;
    IpAddress asker;
    MacAddress asker_mac;
};

// Nothing for other frames and for malformed or forged questions (RFC 4861 section 7.1.1).
[[nodiscard]] std::optional<NeighborQuestion> parse_neighbor_question(
    std::span<const std::uint8_t> frame) noexcept;

// "`address` is at `mac`", said unasked or in an answer: the sender of any ARP packet, the target
// of a Neighbor Advertisement. Nothing for other, malformed or forged frames.
struct NeighborClaim {
    IpAddress address;
    MacAddress mac;
};
[[nodiscard]] std::optional<NeighborClaim> parse_neighbor_claim(
    std::span<const std::uint8_t> frame) noexcept;

// Makes a frame come from `mac`: the Ethernet source, and what ARP and neighbour discovery say
// about the sender inside (ARP's sender, the option of a solicitation or advertisement with its
// checksum).
void set_sender_mac(std::span<std::uint8_t> frame, const MacAddress& mac) noexcept;

// Answers that the target is at `mac`, from `mac`. `router`: the R flag of an advertisement.
[[nodiscard]] NeighborFrame build_neighbor_answer(const NeighborQuestion& question,
                                                  const MacAddress& mac, bool router) noexcept;

// The question itself: an ARP request by broadcast, or a solicitation to the target's group.
// Precondition: target and asker are of one family; the asker may be unspecified (of that family).
[[nodiscard]] NeighborFrame build_neighbor_question(const NeighborQuestion& question) noexcept;

// Says unasked, to everybody, where the address lives now. IPv4: an ARP request for the address by
// its owner, as keepalived sends it (RFC 5227 section 3 says why a request). IPv6: RFC 4861 section
// 7.2.6, to all nodes, override set.
[[nodiscard]] NeighborFrame build_neighbor_announcement(const NeighborClaim& claim,
                                                        bool router) noexcept;

}  // namespace pollux::net
