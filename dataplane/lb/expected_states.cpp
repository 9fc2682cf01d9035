// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/expected_states.h"

#include "dataplane/net/tcp.h"

namespace pollux::lb {
namespace {

// No word in a table has a life of 7: the comparison fails and the packet is looked at in full.
constexpr std::uint32_t kLookAtIt = 0xffffffffU;

std::uint32_t live_word(std::uint8_t state, Ticks timeout) {
    const ConnectionState word = ConnectionState()
                                     .with_lifecycle(Lifecycle::Live)
                                     .with_protocol_state(state)
                                     .with_timeout(timeout);
    return static_cast<std::uint32_t>(word.word());
}

std::uint32_t expected(PacketOrigin origin, std::uint8_t flags, std::uint8_t state, bool secure,
                       const StateTimeouts& timeouts) {
    // A client's SYN may have to be scheduled anew (conn_reuse_mode).
    const bool from_client = origin != PacketOrigin::Server;
    if (state >= kTcpStateCount || (from_client && (flags & net::kTcpSyn) != 0)) return kLookAtIt;
    const TcpState next = next_tcp_state(static_cast<TcpState>(state), origin, flags, secure);
    if (static_cast<std::uint8_t>(next) != state) return kLookAtIt;
    return live_word(state, timeouts.of(next));
}

}  // namespace

ExpectedStates::ExpectedStates(const StateTimeouts& timeouts) : udp_(live_word(0, timeouts.udp)) {
    for (unsigned secure = 0; secure < 2; ++secure) {
        for (unsigned origin = 0; origin < kPacketOriginCount; ++origin) {
            for (unsigned flags = 0; flags < 32; ++flags) {
                StateRow& row = tcp_[secure][origin][flags];
                for (unsigned state = 0; state < row.size(); ++state) {
                    row[state] = expected(static_cast<PacketOrigin>(origin),
                                          static_cast<std::uint8_t>(flags),
                                          static_cast<std::uint8_t>(state), secure != 0, timeouts);
                }
            }
        }
    }
}

}  // namespace pollux::lb
