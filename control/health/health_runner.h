// SPDX-License-Identifier: Apache-2.0
#pragma once

// HealthRunner: the shell around health checks. Runs the probes when they are due, gives what they
// see to the HealthBoard, and carries its decisions out: server states, log, events, notify
// commands. Control thread; a turn of the loop does a bounded amount of work, so that adverts are
// never late because of checks.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "control/curl/curl_loop.h"
#include "control/curl/trust_stores.h"
#include "control/director/extension.h"
#include "control/health/check_state.h"
#include "control/health/connect_poller.h"
#include "control/health/health_board.h"
#include "control/health/lateness.h"
#include "control/health/probe.h"
#include "control/health/server_notifier.h"
#include "control/health/try_limit.h"
#include "control/loop/event_loop.h"

namespace pollux::control {

class Director;

class HealthRunner final : public Extension {
  public:
    // All outlive it. Takes the configuration's checks up; they run from start() on.
    HealthRunner(Director& director, ScriptRunner& scripts, CurlLoop& curl);
    ~HealthRunner() override;

    void start();

    // Gets each line for lvs_notify_fifo. Set before start().
    std::function<void(const std::string& line)> on_fifo_line;

    // --- Extension ------------------------------------------------------------------------------
    Status check(const ReloadPlan& next) override;
    void reloaded(const Config& before, const ReloadPlan& next) override;
    void stopping() override;

    // --- the operator ---------------------------------------------------------------------------
    // Somebody changed weights beside the checks.
    void weights_changed();
    // One try now of each check that `name` means: its description, a type, or a server's address
    // or endpoint. Their results count. `done` is called once for each, later. Returns how many.
    using TryDone = std::function<void(const std::string& check, const ProbeResult&, Duration)>;
    std::size_t run_now(const std::string& name, const TryDone& done);

    // --- views ----------------------------------------------------------------------------------
    struct CheckView {
        const CheckConfig* config = nullptr;
        std::vector<ServerKey> servers;
        bool up = true;
        bool decided = false;
        bool running = false;
        bool suspended = false;
        std::string last;  // what the last try saw
        std::optional<Duration> last_took;
        std::optional<lb::TimePoint> next_try;
        std::uint64_t tries = 0;
        std::uint64_t failures = 0;
        std::uint64_t failures_in_row = 0;
        std::optional<int> certificate_days;
    };
    // In pieces: looks at up to `budget` checks from `cursor` on and moves it; 0 at the end.
    [[nodiscard]] std::vector<CheckView> checks(std::uint64_t& cursor, unsigned budget) const;
    [[nodiscard]] const HealthBoard& board() const { return board_; }
    struct Totals {
        std::uint64_t tries = 0;
        std::uint64_t failures = 0;
        std::uint64_t late_tries = 0;       // began more than kLate after their time
        std::uint64_t stretched_tries = 0;  // their limit grew, because the loop was late
        Lateness lateness;                  // of the beginnings
        // Checks that say so now.
        std::uint64_t down = 0;
        std::uint64_t undecided = 0;
    };
    // Since the start, checks that are gone included.
    [[nodiscard]] const Totals& totals() const { return totals_; }
    [[nodiscard]] std::size_t running() const { return running_; }
    [[nodiscard]] const ServerNotifier& notifier() const { return notifier_; }

  private:
    struct Entry;

    void configure(const Config& config, const std::vector<bool>& kept);
    // A piece of it. False: nothing is left.
    bool configure_on();
    void configure_later();
    void count(const Entry& entry, int sign);
    void add_entry(const HealthBoard::NewCheck& check);
    void turn();
    void set_timer();
    void arm(lb::TimePoint at);
    bool begin(Entry& entry, lb::TimePoint now);
    [[nodiscard]] Result<ProbeTry> make_try(const Entry& entry);
    void finish(Entry& entry, ProbeResult result);
    void set_limit(Entry& entry, lb::TimePoint now);
    void limit_passed(Entry& entry, lb::TimePoint now);
    void log_failure(const Entry& entry, const ProbeResult& result, bool first) const;
    void end_try(const Entry& entry, ProbeResult& result);
    void remove_stand_in(const Entry& entry);
    void look_at_addresses();
    void carry_out(const HealthChanges& changes);
    void tell(const HealthChange& change);
    [[nodiscard]] const VirtualServerConfig* find(const VirtualServerKey& key) const;

    Director* director_;
    TrustStores trust_;
    ScriptsConfig script_settings_;
    std::map<std::string, std::string> track_files_;  // name -> path
    ConnectPoller connects_;
    ProbeContext context_;
    ServerNotifier notifier_;
    HealthBoard board_;
    Schedule schedule_;
    std::vector<std::unique_ptr<Entry>> entries_;                // by CheckId
    std::map<VirtualServerKey, std::size_t> service_positions_;  // in the configuration
    std::optional<lb::TimePoint> next_tick_;
    std::mt19937_64 random_;
    Timer timer_;
    std::optional<lb::TimePoint> armed_;  // when timer_ fires
    lb::TimePoint last_turn_{};
    LoopLag lag_;
    Timer address_timer_;
    Timer configure_timer_;
    std::size_t running_ = 0;
    std::size_t most_running_ = 0;
    Totals totals_;
    bool started_ = false;
};

}  // namespace pollux::control
