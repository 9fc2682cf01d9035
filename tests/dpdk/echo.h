// SPDX-License-Identifier: Apache-2.0
#pragma once

// A stand-in for lb::Worker with verdicts that a test chooses, and a packet socket for the kernel's
// end of a port.

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/dpdk/burst_processor.h"

namespace pollux::test {

// Counts like lb::Worker (D10) and gives each packet to `decide`, which sets its verdict.
class Decider {
  public:
    using Decide = std::function<void(lb::Packet&)>;
    explicit Decider(Decide decide) : decide_(std::move(decide)) {}

    dpdk::BurstProcessor processor();

    std::atomic<std::uint64_t> received{0}, failed{0}, quiescent{0}, offline{0}, online{0};
    std::atomic<lb::DropReason> last_failure{lb::DropReason::None};
    std::atomic<std::int64_t> last_time{0};

  private:
    Decide decide_;
};

// Verdicts for Decider.
void drop(lb::Packet& packet);
// Back out of the port it came in by, with the MAC addresses swapped.
void echo(lb::Packet& packet);
// By EtherType and IP protocol: VRRP, ARP, everything else LocalAddress.
void punt(lb::Packet& packet);

// A raw socket on a kernel interface that is up.
class PacketSocket {
  public:
    explicit PacketSocket(const std::string& interface);
    PacketSocket(const PacketSocket&) = delete;
    PacketSocket& operator=(const PacketSocket&) = delete;
    ~PacketSocket();

    void send(std::span<const std::uint8_t> frame) const;
    // The next received frame that has this EtherType; none after a second.
    [[nodiscard]] std::optional<std::vector<std::uint8_t>> receive(std::uint16_t ether_type) const;

  private:
    int fd_;
};

// A frame from 02:00:00:00:00:01 to 02:00:00:00:00:02; the payload counts up from `first`.
std::vector<std::uint8_t> test_frame(std::uint16_t ether_type, std::size_t length,
                                     std::uint8_t first = 0);
inline constexpr std::uint16_t kTestEtherType = 0x88b5;  // IEEE 802, local experiments
// A VRRPv3 advertisement to 224.0.0.18 of 60 bytes; only its headers are right.
std::vector<std::uint8_t> vrrp_frame(std::uint8_t router_id);

}  // namespace pollux::test
