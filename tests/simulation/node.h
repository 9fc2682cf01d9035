// SPDX-License-Identifier: Apache-2.0
#pragma once

// One simulated node: the real RouterSet, a clock of its own, and what a runner would keep (who is
// answered for, what was told). It hands frames out instead of sending them.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "tests/simulation/scenario.h"
#include "vrrp/router_set.h"

namespace pollux::vrrp::simulation {

// What made the node act.
enum class Trigger : std::uint8_t { Boot, Stop, Timer, Receive, Fault, Priority, StepDown, Reload };

using Bytes = std::vector<std::uint8_t>;

// One action of one instance with the circumstances that the invariants look at.
struct Deed {
    unsigned node = 0;
    unsigned segment = 0;
    Trigger trigger{};
    Action action;
    bool was_answering = false;
    State state{};  // after the whole event
};

struct OutFrame {
    unsigned segment = 0;
    net::IpAddress destination;
    Bytes bytes;
};

// What the outside world sees of an instance.
struct Presence {
    bool answering = false;
    bool has_addresses = false;
    std::optional<Notice> told;
    State logged = State::Init;
};

class Node {
  public:
    Node(const Scenario& scenario, unsigned index, Mutant mutant);

    // All times are the simulation's; the node sees its own clock.
    // What is known of its faults is told between the two.
    void boot(Duration now);
    void start(Duration now);
    void kill();
    void stop(Duration now);
    void receive(unsigned segment, const Bytes& frame, Duration now);
    void timers(Duration now);
    void set_fault(unsigned segment, vrrp::Fault fault, bool present, Duration now);
    void set_priority_loss(std::uint8_t loss, Duration now);
    void step_down(unsigned segment, Duration hold, Duration now);
    void reload(Duration now);

    // When to call timers; nothing: never.
    [[nodiscard]] std::optional<Duration> wake_time() const;

    [[nodiscard]] bool running() const { return set_ != nullptr; }
    [[nodiscard]] const Instance& instance(unsigned segment) const;
    [[nodiscard]] const Presence& presence(unsigned segment) const { return presence_[segment]; }
    [[nodiscard]] TimePoint local(Duration now) const;
    [[nodiscard]] const NodeSetup& setup() const { return setup_; }
    [[nodiscard]] unsigned index() const { return index_; }

    // Collected since the last call.
    std::vector<OutFrame> take_frames();
    std::vector<Deed> take_deeds();

    // Frames that wait while the control core sleeps.
    std::deque<std::pair<unsigned, Bytes>> backlog;
    unsigned sleepers = 0;  // overlapping stalls

  private:
    void carry_out(const RoutedActions& actions, Trigger trigger);
    void carry_out_one(unsigned segment, const Action& action, Trigger trigger);
    void emit(unsigned segment, std::uint8_t priority);
    void answer_wrongly();
    [[nodiscard]] std::uint64_t rejected(unsigned segment) const;

    NodeSetup setup_;
    unsigned index_;
    bool grouped_;
    Mutant mutant_;
    std::unique_ptr<RouterSet> set_;
    std::vector<InstanceId> ids_;
    std::vector<Presence> presence_;
    std::vector<OutFrame> frames_;
    std::vector<Deed> deeds_;
    Duration asleep_until_{};  // Mutant::ForgedMovesTimer
};

}  // namespace pollux::vrrp::simulation
