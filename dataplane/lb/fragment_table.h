// SPDX-License-Identifier: Apache-2.0
#pragma once

// FragmentTable: which datagrams are under way in fragments and what was decided on their first
// one. Nothing is reassembled: later fragments follow the first, those that come too early wait for
// it, those that overlap others spoil the datagram (RFC 5722). One per worker; all sizes fixed.

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/lb/connection.h"
#include "dataplane/lb/drop_reason.h"
#include "dataplane/lb/flow_key.h"
#include "dataplane/lb/packet.h"
#include "dataplane/lb/time.h"
#include "dataplane/net/ip_address.h"

namespace pollux::lb {

inline constexpr unsigned kMaxFragmentRanges = 8;  // disjoint pieces of one datagram
inline constexpr unsigned kMaxParkedPerDatagram = 4;
inline constexpr unsigned kMaxParked = 64;  // of one worker
inline constexpr Duration kFragmentTimeout = std::chrono::seconds(1);

struct FragmentKey {
    net::IpAddress source;
    net::IpAddress destination;
    std::uint32_t id = 0;
    std::uint8_t protocol = 0;  // IPv6: 0, its identification does not depend on it
    bool operator==(const FragmentKey&) const noexcept = default;
};

// Bytes [first, end) of the datagram's payload.
struct FragmentRange {
    std::uint32_t first = 0;
    std::uint32_t end = 0;
};

// What was decided on the first fragment.
enum class FragmentFate : std::uint8_t { Waiting, Follow, Pass, Drop, Punt };

struct Datagram {
    FragmentKey key;
    TimePoint deadline{};
    bool used = false;
    FragmentFate fate = FragmentFate::Waiting;
    DropReason drop_reason = DropReason::None;  // Drop
    PuntReason punt_reason = PuntReason::None;  // Punt
    FlowKey flow;                               // Follow: under which its connection is found
    Connection passing{};                       // Pass: one-packet scheduling, not in the table
    std::uint32_t total = 0;                    // payload length, once the last fragment was seen
    std::uint8_t range_count = 0;
    std::uint8_t parked_count = 0;
    std::array<FragmentRange, kMaxFragmentRanges> ranges{};  // ascending, not touching
    std::array<Packet, kMaxParkedPerDatagram> parked{};

    enum class Addition : std::uint8_t { New, Duplicate, Overlap, TooMany };
    // Notes a fragment; `is_last`: no more fragments behind it.
    Addition add(FragmentRange range, bool is_last) noexcept;
    // All of it has been seen.
    [[nodiscard]] bool is_complete() const noexcept {
        return total != 0 && range_count == 1 && ranges[0].first == 0 && ranges[0].end == total;
    }
};

class FragmentTable {
  public:
    // `capacity`: datagrams at a time; rounded up to a power of two, at least kWays.
    explicit FragmentTable(std::uint32_t capacity);

    // The datagram of the key, new or under way. Null: no place.
    [[nodiscard]] Datagram* take(const FragmentKey& key, TimePoint now) noexcept;
    // Forgets it. Precondition: nothing is parked in it.
    void release(Datagram& datagram) noexcept { datagram.used = false; }

    [[nodiscard]] unsigned parked() const noexcept { return parked_; }
    // False: no more room for waiting fragments.
    bool park(Datagram& datagram, const Packet& packet) noexcept;
    // Hands out one waiting fragment of the datagram. Precondition: it has one.
    [[nodiscard]] Packet unpark(Datagram& datagram) noexcept;

    // The next datagram whose fragments have waited for too long, or null.
    [[nodiscard]] Datagram* next_overdue(TimePoint now) noexcept;

  private:
    static constexpr unsigned kWays = 4;

    std::vector<Datagram> datagrams_;
    std::uint64_t mask_;
    unsigned parked_ = 0;
    std::uint32_t cursor_ = 0;
    TimePoint next_look_{};
};

}  // namespace pollux::lb
