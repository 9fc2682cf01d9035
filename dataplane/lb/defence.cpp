// SPDX-License-Identifier: Apache-2.0

#include "dataplane/lb/defence.h"

#include <algorithm>

#include "dataplane/lb/sctp_state.h"
#include "dataplane/lb/tcp_state.h"

namespace pollux::lb {

namespace {

bool is_on(std::uint8_t mode, bool pressure) noexcept {
    return mode == 3 || (pressure && (mode == 1 || mode == 2));
}

enum class Fate : std::uint8_t { Kept, Dropped, DroppedWhenIdle };

Fate fate_of(ConnectionState state) noexcept {
    if (state.protocol() == Protocol::Tcp) {
        const auto tcp = static_cast<TcpState>(state.protocol_state());
        if (tcp == TcpState::SynRecv || tcp == TcpState::SynAck) return Fate::Dropped;
        return tcp == TcpState::Established ? Fate::DroppedWhenIdle : Fate::Kept;
    }
    if (state.protocol() == Protocol::Sctp) {
        const auto sctp = static_cast<SctpState>(state.protocol_state());
        if (sctp == SctpState::Init1 || sctp == SctpState::Init) return Fate::Dropped;
        return sctp == SctpState::Established ? Fate::DroppedWhenIdle : Fate::Kept;
    }
    return Fate::DroppedWhenIdle;
}

}  // namespace

DefenceLevel defence_level(const SysctlSpec& sysctl, const Pressure& pressure) noexcept {
    const bool scarce = pressure.present();
    DefenceLevel level;
    level.secure_tcp = is_on(sysctl.secure_tcp, scarce);
    level.drop_entry = is_on(sysctl.drop_entry, scarce);
    if (sysctl.drop_packet == 3) {
        level.drop_rate = sysctl.am_droprate;
    } else if (is_on(sysctl.drop_packet, scarce)) {
        // LVS: the scarcer, the more; each packet when nothing is left.
        const std::uint64_t rate = pressure.threshold / (pressure.threshold - pressure.free);
        level.drop_rate = static_cast<std::uint32_t>(std::min<std::uint64_t>(rate, 0xffffffffU));
    }
    return level;
}

bool EntryDropper::drops(ConnectionState state, Ticks idle) noexcept {
    switch (fate_of(state)) {
        case Fate::Kept:
            return false;
        case Fate::Dropped:
            return true;
        case Fate::DroppedWhenIdle:
            break;
    }
    return drops_idle(state, idle);
}

bool EntryDropper::drops_idle(ConnectionState state, Ticks idle) noexcept {
    if (idle < Ticks(std::chrono::seconds(60))) return false;
    const unsigned packets = state.packets();
    if (packets == 0 || packets > kMaxPackets) return false;
    if (left_[packets] > 1) {
        --left_[packets];
        return false;
    }
    left_[packets] = static_cast<std::uint8_t>(packets);
    return true;
}

}  // namespace pollux::lb
