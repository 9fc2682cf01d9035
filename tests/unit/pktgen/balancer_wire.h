// SPDX-License-Identifier: Apache-2.0
#pragma once

// A Wire with the real data plane at its other end: what the generator sends on a port goes through
// a DataPlane, what comes out can be received. Virtual time: each look at the clock takes 1 us. A
// test may meddle with what comes out.

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/lb/data_plane.h"
#include "tests/support/frame_builder.h"
#include "tools/pktgen/plan.h"
#include "tools/pktgen/wire.h"

namespace pollux::test {

inline constexpr net::MacAddress kBalancerMac{{0x02, 0, 0, 0, 0x0d, 1}};
inline constexpr net::MacAddress kGeneratorMac{{0x02, 0, 0, 0, 0x0a, 1}};

class BalancerWire : public pktgen::Wire {
  public:
    // Balances the plan's service over the plan's servers.
    explicit BalancerWire(const pktgen::Plan& plan);

    lb::TimePoint now() override { return now_ += step; }
    bool stopping() override { return stop; }
    unsigned receive(std::size_t port, std::span<lb::Packet> out) override;
    unsigned transmit(std::size_t port, std::span<lb::Packet> packets) override;
    unsigned allocate(std::span<lb::Packet> out) override;
    void release(std::span<lb::Packet> packets) override;

    // Sees each frame that the balancer sends, before the generator receives it.
    std::function<void(std::vector<Bytes>& frames)> meddle;
    // Takes at most so many frames in one transmit.
    unsigned room = 64;
    bool stop = false;
    lb::Duration step = std::chrono::microseconds(1);  // of the clock
    std::unique_ptr<lb::DataPlane> plane;
    std::size_t in_use = 0;  // buffers

  private:
    using Buffer = std::array<std::uint8_t, 12 * 1024>;
    void balance(std::size_t port, const lb::Packet& packet);
    void deliver(std::size_t port, Bytes frame);
    bool answer_question(std::size_t port, const lb::Packet& packet);

    pktgen::Plan plan_;
    lb::TimePoint now_{std::chrono::seconds(1000)};
    std::array<std::deque<Bytes>, 2> queues_;
    std::unique_ptr<lb::ExtraPackets> extra_ = std::make_unique<lb::ExtraPackets>();
};

// A plan over two ports (clients', servers') with two servers.
[[nodiscard]] pktgen::Plan small_plan(lb::ForwardingMethod method, pktgen::Kind kind);

}  // namespace pollux::test
