// SPDX-License-Identifier: Apache-2.0
#pragma once

// ExpectedStates: connection tracking for the packet that changes nothing, which is nearly every
// packet. For each combination that a TCP packet can meet it holds the low half of the state word
// (life, state, time-out) that track_packet would ask for; when the connection has it already, one
// comparison has settled the matter and nothing is written (decision D7). Part of a snapshot.

#include <array>
#include <cstdint>

#include "dataplane/lb/connection_state.h"
#include "dataplane/lb/spec.h"
#include "dataplane/lb/state_timeouts.h"
#include "dataplane/lb/tcp_state.h"

namespace pollux::lb {

class ExpectedStates {
  public:
    ExpectedStates() = default;
    explicit ExpectedStates(const StateTimeouts& timeouts);

    // Row of expected_tcp by whose packet it is, for one level of secure_tcp.
    using StateRow = std::array<std::uint32_t, 16>;
    using FlagRows = std::array<StateRow, 32>;
    using OriginRows = std::array<FlagRows, kPacketOriginCount>;

    [[nodiscard]] const OriginRows& tcp(bool secure) const noexcept { return tcp_[secure ? 1 : 0]; }
    // `flags` as in the header, `state` the protocol state of the word that is compared.
    [[nodiscard]] static std::uint32_t of(const OriginRows& rows, PacketOrigin origin,
                                          std::uint8_t flags, std::uint8_t state) noexcept {
        return rows[static_cast<std::size_t>(origin)][flags & 0x1fU][state & 0xfU];
    }
    [[nodiscard]] std::uint32_t udp() const noexcept { return udp_; }

  private:
    std::array<OriginRows, 2> tcp_{};
    std::uint32_t udp_ = 0;
};

}  // namespace pollux::lb
