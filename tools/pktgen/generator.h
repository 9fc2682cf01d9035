// SPDX-License-Identifier: Apache-2.0
#pragma once

// Generator: asks for the balancer's MACs, opens the connections, sends a trial's frames at a rate
// while it receives and judges what comes back. All of it on the thread that owns the Wire.

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "dataplane/net/result.h"
#include "tools/pktgen/counts.h"
#include "tools/pktgen/frame.h"
#include "tools/pktgen/judge.h"
#include "tools/pktgen/pacer.h"
#include "tools/pktgen/plan.h"
#include "tools/pktgen/wire.h"

namespace pollux::pktgen {

class Generator {
  public:
    // `port_macs`: the ports' own, by position in plan.ports. The plan passed check_plan.
    Generator(const Plan& plan, Wire& wire, std::span<const net::MacAddress> port_macs);

    // Resolves the balancer's MACs. Errors: no answer within 10 s.
    Status resolve();
    // Opens every flow's connection, or sends its first datagram; tcp-syn has none. Errors: flows
    // that do not get through after several tries.
    Status warm_up();
    // One trial at `rate` frames a second in each direction.
    Trial run_trial(double rate);

  private:
    struct Side {
        std::size_t port = 0;
        net::MacAddress own_mac;
        net::MacAddress next_hop_mac;
        bool is_resolved = false;
    };
    // One frame of each flow, until all have arrived.
    struct Stage {
        const char* name;
        std::uint8_t tcp_flags;
        bool reply;
    };

    Status resolve_side(Side& side, const net::IpAddress& target);
    Status run_stage(const Stage& stage);
    void send_to_pending(const Stage& stage, const std::vector<std::uint32_t>& pending);
    [[nodiscard]] std::uint32_t next_flow();
    [[nodiscard]] Path path_of(std::uint32_t flow, bool reply, std::uint8_t tcp_flags) const;
    unsigned write_burst(std::span<const std::uint32_t> flows, bool reply, std::uint8_t tcp_flags);
    void send(std::span<const std::uint32_t> flows, bool reply, std::uint8_t tcp_flags);
    void send_trial_burst(unsigned count, bool reply);
    unsigned receive_all();
    bool receive_neighbour(std::size_t port, std::span<const std::uint8_t> frame);
    void transmit_frame(std::size_t port, std::span<const std::uint8_t> frame);
    void drain();
    [[nodiscard]] std::uint8_t data_flags() const;
    [[nodiscard]] std::uint32_t now_ns();

    const Plan& plan_;
    Wire& wire_;
    std::array<Side, 2> sides_;  // 0 the clients', 1 the servers'
    std::vector<net::MacAddress> server_macs_;
    Judge judge_;
    std::vector<FrameWriter> writers_;  // in the order of frame_lengths
    std::size_t next_writer_ = 0;
    std::uint32_t next_flow_ = 0;
    std::mt19937 random_{1};
    std::uint8_t trial_ = 0;
    Counts counts_;
    std::array<lb::Packet, 64> packets_;
};

}  // namespace pollux::pktgen
