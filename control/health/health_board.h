// SPDX-License-Identifier: Apache-2.0
#pragma once

// HealthBoard: all decisions about real servers and services: from what the checks say to who
// serves with which weight. Takes (event, now), writes ServerStates, returns what changed. No I/O,
// no clock; control thread.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "control/config/config.h"
#include "control/health/flap_guard.h"
#include "control/health/quorum.h"
#include "control/health/schedule.h"
#include "control/spec/server_states.h"
#include "dataplane/lb/time.h"

namespace pollux::control {

// What a check says after a try.
struct CheckReading {
    bool up = true;
    bool decided = false;                 // a try has led to a verdict at least once
    std::optional<std::uint16_t> weight;  // instead of the configured one (misc_dynamic)
    int weight_change = 0;                // added to it (FILE_CHECK)
    std::string cause;                    // "TCP_CHECK 10.0.0.2:80: connection refused"
    bool operator==(const CheckReading&) const = default;
};

enum class HealthChangeKind : std::uint8_t {
    ServerUp,
    ServerDown,
    ServerHeld,    // good again, but kept out because it flapped
    ServerWeight,  // a check set another weight
    QuorumUp,
    QuorumLost,
};

struct HealthChange {
    HealthChangeKind kind{};
    ServerKey server;         // for QuorumUp and QuorumLost only its service
    bool initial = false;     // the first verdict: told only with rs_init_notifies
    std::uint64_t value = 0;  // ServerWeight: the weight; quorum: the living weight
    std::string cause;
};
using HealthChanges = std::vector<HealthChange>;

class HealthBoard {
  public:
    // `states` outlives the board, which alone writes what checks decide there.
    explicit HealthBoard(ServerStates& states) : states_(&states) {}

    // --- configuration --------------------------------------------------------------------------
    struct NewCheck {
        CheckId id{};
        CheckConfig config;
        bool up = true;  // what counts until its first verdict
    };
    struct Checks {
        std::vector<NewCheck> added;
        std::vector<CheckId> removed;
    };
    // Begins to take `config` over, which lives until that has ended. Services, servers and checks
    // that did not change keep their state; states of servers that are gone are forgotten.
    // `kept[i]`: service i of the configuration is as it was, word for word; empty: none is.
    void begin(const Config& config, const std::vector<bool>& kept);
    // Takes over services with about `budget` servers, at least one service. Until the end each
    // service is either as before or as the configuration wants it. False: nothing is left.
    bool take_over(std::size_t budget, lb::TimePoint now, Checks& checks, HealthChanges& changes);
    [[nodiscard]] bool taking_over() const { return next_ != nullptr; }
    // Both at once.
    Checks configure(const Config& config, lb::TimePoint now, HealthChanges& changes);
    // States for servers that a reload adds, ahead of it: the snapshot that it publishes shall not
    // send connections to a server that must first prove itself. Harmless when refused.
    void prepare(const std::vector<ServerKey>& unproven);

    // --- events ---------------------------------------------------------------------------------
    HealthChanges read(CheckId check, const CheckReading& reading, lb::TimePoint now);
    // Held servers and ramps whose time has come.
    HealthChanges tick(lb::TimePoint now);
    // Maybe earlier than needed, never later.
    [[nodiscard]] std::optional<lb::TimePoint> next_tick() const { return earliest_; }
    // Somebody changed the states beside the board (`pollux server drain`).
    HealthChanges reconsider(lb::TimePoint now);

    // Whether any service that uses the check is not suspended.
    [[nodiscard]] bool wanted(CheckId check) const;
    [[nodiscard]] std::vector<ServerKey> servers_of(CheckId check) const;
    void set_suspended(const VirtualServerKey& service, bool suspended);

    // True once after something that needs a new snapshot.
    [[nodiscard]] bool take_dirty() { return std::exchange(dirty_, false); }

    // --- views ----------------------------------------------------------------------------------
    struct Server {
        ServerKey key;
        std::uint16_t configured_weight = 1;
        std::vector<CheckId> checks;
        bool good = true;   // all checks say so
        bool alive = true;  // it serves
        bool decided = false;
        lb::TimePoint since{};  // alive or dead since
        std::string cause;      // of the last change
        FlapGuard flaps;
        std::optional<lb::TimePoint> held_until;
        std::optional<lb::TimePoint> ramp_since;
        std::uint64_t downs = 0;
    };
    struct Service {
        VirtualServerKey key;
        std::vector<Server> servers;
        Quorum quorum{1, 0, true};
        std::uint64_t living_weight = 0;
        Duration slow_start{};
        FlapLimits flap_limits;
        bool init_notifies = false;
        bool suspended = false;
        bool configured = false;                 // once at least
        std::optional<lb::TimePoint> next_step;  // of its ramps
    };
    // In the configuration's order.
    [[nodiscard]] const std::vector<std::unique_ptr<Service>>& services() const {
        return services_;
    }

  private:
    struct Check {
        std::string key;
        CheckReading reading;
        std::vector<std::pair<Service*, std::uint32_t>> users;  // and the server's position
    };

    void take_service(const VirtualServerConfig& config, Service& service, Checks& checks);
    Server make_server(const VirtualServerConfig& service, const RealServerConfig& config,
                       const Server* known, Checks& checks);
    CheckId take_check(const CheckConfig& config, bool may_start_up, Checks& checks);
    // The server's checks lose `service` as their user, and may have no other.
    void leave_checks(const Service& service, const Server& server);
    void forget_servers(const std::vector<Server>& before, const std::vector<Server>& now);
    void drop_suspects(std::size_t budget, Checks& checks);
    void note_time(const std::optional<lb::TimePoint>& time);

    void judge(Service& service, Server& server, lb::TimePoint now, HealthChanges& changes);
    void server_down(Service& service, Server& server, lb::TimePoint now, HealthChanges& changes);
    void server_up(Service& service, Server& server, lb::TimePoint now, HealthChanges& changes);
    void set_weight(Service& service, Server& server, HealthChanges& changes);
    void settle(Service& service, lb::TimePoint now, HealthChanges& changes);
    void set_ramps(Service& service, lb::TimePoint now);
    [[nodiscard]] std::string cause_of(const Server& server) const;

    ServerStates* states_;
    std::vector<std::unique_ptr<Service>> services_;
    std::map<VirtualServerKey, Service*> by_key_;
    std::optional<lb::TimePoint> earliest_;  // of everything that tick() looks for
    // While a configuration is taken over:
    const Config* next_ = nullptr;
    std::vector<bool> kept_;
    std::size_t position_ = 0;                       // of the next service
    std::vector<std::unique_ptr<Service>> leaving_;  // not in it any more
    std::vector<CheckId> suspects_;                  // may have lost their last user
    std::vector<std::optional<Check>> checks_;       // by CheckId
    std::vector<CheckId> free_checks_;
    std::map<std::string, CheckId, std::less<>> check_by_key_;
    bool dirty_ = false;
};

}  // namespace pollux::control
