// SPDX-License-Identifier: Apache-2.0
#pragma once

// ConnectionState: the value of a connection's state word. Everything about a connection that
// changes (but for the last-seen time) is in these 64 bits, so that one compare-and-swap changes it
// as a whole and exactly one of several threads makes each change. A plain value; any thread.

#include <algorithm>
#include <cstdint>

#include "dataplane/lb/lifecycle.h"
#include "dataplane/lb/spec.h"
#include "dataplane/lb/tick.h"

namespace pollux::lb {

// Whether the servers' packets come back through us, so that connections have a second key.
constexpr bool has_reply_key(ForwardingMethod method) noexcept {
    return method == ForwardingMethod::Nat || method == ForwardingMethod::FullNat;
}

// Flags of a connection, owned by connection tracking.
enum class ConnectionFlag : std::uint16_t {
    Active = 1U << 0,     // counted as active with its server (LVS: !IP_VS_CONN_F_INACTIVE)
    Embryonic = 1U << 1,  // half-open: counted against the share, first to go when full
    NoOutput = 1U << 2,   // only the client's direction was seen (LVS: IP_VS_CONN_F_NOOUTPUT)
    ClientFin = 1U << 3,
    ServerFin = 1U << 4,
    SecureTcp = 1U << 5,     // its state came from the secure_tcp table
    Synchronised = 1U << 6,  // the peer has been told of it
    FromPeer = 1U << 7,      // learnt from the peer
    // Bits 8..11 are free.
};

//   0         3          8             32             36       48         56       58    59   60
//   | life 3  | state 5  | time-out 24 | packets 4    | flags  | protocol | method | v6c | v6s |
//
// time-out in ticks after the last packet; packets: the client's packets, saturating at 15; v6c:
// client and virtual address are IPv6; v6s: server (and local) address are IPv6.
class ConnectionState {
  public:
    constexpr ConnectionState() noexcept = default;
    static constexpr ConnectionState from_word(std::uint64_t word) noexcept {
        ConnectionState state;
        state.word_ = word;
        return state;
    }
    [[nodiscard]] constexpr std::uint64_t word() const noexcept { return word_; }

    [[nodiscard]] constexpr Lifecycle lifecycle() const noexcept {
        return static_cast<Lifecycle>(word_ & 7U);
    }
    // The protocol's state, 0..31: LVS's numbers of TCP or SCTP states.
    [[nodiscard]] constexpr std::uint8_t protocol_state() const noexcept {
        return static_cast<std::uint8_t>((word_ >> 3U) & 31U);
    }
    [[nodiscard]] constexpr Ticks timeout() const noexcept {
        return Ticks{static_cast<std::uint32_t>((word_ >> 8U) & kMaxTimeout.count())};
    }
    [[nodiscard]] constexpr unsigned packets() const noexcept {
        return static_cast<unsigned>((word_ >> 32U) & 15U);
    }
    [[nodiscard]] constexpr bool has(ConnectionFlag flag) const noexcept {
        return (word_ & mask(flag)) != 0;
    }
    [[nodiscard]] constexpr Protocol protocol() const noexcept {
        return static_cast<Protocol>((word_ >> 48U) & 0xffU);
    }
    [[nodiscard]] constexpr ForwardingMethod method() const noexcept {
        return static_cast<ForwardingMethod>((word_ >> 56U) & 3U);
    }
    // Family of the client's side, and of the server's side.
    [[nodiscard]] constexpr bool client_is_v6() const noexcept { return bit(58) != 0; }
    [[nodiscard]] constexpr bool server_is_v6() const noexcept { return bit(59) != 0; }
    // Where the words differ of which a key's word 0 holds the wanted values, shifted by 16:
    // protocol, and family on the side of the forward (0) or reply (1) key. 0: nowhere.
    [[nodiscard]] constexpr std::uint64_t differs_from_key(unsigned key,
                                                           std::uint64_t word0) const noexcept {
        constexpr std::uint64_t kForward = (std::uint64_t{0xff} << 48U) | std::uint64_t{1} << 58U;
        constexpr std::uint64_t kReply = (std::uint64_t{0xff} << 48U) | std::uint64_t{1} << 59U;
        return (word_ ^ (word0 << 16U)) & (key == 0 ? kForward : kReply);
    }
    [[nodiscard]] constexpr bool has_reply_key() const noexcept {
        return lb::has_reply_key(method());
    }

    // Each returns a changed copy, to be handed to Connection::change_state.
    [[nodiscard]] constexpr ConnectionState with_lifecycle(Lifecycle lifecycle) const noexcept {
        return field(0, 7U, static_cast<std::uint64_t>(lifecycle));
    }
    [[nodiscard]] constexpr ConnectionState with_protocol_state(std::uint8_t state) const noexcept {
        return field(3, 31U, state);
    }
    [[nodiscard]] constexpr ConnectionState with_timeout(Ticks timeout) const noexcept {
        return field(8, kMaxTimeout.count(), std::min(timeout, kMaxTimeout).count());
    }
    [[nodiscard]] constexpr ConnectionState with_packets(unsigned packets) const noexcept {
        return field(32, 15U, std::min(packets, 15U));
    }
    [[nodiscard]] constexpr ConnectionState with(ConnectionFlag flag) const noexcept {
        return from_word(word_ | mask(flag));
    }
    [[nodiscard]] constexpr ConnectionState without(ConnectionFlag flag) const noexcept {
        return from_word(word_ & ~mask(flag));
    }
    // All flags, or-ed.
    [[nodiscard]] constexpr std::uint16_t flags() const noexcept {
        return static_cast<std::uint16_t>((word_ >> 36U) & 0xfffU);
    }
    // Replaces all flags by these, or-ed.
    [[nodiscard]] constexpr ConnectionState with_flags(std::uint16_t flags) const noexcept {
        return field(36, 0xfffU, flags);
    }
    [[nodiscard]] constexpr ConnectionState with_protocol(Protocol protocol) const noexcept {
        return field(48, 0xffU, static_cast<std::uint64_t>(protocol));
    }
    [[nodiscard]] constexpr ConnectionState with_method(ForwardingMethod method) const noexcept {
        return field(56, 3U, static_cast<std::uint64_t>(method));
    }
    [[nodiscard]] constexpr ConnectionState with_families(bool client_is_v6,
                                                          bool server_is_v6) const noexcept {
        return field(58, 1U, client_is_v6 ? 1U : 0U).field(59, 1U, server_is_v6 ? 1U : 0U);
    }

    friend constexpr bool operator==(ConnectionState, ConnectionState) noexcept = default;

  private:
    static constexpr std::uint64_t mask(ConnectionFlag flag) noexcept {
        return static_cast<std::uint64_t>(flag) << 36U;
    }
    [[nodiscard]] constexpr std::uint64_t bit(unsigned position) const noexcept {
        return (word_ >> position) & 1U;
    }
    [[nodiscard]] constexpr ConnectionState field(unsigned shift, std::uint64_t width,
                                                  std::uint64_t value) const noexcept {
        return from_word((word_ & ~(width << shift)) | ((value & width) << shift));
    }

    std::uint64_t word_ = 0;
};
static_assert(sizeof(ConnectionState) == 8);

}  // namespace pollux::lb
