// SPDX-License-Identifier: Apache-2.0
#pragma once

// What happens in one simulated LAN: its nodes, their configuration and the faults, all from one
// seed.

#include <cstdint>
#include <string>
#include <vector>

#include "vrrp/clock.h"
#include "vrrp/instance_config.h"

namespace pollux::vrrp::simulation {

inline constexpr unsigned kSegments = 2;  // two LANs; instance i speaks on LAN i

// Deliberate defects. Each must be found by the invariants, or the invariants are worth nothing.
enum class Mutant : std::uint8_t {
    None,
    KeepsAnswering,    // a former master goes on answering for the addresses
    NoLastWord,        // a loser leaves silently, so the winner does not announce
    ForgedMovesTimer,  // a rejected packet starts the advertisement timer anew (finding F1)
    DeafMaster,        // a master does not hear better ones
    NoGroup,           // the members of a group are not tied together
    PreemptsAnyway,    // nopreempt is ignored
    ReleasesAtWill,    // priority 0 without a reason
    MasterInFault,     // a fault is not heeded
    NeverTakesOver,    // the master-down timer does nothing
    ForgetsToNotify,   // some transitions are not told
    BackupAdvertises,  // a backup sends adverts
    ActsOnReload,      // reading the same configuration again sends an advert
};

enum class FaultKind : std::uint8_t {
    Partition,      // the nodes of `mask` are cut off from the others, both ways
    OneWay,         // `node` is not heard by the nodes of `mask`
    Loss,           // a share of all frames is lost, some come twice
    Stall,          // `node`'s control core sleeps
    Crash,          // `node` dies without a word and starts again later
    Stop,           // `node` is stopped properly and starts again later
    InterfaceDown,  // `node` loses its link to `segment`
    TrackScript,    // `node`'s script fails: a fault
    LowerPriority,  // `node`'s tracking takes priority away
    StepDown,       // the operator's command
    Reload,         // the same configuration again: nothing may happen
    Forgery,        // somebody floods all LANs with adverts that must not be heard
};

struct FaultEvent {
    FaultKind kind{};
    Duration start{};
    Duration length{};  // 0: an instant
    unsigned node = 0;
    unsigned mask = 0;     // bit per node
    unsigned segment = 0;  // Partition, OneWay, InterfaceDown; kSegments: all
};

struct NodeSetup {
    std::vector<InstanceConfig> instances;  // one per segment in use
    std::int64_t clock_ppm = 0;             // how much its clock is fast
};

struct Scenario {
    std::uint64_t seed = 0;
    unsigned segments = 1;
    bool grouped = false;
    Duration interval{};  // the longest of all instances
    Duration min_delay{};
    Duration max_delay{};
    double loss = 0;  // during FaultKind::Loss
    Duration horizon{};
    std::vector<NodeSetup> nodes;
    std::vector<FaultEvent> faults;  // by start
};

[[nodiscard]] Scenario make_scenario(std::uint64_t seed);
[[nodiscard]] std::string describe(const Scenario& scenario);

// The address of a node on every segment.
[[nodiscard]] net::IpAddress node_address(net::Family family, unsigned node);

}  // namespace pollux::vrrp::simulation
