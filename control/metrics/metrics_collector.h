// SPDX-License-Identifier: Apache-2.0
#pragma once

// MetricsCollector: fills a MetricsState in pieces, so that the loop serves adverts in between.
// Control thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "control/loop/event_loop.h"
#include "control/metrics/metrics_state.h"

namespace pollux::control {

class Director;
class HealthRunner;
class Mailer;
class VrrpRunner;

class MetricsCollector {
  public:
    // What it reads; all of it outlives the collector.
    struct Sources {
        Director& director;
        VrrpRunner& vrrp;
        HealthRunner& health;
        Mailer& mailer;
    };
    using Done = std::function<void(std::shared_ptr<const MetricsState>)>;

    explicit MetricsCollector(const Sources& sources);

    // `done` is called from the loop, later. Calls that come while a state is being filled get it.
    // The last holder of the state frees it: keep that away from the control thread.
    void collect(Done done);

  private:
    enum class Stage : std::uint8_t { Daemon, Services, Servers, Checks };

    void step();
    void add_daemon();
    void add_vrrp();
    // True: there is more.
    bool add_services();
    bool add_servers();
    bool add_checks();

    Sources sources_;
    Timer timer_;
    Stage stage_ = Stage::Daemon;
    std::uint64_t generation_ = 0;         // of the services so far
    std::uint64_t page_ = 0;               // cursor of DataPlane::service_page
    std::size_t service_ = 0;              // of the health board, the next one
    std::uint64_t reloads_ = 0;            // when the health board was begun
    std::uint64_t check_ = 0;              // cursor of HealthRunner::checks
    std::shared_ptr<MetricsState> state_;  // null: nothing is being filled
    std::vector<Done> waiting_;
};

}  // namespace pollux::control
