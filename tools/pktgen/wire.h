// SPDX-License-Identifier: Apache-2.0
#pragma once

// Wire: how the generator reaches its ports and the clock. dpdk_wire.h is the real one; tests put a
// data plane at its other end.

#include <cstddef>
#include <span>

#include "dataplane/lb/packet.h"
#include "dataplane/lb/time.h"

namespace pollux::pktgen {

class Wire {
  public:
    virtual ~Wire() = default;

    [[nodiscard]] virtual lb::TimePoint now() = 0;
    // The run is to end early.
    [[nodiscard]] virtual bool stopping() = 0;
    // Fills `out` from the front and returns how many were received; they are the caller's.
    virtual unsigned receive(std::size_t port, std::span<lb::Packet> out) = 0;
    // Takes packets from the front and returns how many; the others stay the caller's.
    virtual unsigned transmit(std::size_t port, std::span<lb::Packet> packets) = 0;
    // Empty packets with room for a frame; returns how many there were.
    virtual unsigned allocate(std::span<lb::Packet> out) = 0;
    virtual void release(std::span<lb::Packet> packets) = 0;
};

}  // namespace pollux::pktgen
