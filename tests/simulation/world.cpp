// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/world.h"

#include <algorithm>
#include <ostream>
#include <queue>
#include <random>

#include "tests/simulation/forgery.h"

namespace pollux::vrrp::simulation {
namespace {

enum class Kind : std::uint8_t { Delivery, Wake, FaultBegins, FaultEnds, Forgery };

// `subject`: the receiving node, the node to wake, or the fault's position.
struct Appointment {
    Duration when{};
    std::uint64_t order = 0;
    Kind kind{};
    std::uint32_t subject = 0;
    std::uint32_t frame = 0;  // Delivery: position in the frames of this run
    bool operator>(const Appointment& other) const {
        return std::pair(when, order) > std::pair(other.when, other.order);
    }
};

struct Frame {
    unsigned segment = 0;
    Bytes bytes;
};

struct Disturbance {
    const FaultEvent* event = nullptr;
    Duration when{};
};

class World {
  public:
    World(const Scenario& scenario, Mutant mutant, std::ostream* trace)
        : scenario_(scenario),
          trace_(trace),
          random_(scenario.seed ^ 0x5eedU),
          active_(scenario.faults.size()),
          invariants_(scenario) {
        for (unsigned i = 0; i < scenario.nodes.size(); ++i) {
            nodes_.emplace_back(scenario, i, mutant);
        }
        truth_.connected = [this](unsigned segment, unsigned a, unsigned b) {
            return a == b || (link_up(segment, a, b) && link_up(segment, b, a));
        };
        truth_.healthy = [this](unsigned node, unsigned segment) {
            return is_healthy(node, segment);
        };
        truth_.last_foreign_disturbance = [this](unsigned node) {
            return last_foreign_disturbance(node);
        };
        truth_.faulty = [this](unsigned node, unsigned segment) {
            return nodes_[node].sleepers == 0 &&
                   (any_active(FaultKind::TrackScript, node) || interface_down(segment, node));
        };
    }

    Outcome run();

  private:
    void at(Duration when, Kind kind, std::size_t subject, std::size_t frame = 0) {
        agenda_.push({when, next_order_++, kind, static_cast<std::uint32_t>(subject),
                      static_cast<std::uint32_t>(frame)});
    }
    void handle(const Appointment& next);
    void deliver(unsigned to, const Frame& frame);
    void wake(Node& node);
    void fault_edge(std::size_t fault, bool begins);
    void forge_once(std::size_t fault);
    void settle(Node& node);
    void send(unsigned from, const OutFrame& frame);
    void deliver_later(unsigned to, std::size_t frame);
    void reconcile(unsigned node);
    void begin(const FaultEvent& event);
    void wake_up(Node& node);
    void tell(const Deed& deed);
    void note_disturbance(const FaultEvent& event, bool begins);
    [[nodiscard]] bool link_up(unsigned segment, unsigned from, unsigned to) const;
    [[nodiscard]] bool any_active(FaultKind kind, unsigned node) const;
    [[nodiscard]] bool any_active(FaultKind kind) const;
    [[nodiscard]] bool interface_down(unsigned segment, unsigned node) const;
    [[nodiscard]] bool is_healthy(unsigned node, unsigned segment) const;
    [[nodiscard]] Duration last_foreign_disturbance(unsigned node) const;
    [[nodiscard]] bool is_lossy() const { return any_active(FaultKind::Loss); }

    const Scenario& scenario_;
    std::ostream* trace_;
    std::mt19937_64 random_;
    std::priority_queue<Appointment, std::vector<Appointment>, std::greater<>> agenda_;
    std::uint64_t next_order_ = 0;
    std::vector<Node> nodes_;
    std::vector<Frame> frames_;
    std::vector<bool> active_;
    std::vector<Disturbance> disturbances_;
    Truth truth_;
    Invariants invariants_;
    Outcome outcome_;
};

Outcome World::run() {
    for (Node& node : nodes_) {
        node.boot(truth_.now);
        node.start(truth_.now);
        settle(node);
    }
    for (std::size_t i = 0; i < scenario_.faults.size(); ++i) {
        at(scenario_.faults[i].start, Kind::FaultBegins, i);
    }
    while (!agenda_.empty() && !invariants_.violation()) {
        const Appointment next = agenda_.top();
        if (next.when > scenario_.horizon) break;
        agenda_.pop();
        truth_.now = std::max(truth_.now, next.when);
        truth_.lossy = is_lossy();
        truth_.one_way = any_active(FaultKind::OneWay);
        ++outcome_.events;
        handle(next);
        invariants_.check_world(truth_, nodes_);
    }
    outcome_.violation = invariants_.violation();
    return outcome_;
}

void World::handle(const Appointment& next) {
    switch (next.kind) {
        case Kind::Delivery:
            deliver(next.subject, frames_[next.frame]);
            break;
        case Kind::Wake:
            wake(nodes_[next.subject]);
            break;
        case Kind::FaultBegins:
            fault_edge(next.subject, true);
            break;
        case Kind::FaultEnds:
            fault_edge(next.subject, false);
            break;
        case Kind::Forgery:
            forge_once(next.subject);
            break;
    }
}

// --- LAN --------------------------------------------------------------------------------------

bool World::link_up(unsigned segment, unsigned from, unsigned to) const {
    if (interface_down(segment, from) || interface_down(segment, to)) return false;
    for (std::size_t i = 0; i < active_.size(); ++i) {
        const FaultEvent& event = scenario_.faults[i];
        if (!active_[i] || (event.segment != kSegments && event.segment != segment)) continue;
        const bool from_in = ((event.mask >> from) & 1U) != 0;
        const bool to_in = ((event.mask >> to) & 1U) != 0;
        if (event.kind == FaultKind::Partition && from_in != to_in) return false;
        if (event.kind == FaultKind::OneWay && from == event.node && to_in) return false;
    }
    return true;
}

void World::deliver_later(unsigned to, std::size_t frame) {
    const auto span =
        static_cast<std::uint64_t>((scenario_.max_delay - scenario_.min_delay).count());
    const Duration delay =
        scenario_.min_delay + Duration(static_cast<std::int64_t>(random_() % (span + 1)));
    at(truth_.now + delay, Kind::Delivery, to, frame);
}

void World::send(unsigned from, const OutFrame& out) {
    frames_.push_back({out.segment, out.bytes});
    const std::size_t frame = frames_.size() - 1;
    for (unsigned to = 0; to < nodes_.size(); ++to) {
        const bool meant = out.destination.is_multicast() ||
                           out.destination == node_address(out.destination.family, to);
        if (to == from || !meant || !link_up(out.segment, from, to)) continue;
        ++outcome_.frames;
        const auto lot = static_cast<double>(random_() % 1000) / 1000;
        if (is_lossy() && lot < scenario_.loss) continue;
        deliver_later(to, frame);
        if (is_lossy() && random_() % 10 == 0) deliver_later(to, frame);
    }
}

void World::deliver(unsigned to, const Frame& frame) {
    Node& node = nodes_[to];
    if (!node.running()) return;
    if (node.sleepers != 0) {
        if (node.backlog.size() < 256) node.backlog.emplace_back(frame.segment, frame.bytes);
        return;
    }
    node.receive(frame.segment, frame.bytes, truth_.now);
    settle(node);
}

void World::forge_once(std::size_t fault) {
    if (!active_[fault]) return;
    for (unsigned segment = 0; segment < scenario_.segments; ++segment) {
        const InstanceConfig& victim = scenario_.nodes[0].instances[segment];
        frames_.push_back({segment, forge(victim, random_())});
        for (unsigned to = 0; to < nodes_.size(); ++to) deliver_later(to, frames_.size() - 1);
    }
    at(truth_.now + scenario_.interval / 7, Kind::Forgery, fault);
}

// --- nodes ------------------------------------------------------------------------------------

void World::wake(Node& node) {
    const auto due = node.wake_time();
    if (node.sleepers != 0 || !due || *due > truth_.now) return;
    node.timers(truth_.now);
    invariants_.after_timers(node, truth_);
    settle(node);
}

// After every event of a node: its frames go out, its deeds are judged, its alarm is set.
void World::settle(Node& node) {
    const std::vector<Deed> deeds = node.take_deeds();
    for (const Deed& deed : deeds) tell(deed);
    invariants_.after(node, deeds, truth_, nodes_);
    for (const OutFrame& frame : node.take_frames()) send(node.index(), frame);
    if (const auto due = node.wake_time()) {
        at(std::max(*due, truth_.now + Duration(1)), Kind::Wake, node.index());
    }
}

bool World::is_healthy(unsigned node, unsigned segment) const {
    if (!nodes_[node].running() || nodes_[node].sleepers != 0) return false;
    if (any_active(FaultKind::TrackScript, node)) return false;
    for (unsigned each = 0; each < scenario_.segments; ++each) {
        if (!scenario_.grouped && each != segment) continue;
        const Instance& instance = nodes_[node].instance(each);
        if (instance.faults().any() || instance.state() == State::Init ||
            interface_down(each, node)) {
            return false;
        }
    }
    return true;
}

Duration World::last_foreign_disturbance(unsigned node) const {
    Duration last{};
    for (const Disturbance& each : disturbances_) {
        const bool own = each.event->node == node && (each.event->kind == FaultKind::Crash ||
                                                      each.event->kind == FaultKind::Stop ||
                                                      each.event->kind == FaultKind::TrackScript ||
                                                      each.event->kind == FaultKind::InterfaceDown);
        if (!own) last = std::max(last, each.when);
    }
    return last;
}

void World::tell(const Deed& deed) {
    const auto* log = std::get_if<LogTransition>(&deed.action);
    if (log == nullptr) return;
    ++outcome_.transitions;
    if (trace_ == nullptr) return;
    *trace_ << "  " << static_cast<double>(truth_.now.count()) / 1e6 << "ms node " << deed.node
            << " segment " << deed.segment << ": " << to_string(log->from) << " -> "
            << to_string(log->to) << " (" << to_string(log->cause) << " " << log->peer.to_string()
            << ")\n";
}

// --- faults -----------------------------------------------------------------------------------

bool World::any_active(FaultKind kind, unsigned node) const {
    for (std::size_t i = 0; i < active_.size(); ++i) {
        const FaultEvent& event = scenario_.faults[i];
        if (active_[i] && event.kind == kind && event.node == node) return true;
    }
    return false;
}

bool World::any_active(FaultKind kind) const {
    for (std::size_t i = 0; i < active_.size(); ++i) {
        if (active_[i] && scenario_.faults[i].kind == kind) return true;
    }
    return false;
}

bool World::interface_down(unsigned segment, unsigned node) const {
    for (std::size_t i = 0; i < active_.size(); ++i) {
        const FaultEvent& event = scenario_.faults[i];
        if (active_[i] && event.kind == FaultKind::InterfaceDown && event.node == node &&
            (event.segment == kSegments || event.segment == segment)) {
            return true;
        }
    }
    return false;
}

// Reloads and forgeries are no disturbance: nothing may come of them.
void World::note_disturbance(const FaultEvent& event, bool begins) {
    if (event.kind == FaultKind::Reload || event.kind == FaultKind::Forgery) return;
    truth_.last_disturbance = truth_.now;
    if (event.kind == FaultKind::Loss && !begins) {
        truth_.last_disturbance += scenario_.max_delay;
    }
    truth_.stalled_recently = event.kind == FaultKind::Stall;
    disturbances_.push_back({&event, truth_.last_disturbance});
}

void World::fault_edge(std::size_t fault, bool begins) {
    const FaultEvent& event = scenario_.faults[fault];
    note_disturbance(event, begins);
    active_[fault] = begins;
    if (trace_ != nullptr) {
        *trace_ << "  " << static_cast<double>(truth_.now.count()) / 1e6 << "ms fault " << fault
                << (begins ? " begins\n" : " ends\n");
    }
    if (begins) {
        begin(event);
        if (event.kind == FaultKind::Forgery) at(truth_.now, Kind::Forgery, fault);
        at(truth_.now + event.length, Kind::FaultEnds, fault);
    } else if (event.kind == FaultKind::Stall) {
        wake_up(nodes_[event.node]);
        return;
    }
    reconcile(event.node);
}

void World::begin(const FaultEvent& event) {
    Node& node = nodes_[event.node];
    if (event.kind == FaultKind::Stall) {
        ++node.sleepers;
        invariants_.was_asleep(event.node);
        return;
    }
    if (!node.running() || node.sleepers != 0) return;
    if (event.kind == FaultKind::StepDown) {
        const unsigned segment = event.segment == kSegments ? 0 : event.segment;
        node.step_down(segment, event.length, truth_.now);
        settle(node);
    } else if (event.kind == FaultKind::Reload) {
        node.reload(truth_.now);
        settle(node);
    }
}

// First everything that came meanwhile, then what became of the node's own health, then the timers:
// as the runner does.
void World::wake_up(Node& node) {
    if (--node.sleepers != 0) return;
    invariants_.was_asleep(node.index());
    while (node.running() && !node.backlog.empty()) {
        const auto [segment, frame] = node.backlog.front();
        node.backlog.pop_front();
        node.receive(segment, frame, truth_.now);
    }
    reconcile(node.index());
    wake(node);
}

// Brings a node in line with the faults that are active for it.
void World::reconcile(unsigned index) {
    Node& node = nodes_[index];
    const bool dead = any_active(FaultKind::Crash, index);
    const bool stopped = any_active(FaultKind::Stop, index);
    if (node.running() && dead) {
        node.kill();
        invariants_.forget(index);
    }
    if (node.sleepers != 0) return;
    if (node.running() && stopped) {
        node.stop(truth_.now);
        settle(node);
        node.kill();
        invariants_.forget(index);
    }
    const bool boots = !node.running() && !dead && !stopped;
    if (boots) node.boot(truth_.now);
    if (!node.running()) return;
    const bool script = any_active(FaultKind::TrackScript, index);
    for (unsigned segment = 0; segment < scenario_.segments; ++segment) {
        node.set_fault(segment, vrrp::Fault::InterfaceDown, interface_down(segment, index),
                       truth_.now);
        node.set_fault(segment, vrrp::Fault::TrackScript, script, truth_.now);
    }
    node.set_priority_loss(any_active(FaultKind::LowerPriority, index) ? 60 : 0, truth_.now);
    if (boots) node.start(truth_.now);
    settle(node);
}

}  // namespace

Outcome simulate(const Scenario& scenario, Mutant mutant, std::ostream* trace) {
    return World(scenario, mutant, trace).run();
}

}  // namespace pollux::vrrp::simulation
