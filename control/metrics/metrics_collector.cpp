// SPDX-License-Identifier: Apache-2.0
#include "control/metrics/metrics_collector.h"

#include <algorithm>
#include <utility>

#include "control/director/director.h"
#include "control/health/check_key.h"
#include "control/health/health_runner.h"
#include "control/loop/duration_number.h"
#include "control/mail/mailer.h"
#include "control/vrrp/vrrp_runner.h"

namespace pollux::control {
namespace {

// In one turn of the loop: some tens of microseconds.
constexpr std::size_t kServersPerTurn = 128;
constexpr unsigned kChecksPerTurn = 64;
constexpr std::uint32_t kViewsPerTurn = 512;

}  // namespace

MetricsCollector::MetricsCollector(const Sources& sources)
    : sources_(sources), timer_(sources.director.loop(), [this] { step(); }) {}

void MetricsCollector::collect(Done done) {
    waiting_.push_back(std::move(done));
    if (state_) return;
    state_ = std::make_shared<MetricsState>();
    stage_ = Stage::Daemon;
    timer_.start_once(std::chrono::nanoseconds(0));
}

void MetricsCollector::step() {
    switch (stage_) {
        case Stage::Daemon:
            add_daemon();
            add_vrrp();
            page_ = 0;
            stage_ = Stage::Services;
            break;
        case Stage::Services:
            if (add_services()) break;
            service_ = 0;
            stage_ = Stage::Servers;
            break;
        case Stage::Servers:
            if (add_servers()) break;
            check_ = 0;
            stage_ = Stage::Checks;
            break;
        case Stage::Checks:
            if (add_checks()) break;
            const std::shared_ptr<const MetricsState> ready = std::exchange(state_, nullptr);
            for (const Done& done : std::exchange(waiting_, {})) done(ready);
            return;
    }
    timer_.start_once(std::chrono::nanoseconds(0));
}

void MetricsCollector::add_daemon() {
    Director& director = sources_.director;
    const Mailer& mailer = sources_.mailer;
    const LoopStats loop = director.loop().stats();
    state_->version = POLLUX_VERSION;
    state_->per_server = director.config().api.metrics_servers;
    DaemonMetrics& daemon = state_->daemon;
    daemon.uptime_seconds = seconds(director.now() - director.started());
    daemon.generation = director.plane().generation();
    daemon.reloads = director.reloads();
    daemon.refused_snapshots = director.publisher().failures();
    daemon.events = director.events().total();
    daemon.longest_callback_seconds = seconds(loop.longest_callback_recent);
    daemon.latest_timer_seconds = seconds(loop.latest_timer_recent);
    daemon.mails = mailer.mails();
    daemon.mail_failures = mailer.failures();
    daemon.mail_events_lost = mailer.queue().lost();
    daemon.mail_events_waiting = mailer.queue().waiting();
    daemon.waiting_for_next_hop = director.next_hops().parking().frames();
    for (const dpdk::WorkerView& worker : director.runtime().workers()) {
        state_->workers.push_back({worker, director.plane().counters(worker.index)});
    }
    const auto ports = director.runtime().ports();
    for (const ControlPort& port : director.ports().ports) {
        PortMetrics metrics{ports.at(static_cast<std::size_t>(port.id)),
                            director.taps().counters(port.id)};
        metrics.port.link_up = port.link_up;
        state_->ports.push_back(std::move(metrics));
    }
    state_->pools = director.runtime().pools();
    state_->tables = director.plane().memory();
}

void MetricsCollector::add_vrrp() {
    for (const VrrpRunner::InstanceView& view : sources_.vrrp.instances()) {
        VrrpMetrics metrics;
        metrics.instance = view.config->name;
        metrics.state = vrrp::to_string(view.instance->state());
        metrics.priority = view.instance->priority();
        vrrp::for_each_counter(view.instance->counters(),
                               [&metrics](std::string_view, std::string_view, std::uint64_t value) {
                                   metrics.counters.push_back(value);
                               });
        state_->vrrp.push_back(std::move(metrics));
    }
}

// A snapshot in between may have a service anew. None may be told twice, so they are begun anew.
bool MetricsCollector::add_services() {
    const lb::DataPlane& plane = sources_.director.plane();
    std::vector<lb::ServiceView>& services = state_->services;
    if (plane.generation() != generation_) page_ = 0;
    if (page_ == 0) services.clear();
    generation_ = plane.generation();
    lb::ServicePage page = plane.service_page(page_, kViewsPerTurn);
    for (lb::ServiceView& view : page.services) {
        if (view.continued) {
            auto& servers = services.back().servers;
            servers.insert(servers.end(), view.servers.begin(), view.servers.end());
        } else {
            services.push_back(std::move(view));
        }
    }
    page_ = page.next;
    return page_ != 0;
}

// A reload in between may change the list. No service may be told twice, so it is begun anew.
bool MetricsCollector::add_servers() {
    if (const std::uint64_t reloads = sources_.director.reloads(); reloads != reloads_) {
        reloads_ = reloads;
        service_ = 0;
        state_->health.clear();
    }
    const auto& services = sources_.health.board().services();
    const ServerStates& states = sources_.director.servers();
    std::size_t budget = kServersPerTurn;
    for (; service_ < services.size() && budget > 0; ++service_) {
        const HealthBoard::Service& service = *services[service_];
        ServiceHealthMetrics metrics;
        metrics.service = to_string(service.key);
        metrics.quorum = service.quorum.up();
        for (const HealthBoard::Server& server : service.servers) {
            const std::uint16_t weight = states.of(server.key).own_weight(server.configured_weight);
            metrics.servers.push_back({endpoint(server.key.address, server.key.port), server.alive,
                                       server.held_until.has_value(), weight, server.downs});
        }
        budget -= std::min(budget, metrics.servers.size() + 1);
        state_->health.push_back(std::move(metrics));
    }
    return service_ < services.size();
}

bool MetricsCollector::add_checks() {
    CheckMetrics& checks = state_->checks;
    for (const HealthRunner::CheckView& view : sources_.health.checks(check_, kChecksPerTurn)) {
        ++(view.suspended ? checks.suspended : view.up ? checks.up : checks.down);
        if (!view.certificate_days) continue;
        const auto [kept, fresh] =
            checks.certificate_days.try_emplace(describe(*view.config), *view.certificate_days);
        if (!fresh) kept->second = std::min(kept->second, *view.certificate_days);
    }
    if (check_ != 0) return true;
    const HealthRunner::Totals& totals = sources_.health.totals();
    checks.tries = totals.tries;
    checks.failures = totals.failures;
    checks.late_tries = totals.late_tries;
    checks.running = sources_.health.running();
    return false;
}

}  // namespace pollux::control
