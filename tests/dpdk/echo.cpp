// SPDX-License-Identifier: Apache-2.0
#include "tests/dpdk/echo.h"

#include <algorithm>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pollux::test {
namespace {

Decider& self(void* context) {
    return *static_cast<Decider*>(context);
}

std::uint16_t ether_type_of(std::span<const std::uint8_t> frame) {
    return static_cast<std::uint16_t>(frame[12] << 8U | frame[13]);
}

}  // namespace

dpdk::BurstProcessor Decider::processor() {
    return {
        .context = this,
        .process =
            [](void* context, std::span<lb::Packet> burst, lb::TimePoint now,
               lb::ExtraPackets&) noexcept {
                Decider& decider = self(context);
                for (lb::Packet& packet : burst) decider.decide_(packet);
                decider.last_time = now.time_since_epoch().count();
                decider.received += burst.size();
            },
        .account_failed =
            [](void* context, const lb::Packet&, lb::DropReason reason) noexcept {
                self(context).last_failure = reason;
                ++self(context).failed;
            },
        .quiescent = [](void* context) noexcept { ++self(context).quiescent; },
        .offline = [](void* context) noexcept { ++self(context).offline; },
        .online = [](void* context) noexcept { ++self(context).online; },
    };
}

void drop(lb::Packet& packet) {
    packet.verdict = lb::Verdict::Drop;
}

void echo(lb::Packet& packet) {
    std::swap_ranges(packet.data, packet.data + 6, packet.data + 6);
    packet.verdict = lb::Verdict::Transmit;
}

void punt(lb::Packet& packet) {
    const std::uint16_t type = ether_type_of({packet.data, packet.length});
    packet.verdict = lb::Verdict::Punt;
    packet.punt_reason = lb::PuntReason::LocalAddress;
    if (type == ETHERTYPE_ARP) packet.punt_reason = lb::PuntReason::Arp;
    if (type == ETHERTYPE_IP && packet.data[23] == 112) packet.punt_reason = lb::PuntReason::Vrrp;
}

PacketSocket::PacketSocket(const std::string& interface)
    : fd_(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL))) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const timeval limit{1, 0};
    EXPECT_EQ(setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
}

PacketSocket::~PacketSocket() {
    close(fd_);
}

void PacketSocket::send(std::span<const std::uint8_t> frame) const {
    EXPECT_EQ(::send(fd_, frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
}

std::optional<std::vector<std::uint8_t>> PacketSocket::receive(std::uint16_t ether_type) const {
    for (int attempt = 0; attempt < 64; ++attempt) {
        std::vector<std::uint8_t> frame(2048);
        sockaddr_ll from{};
        socklen_t size = sizeof from;
        const ssize_t length =
            recvfrom(fd_, frame.data(), frame.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
        if (length < 0) return std::nullopt;
        frame.resize(static_cast<std::size_t>(length));
        if (from.sll_pkttype != PACKET_OUTGOING && ether_type_of(frame) == ether_type) return frame;
    }
    return std::nullopt;
}

std::vector<std::uint8_t> test_frame(std::uint16_t ether_type, std::size_t length,
                                     std::uint8_t first) {
    std::vector<std::uint8_t> frame(length);
    frame[0] = frame[6] = 0x02;
    frame[5] = 0x02;
    frame[11] = 0x01;
    frame[12] = static_cast<std::uint8_t>(ether_type >> 8U);
    frame[13] = static_cast<std::uint8_t>(ether_type);
    for (std::size_t i = 14; i < length; ++i) frame[i] = static_cast<std::uint8_t>(first + i - 14);
    return frame;
}

std::vector<std::uint8_t> vrrp_frame(std::uint8_t router_id) {
    std::vector<std::uint8_t> frame = test_frame(ETHERTYPE_IP, 60);
    const std::array<std::uint8_t, 6> group{0x01, 0x00, 0x5e, 0x00, 0x00, 0x12};
    std::copy(group.begin(), group.end(), frame.begin());
    const std::array<std::uint8_t, 22> headers{
        0x45, 0xc0, 0, 32, 0, 0, 0, 0, 255, 112, 0, 0, 10, 9, 0, 1, 224, 0, 0, 18, 0x31, router_id};
    std::copy(headers.begin(), headers.end(), frame.begin() + 14);
    return frame;
}

}  // namespace pollux::test
