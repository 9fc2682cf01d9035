// SPDX-License-Identifier: Apache-2.0
#pragma once

// The choice of a real server for a new connection. A ServiceScheduler is the immutable view of one
// service in a snapshot; the little that changes with each choice (positions, the lblc and lblcr
// caches) lives in the SchedulerState that it shares with its successors in later snapshots.
// Control thread: build_scheduler. Workers: schedule, from any number of threads, without locks.
// With one worker the sequence of choices is the kernel's, with several the shares converge.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/lb/ids.h"
#include "dataplane/lb/server_load.h"
#include "dataplane/lb/spec.h"
#include "dataplane/lb/time.h"
#include "dataplane/net/ip_address.h"

namespace pollux::lb {

struct SchedulerState;
struct ServiceScheduler;

// What a scheduler may look at. Addresses and port are those of the client's packet; for an ICMP
// error that opens a connection they are those of the quoted packet, reversed.
struct ScheduleInput {
    net::IpAddress client;
    net::IpAddress destination;     // the packet's destination, also for a firewall-mark service
    std::uint16_t client_port = 0;  // host order; 0 when the protocol has none
    TimePoint now{};
};

// A real server of a service: a position in walk order. LVS adds at the head of its list, so walk
// order is the reverse of the order in which servers were added.
inline constexpr std::uint32_t kNoTarget = 0xffffffff;

using PickFunction = std::uint32_t (*)(const ServiceScheduler&, const ScheduleInput&,
                                       ServerLoads) noexcept;

struct SchedulerTarget {
    RealServerId id{};
    std::uint32_t weight = 0;  // 0 = quiesced: no new connections
};

// A real server as the builder of a snapshot knows it.
struct SchedulerServer {
    RealServerId id{};
    net::IpAddress address;
    std::uint16_t port = 0;         // host order
    std::uint16_t weight = 1;       // as applied
    std::uint16_t last_weight = 1;  // the latest weight other than 0 since it was added, if any
    std::uint32_t edits = 0;        // counts edits of any kind: LVS's positions react to each

    bool operator==(const SchedulerServer&) const = default;
};

// Immutable once built.
struct ServiceScheduler {
    PickFunction pick = nullptr;
    std::vector<SchedulerTarget> targets;  // in walk order
    std::vector<std::uint16_t> slots;      // dh, sh, mh: positions in `targets`, or kEmptySlot
    std::uint32_t max_weight = 0;          // wrr: largest weight - (step - 1); 0 = nothing to give
    std::uint32_t step = 1;                // wrr: greatest common divisor of the weights
    std::uint64_t initial_position = 0;    // rr, wrr: where the sequence goes on in this version
    Duration expiration{};                 // lblc, lblcr: idle time of a cache entry
    SchedulerKind kind = SchedulerKind::Rr;
    SchedulerFlags flags;
    std::vector<std::uint32_t> by_id;      // lblc, lblcr: positions in `targets`, ordered by id
    std::vector<SchedulerServer> servers;  // what this was built from, in walk order
    std::shared_ptr<SchedulerState> state;
};

inline constexpr std::uint16_t kEmptySlot = 0xffff;
// Positions must fit a slot and a position word.
inline constexpr std::uint32_t kMaxServersPerService = 65534;

struct SchedulerConfig {
    SchedulerKind kind = SchedulerKind::Wlc;
    SchedulerFlags flags;
    Duration expiration{};                     // lblc_expiration or lblcr_expiration
    std::span<const SchedulerServer> servers;  // in walk order: the last added first
};

// Builds the scheduler of one service. `previous` is the same service's scheduler in the current
// snapshot (nullptr for a new service): positions and caches go on from there by LVS's rules, as if
// the differences had been made one at a time: deletions, then edits, then additions. When nothing
// differs the sequence goes on undisturbed. A change of `kind` starts afresh.
// Precondition: at most kMaxServersPerService servers. Control thread.
[[nodiscard]] ServiceScheduler build_scheduler(const SchedulerConfig& config,
                                               const ServiceScheduler* previous);

// Chooses a real server for a new connection: a position in `targets`, or kNoTarget. `loads` is
// the data plane's whole array. Does not count the connection: the caller does.
inline std::uint32_t schedule(const ServiceScheduler& scheduler, const ScheduleInput& input,
                              ServerLoads loads) noexcept {
    return scheduler.pick(scheduler, input, loads);
}

}  // namespace pollux::lb
