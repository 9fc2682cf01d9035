// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/invariants.h"

#include <algorithm>

namespace pollux::vrrp::simulation {
namespace {

using namespace std::chrono_literals;

Notice notice_of(State state) {
    switch (state) {
        case State::Master:
            return Notice::Master;
        case State::Backup:
            return Notice::Backup;
        case State::Fault:
            return Notice::Fault;
        case State::Init:
            break;
    }
    return Notice::Stop;
}

std::string name(unsigned node, unsigned segment) {
    return "node " + std::to_string(node) + " segment " + std::to_string(segment);
}

}  // namespace

Invariants::Invariants(const Scenario& scenario) : scenario_(scenario) {}

void Invariants::fail(char invariant, const std::string& text, Duration when) {
    if (!violation_) violation_ = Violation{invariant, text, when};
}

Invariants::Record& Invariants::record(unsigned node, unsigned segment) {
    return records_[{node, segment}];
}

void Invariants::forget(unsigned node) {
    for (unsigned segment = 0; segment < scenario_.segments; ++segment) {
        record(node, segment) = {};
    }
}

void Invariants::was_asleep(unsigned node) {
    for (unsigned segment = 0; segment < scenario_.segments; ++segment) {
        record(node, segment).slept = true;
    }
}

// One dead time, and one more for a group whose members wait for each other, and one more for a
// node that does not trust a silence through which it slept; then an interval to tell the loser.
Duration Invariants::settle_time(const Truth& truth) const {
    const unsigned adverts = scenario_.nodes[0].instances[0].down_timer_adverts;
    const Duration dead_time = scenario_.interval * (adverts + 1);
    const int rounds = 1 + (scenario_.grouped ? 1 : 0) + (truth.stalled_recently ? 1 : 0);
    const Duration settle = dead_time * rounds + scenario_.interval + scenario_.max_delay * 4;
    return settle + settle / 20;  // for clocks that are slow
}

bool Invariants::is_calm(const Truth& truth) const {
    return !truth.lossy && !truth.one_way &&
           truth.now - truth.last_disturbance >= settle_time(truth);
}

// --- one node ---------------------------------------------------------------------------------

void Invariants::after(const Node& node, const std::vector<Deed>& deeds, const Truth& truth,
                       const std::vector<Node>& all) {
    for (const Deed& deed : deeds) check_deed(node, deed, truth, all);
    if (node.running()) check_node(node, truth);
}

void Invariants::check_deed(const Node& node, const Deed& deed, const Truth& truth,
                            const std::vector<Node>& all) {
    if (deed.trigger == Trigger::Reload) {
        fail('r', name(deed.node, deed.segment) + " acted on an unchanged configuration",
             truth.now);
    }
    if (const auto* sent = std::get_if<SendAdvert>(&deed.action)) {
        check_advert(node, deed, sent->priority, truth);
    } else if (const auto* log = std::get_if<LogTransition>(&deed.action)) {
        check_transition(node, deed, *log, truth, all);
    } else if (std::holds_alternative<Announce>(deed.action)) {
        record(deed.node, deed.segment).last_announced = truth.now;
        if (!deed.was_answering) {
            fail('c', name(deed.node, deed.segment) + " announced before it answered", truth.now);
        }
    }
}

// (b) no adverts from BACKUP; (f) priority 0 only with a reason; (j) adverts in time.
void Invariants::check_advert(const Node& node, const Deed& deed, std::uint8_t priority,
                              const Truth& truth) {
    Record& past = record(deed.node, deed.segment);
    if (!deed.was_answering && deed.state != State::Master) {
        fail('b', name(deed.node, deed.segment) + " advertised without being master", truth.now);
    }
    const bool may_release = deed.trigger == Trigger::Stop || deed.trigger == Trigger::Fault ||
                             deed.trigger == Trigger::StepDown;
    if (priority == kPriorityRelease && !may_release) {
        fail('f', name(deed.node, deed.segment) + " released without a reason", truth.now);
    }
    const TimePoint now = node.local(truth.now);
    const Duration interval = node.setup().instances[deed.segment].advert_interval;
    if (past.last_sent && past.state == State::Master && !past.slept &&
        now - *past.last_sent > interval + interval / 100) {
        fail('j', name(deed.node, deed.segment) + " let its adverts pause", truth.now);
    }
    past.last_sent = now;
    past.slept = false;
}

// (i) the log is a path of the state machine.
void Invariants::check_transition(const Node& node, const Deed& deed, const LogTransition& log,
                                  const Truth& truth, const std::vector<Node>& all) {
    Record& past = record(deed.node, deed.segment);
    if (log.from != past.state) {
        fail('i', name(deed.node, deed.segment) + " left a state that it was not in", truth.now);
    }
    past.state = log.to;
    past.master_since.reset();
    if (log.to == State::Master) {
        past.master_since = truth.now;
        past.last_sent = node.local(truth.now);
        check_takeover(node, deed.segment, truth, all);
    }
    const bool lost = log.cause == Cause::HigherPriority || log.cause == Cause::HigherAddress;
    if (!lost || truth.lossy || truth.one_way) return;
    for (const Node& winner : all) {
        if (node_address(log.peer.family, winner.index()) != log.peer) continue;
        if (!truth.connected(deed.segment, node.index(), winner.index())) continue;
        const Duration gap = std::clamp<Duration>(scenario_.interval, 100ms, 1s);
        const Duration due = truth.now + gap + gap / 20 + scenario_.max_delay * 3;
        obligations_.push_back({winner.index(), deed.segment, truth.now, due});
    }
}

// (e) a live master is replaced only by a better one, and not at all with nopreempt.
void Invariants::check_takeover(const Node& node, unsigned segment, const Truth& truth,
                                const std::vector<Node>& all) {
    const Duration quiet = truth.now - truth.last_foreign_disturbance(node.index());
    if (truth.lossy || truth.one_way || quiet < settle_time(truth)) return;
    const InstanceConfig& config = scenario_.nodes[node.index()].instances[segment];
    for (const Node& other : all) {
        if (other.index() == node.index() || !truth.healthy(other.index(), segment)) continue;
        if (!truth.connected(segment, node.index(), other.index())) continue;
        const auto since = record(other.index(), segment).master_since;
        if (!since || truth.now - *since < settle_time(truth)) continue;
        const bool better = node.instance(segment).priority() > other.instance(segment).priority();
        const bool may_preempt = !config.nopreempt || config.is_owner();
        if (!better || !may_preempt) {
            fail('e', name(node.index(), segment) + " took over from a live master", truth.now);
        }
    }
}

// (t) a timer that fired is set anew or gone, or the runner would spin.
void Invariants::after_timers(const Node& node, const Truth& truth) {
    const auto wake = node.wake_time();
    if (wake && *wake <= truth.now) {
        fail('t', "node " + std::to_string(node.index()) + " spins on its timer", truth.now);
    }
}

void Invariants::check_node(const Node& node, const Truth& truth) {
    for (unsigned segment = 0; segment < scenario_.segments; ++segment) {
        const Instance& instance = node.instance(segment);
        const Presence& presence = node.presence(segment);
        const bool master = instance.state() == State::Master;
        const std::string who = name(node.index(), segment);
        if (master && truth.faulty(node.index(), segment)) {
            fail('b', who + " is master in fault", truth.now);
        }
        if (presence.answering != master || presence.has_addresses != master) {
            fail('c', who + " answers for the addresses unlike its state", truth.now);
        }
        if (scenario_.grouped && instance.state() != node.instance(0).state()) {
            fail('d', who + " is not in the state of its group", truth.now);
        }
        if (presence.logged != instance.state()) fail('i', who + " did not log", truth.now);
        if (presence.told && *presence.told != notice_of(instance.state())) {
            fail('i', who + " told another state than its own", truth.now);
        }
    }
}

// --- all nodes --------------------------------------------------------------------------------

void Invariants::check_world(const Truth& truth, const std::vector<Node>& all) {
    check_obligations(truth);
    if (!is_calm(truth)) return;
    std::vector<std::vector<std::vector<unsigned>>> per_segment;
    for (unsigned segment = 0; segment < scenario_.segments; ++segment) {
        per_segment.push_back(components(segment, truth));
    }
    // A group whose LANs are cut differently may be served by nobody on one of them.
    if (scenario_.grouped && per_segment[0] != per_segment[1]) return;
    for (unsigned segment = 0; segment < scenario_.segments; ++segment) {
        for (const auto& members : per_segment[segment]) {
            check_component(segment, members, truth, all);
        }
    }
}

// (a) at most one master, (g) at least one.
void Invariants::check_component(unsigned segment, const std::vector<unsigned>& members,
                                 const Truth& truth, const std::vector<Node>& all) {
    unsigned masters = 0;
    unsigned settled = 0;
    for (const unsigned node : members) {
        if (all[node].instance(segment).state() != State::Master) continue;
        ++masters;
        const auto since = record(node, segment).master_since;
        // One that preempts is a master before the other has heard of it.
        if (since && truth.now - *since > scenario_.max_delay * 2) ++settled;
    }
    if (settled > 1) {
        fail('a', std::to_string(settled) + " masters on segment " + std::to_string(segment),
             truth.now);
    }
    if (masters == 0) {
        fail('g',
             "no master on segment " + std::to_string(segment) + " among " +
                 std::to_string(members.size()) + " nodes",
             truth.now);
    }
}

// (h) after two masters, the winner announces the addresses again.
void Invariants::check_obligations(const Truth& truth) {
    std::erase_if(obligations_, [&](const Obligation& obligation) {
        const Record& winner = record(obligation.winner, obligation.segment);
        const bool disturbed = truth.last_disturbance >= obligation.since || truth.lossy;
        const bool moot = !truth.healthy(obligation.winner, obligation.segment) ||
                          !winner.master_since || *winner.master_since > obligation.since;
        if (disturbed || moot || winner.last_announced >= obligation.since) return true;
        if (truth.now < obligation.due) return false;
        fail('h', name(obligation.winner, obligation.segment) + " won and did not announce",
             truth.now);
        return true;
    });
}

// Healthy nodes that hear each other, in order of their smallest member.
std::vector<std::vector<unsigned>> Invariants::components(unsigned segment,
                                                          const Truth& truth) const {
    std::vector<std::vector<unsigned>> result;
    for (unsigned node = 0; node < scenario_.nodes.size(); ++node) {
        if (!truth.healthy(node, segment)) continue;
        const auto hears = [&](const std::vector<unsigned>& members) {
            return truth.connected(segment, members.front(), node);
        };
        const auto home = std::ranges::find_if(result, hears);
        if (home == result.end()) {
            result.push_back({node});
        } else {
            home->push_back(node);
        }
    }
    return result;
}

}  // namespace pollux::vrrp::simulation
