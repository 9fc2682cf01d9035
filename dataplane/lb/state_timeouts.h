// SPDX-License-Identifier: Apache-2.0
#pragma once

// StateTimeouts: the time-outs of connections by protocol and state, as table look-ups in ticks.
// Built once per snapshot from TimeoutSpec (control thread), read by workers.

#include <array>
#include <cstdint>

#include "dataplane/lb/sctp_state.h"
#include "dataplane/lb/spec.h"
#include "dataplane/lb/tcp_state.h"
#include "dataplane/lb/tick.h"

namespace pollux::lb {

// What LVS gives an entry before its first packet has set a state.
inline constexpr Duration kNewConnectionTimeout = std::chrono::seconds(3);

struct StateTimeouts {
    std::array<Ticks, kTcpStateCount> tcp{};
    std::array<Ticks, kSctpStateCount> sctp{};
    Ticks udp{};

    static StateTimeouts from(const TimeoutSpec& spec) noexcept;

    [[nodiscard]] Ticks of(TcpState state) const noexcept {
        return tcp[static_cast<std::size_t>(state)];
    }
    [[nodiscard]] Ticks of(SctpState state) const noexcept {
        return sctp[static_cast<std::size_t>(state)];
    }
};

}  // namespace pollux::lb
