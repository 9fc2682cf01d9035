// SPDX-License-Identifier: Apache-2.0
#pragma once

// Judge: what a received frame says about the balancer. Knows what each frame must have become by
// the plan's forwarding method; learns which server a flow has and how it sees the client, and
// holds the balancer to it. One thread.

#include <array>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "tools/pktgen/counts.h"
#include "tools/pktgen/frame.h"
#include "tools/pktgen/plan.h"
#include "tools/pktgen/sequence_window.h"

namespace pollux::pktgen {

inline constexpr std::uint16_t kNoServer = 0xffff;

struct FlowState {
    std::array<std::uint32_t, 2> sent{};  // sequence numbers used, by direction
    std::array<SequenceWindow, 2> got;    // by direction
    Endpoint seen;                        // the client as the server sees it
    std::uint16_t server = kNoServer;     // position in Plan::servers
};

class Judge {
  public:
    // `client_mac`: what answers to clients must be sent to. `server_macs` by position.
    Judge(const Plan& plan, const net::MacAddress& client_mac,
          std::span<const net::MacAddress> server_macs);

    // Judges a frame that is no neighbour resolution; a tunnel's outer header is overwritten. A
    // right one is booked in its flow. `now`: nanoseconds modulo 2^32.
    Finding judge(std::span<std::uint8_t> frame, std::uint8_t trial, std::uint32_t now,
                  Counts& counts);

    [[nodiscard]] std::vector<FlowState>& flows() { return flows_; }
    [[nodiscard]] const std::vector<FlowState>& flows() const { return flows_; }

  private:
    struct Received;
    Finding check_forward(const Received& received, FlowState& flow) const;
    Finding check_reply(const Received& received) const;
    [[nodiscard]] Finding find_server(const Received& received, std::uint16_t& server) const;

    const Plan& plan_;
    net::MacAddress client_mac_;
    std::vector<net::MacAddress> server_macs_;
    std::unordered_map<std::string, std::uint16_t> by_address_;  // address and port, or MAC for DR
    std::vector<FlowState> flows_;
};

}  // namespace pollux::pktgen
