// SPDX-License-Identifier: Apache-2.0
#pragma once

// What must hold at every step, whatever happens on the LAN. The letters are those of the list in
// docs/decisions/vrrp-simulation.md.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/node.h"

namespace pollux::vrrp::simulation {

struct Violation {
    char invariant = '?';
    std::string text;
    Duration when{};
};

// What the world knows and the nodes do not.
struct Truth {
    Duration now{};
    Duration last_disturbance{};
    bool stalled_recently = false;  // the last disturbance was the end of a stall
    bool lossy = false;             // frames may be lost
    bool one_way = false;           // somebody hears and is not heard
    std::function<bool(unsigned segment, unsigned a, unsigned b)> connected;
    // Running, awake and without a reason for FAULT (in a group: on every segment).
    std::function<bool(unsigned node, unsigned segment)> healthy;
    // The last disturbance that was not this node's own death, stop or fault.
    std::function<Duration(unsigned node)> last_foreign_disturbance;
    // Has a reason for FAULT that it must have noticed.
    std::function<bool(unsigned node, unsigned segment)> faulty;
};

class Invariants {
  public:
    explicit Invariants(const Scenario& scenario);

    // After each event of a node, with what it did.
    void after(const Node& node, const std::vector<Deed>& deeds, const Truth& truth,
               const std::vector<Node>& all);
    void after_timers(const Node& node, const Truth& truth);
    // After each event of the world.
    void check_world(const Truth& truth, const std::vector<Node>& all);
    void forget(unsigned node);  // it died or its clock stood still
    void was_asleep(unsigned node);

    [[nodiscard]] const std::optional<Violation>& violation() const { return violation_; }

  private:
    struct Record {
        State state = State::Init;
        std::optional<Duration> master_since;
        std::optional<TimePoint> last_sent;
        Duration last_announced{-1};
        bool slept = false;
    };
    // A loser named its winner: the winner must announce.
    struct Obligation {
        unsigned winner = 0;
        unsigned segment = 0;
        Duration since{};
        Duration due{};
    };

    void fail(char invariant, const std::string& text, Duration when);
    void check_deed(const Node& node, const Deed& deed, const Truth& truth,
                    const std::vector<Node>& all);
    void check_advert(const Node& node, const Deed& deed, std::uint8_t priority,
                      const Truth& truth);
    void check_transition(const Node& node, const Deed& deed, const LogTransition& log,
                          const Truth& truth, const std::vector<Node>& all);
    void check_takeover(const Node& node, unsigned segment, const Truth& truth,
                        const std::vector<Node>& all);
    void check_node(const Node& node, const Truth& truth);
    void check_component(unsigned segment, const std::vector<unsigned>& members, const Truth& truth,
                         const std::vector<Node>& all);
    void check_obligations(const Truth& truth);
    [[nodiscard]] Duration settle_time(const Truth& truth) const;
    [[nodiscard]] bool is_calm(const Truth& truth) const;
    [[nodiscard]] std::vector<std::vector<unsigned>> components(unsigned segment,
                                                                const Truth& truth) const;
    Record& record(unsigned node, unsigned segment);

    const Scenario& scenario_;
    std::map<std::pair<unsigned, unsigned>, Record> records_;
    std::vector<Obligation> obligations_;
    std::optional<Violation> violation_;
};

}  // namespace pollux::vrrp::simulation
