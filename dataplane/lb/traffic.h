// SPDX-License-Identifier: Apache-2.0
#pragma once

// Traffic: sums of packets, bytes and connections as plain values, for the operator's views.

#include <cstdint>

#include "dataplane/lb/counter.h"

namespace pollux::lb {

struct Traffic {
    std::uint64_t connections = 0, packets_in = 0, packets_out = 0, bytes_in = 0, bytes_out = 0;

    static Traffic of(const TrafficCounters& counters) noexcept {
        return {counters.connections.read(), counters.packets_in.read(),
                counters.packets_out.read(), counters.bytes_in.read(), counters.bytes_out.read()};
    }
    Traffic& operator+=(const Traffic& other) noexcept {
        connections += other.connections;
        packets_in += other.packets_in;
        packets_out += other.packets_out;
        bytes_in += other.bytes_in;
        bytes_out += other.bytes_out;
        return *this;
    }
    Traffic& operator-=(const Traffic& other) noexcept {
        connections -= other.connections;
        packets_in -= other.packets_in;
        packets_out -= other.packets_out;
        bytes_in -= other.bytes_in;
        bytes_out -= other.bytes_out;
        return *this;
    }
};

}  // namespace pollux::lb
