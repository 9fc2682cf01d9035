// SPDX-License-Identifier: Apache-2.0
#pragma once

// LVS's defences against floods as logic without tables: drop_packet, drop_entry, secure_tcp. The
// control thread evaluates the level once a second and when a sysctl changes; workers keep a
// PacketDropper each, whoever sweeps keeps an EntryDropper.

#include <array>
#include <cstdint>

#include "dataplane/lb/connection_state.h"
#include "dataplane/lb/spec.h"
#include "dataplane/lb/tick.h"

namespace pollux::lb {

// How full the connection table is. LVS looks at the machine's free pages; what runs out here is
// the table.
struct Pressure {
    std::uint64_t free = 0;       // records still to be had
    std::uint64_t threshold = 0;  // pressure begins below this many (LVS: amemthresh)

    [[nodiscard]] constexpr bool present() const noexcept { return free < threshold; }
};

struct DefenceLevel {
    bool secure_tcp = false;
    bool drop_entry = false;
    std::uint32_t drop_rate = 0;  // each n-th new packet is dropped; 0 = none

    friend constexpr bool operator==(const DefenceLevel&, const DefenceLevel&) noexcept = default;
};

// Modes of the three sysctls: 0 off, 1 and 2 only under pressure, 3 always.
[[nodiscard]] DefenceLevel defence_level(const SysctlSpec& sysctl,
                                         const Pressure& pressure) noexcept;

// What a sysctl reads back: LVS shows an automatic defence as 2 while it is on and as 1 otherwise.
[[nodiscard]] constexpr std::uint8_t shown_mode(std::uint8_t mode,
                                                const Pressure& pressure) noexcept {
    if (mode == 0 || mode == 3) return mode;
    return pressure.present() ? 2 : 1;
}

// Drops each n-th of the packets that would open a connection, beginning with the first.
class PacketDropper {
  public:
    [[nodiscard]] bool drops_next(std::uint32_t rate) noexcept {
        if (rate == 0) return false;
        if (left_ > 1) {
            --left_;
            return false;
        }
        left_ = rate;
        return true;
    }

  private:
    std::uint32_t left_ = 0;
};

// Share of the table that drop_entry looks at each second.
inline constexpr unsigned kDropEntryShare = 32;

// drop_entry's choice among connections: half-open ones at once; established, UDP and others when
// idle for a minute and with at most eight packets of the client, of those with n packets each
// n-th; connections on their way out never.
class EntryDropper {
  public:
    // `idle` is the time since the last packet; the packet count is the state word's. Call it for
    // connections without templates: a template goes only when not ASSURED and unused.
    [[nodiscard]] bool drops(ConnectionState state, Ticks idle) noexcept;

  private:
    static constexpr unsigned kMaxPackets = 8;

    bool drops_idle(ConnectionState state, Ticks idle) noexcept;

    std::array<std::uint8_t, kMaxPackets + 1> left_{};
};

}  // namespace pollux::lb
