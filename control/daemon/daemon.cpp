// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/daemon.h"

#include <csignal>
#include <iostream>
#include <memory>
#include <utility>

#include <sys/random.h>
#include <unistd.h>

#include "control/api/api_server.h"
#include "control/api/command.h"
#include "control/api/ipvs_commands.h"
#include "control/api/tickets.h"
#include "control/api/worker_load.h"
#include "control/config/load.h"
#include "control/config/render.h"
#include "control/curl/curl_loop.h"
#include "control/daemon/held_signals.h"
#include "control/daemon/runtime_options.h"
#include "control/daemon/systemd_notify.h"
#include "control/director/director.h"
#include "control/director/log_options.h"
#include "control/director/log_warnings.h"
#include "control/director/reloader.h"
#include "control/director/unavailable.h"
#include "control/health/health_runner.h"
#include "control/log/log.h"
#include "control/mail/mailer.h"
#include "control/metrics/metrics_collector.h"
#include "control/metrics/metrics_server.h"
#include "control/scripts/script_helper.h"
#include "control/scripts/script_runner.h"
#include "control/spec/spec_builder.h"
#include "control/vrrp/vrrp_runner.h"

namespace pollux::control {
namespace {

// A worker that made no progress for so long keeps the watchdog from being fed.
constexpr auto kWorkerPatience = std::chrono::seconds(2);

// `logged`: the log goes elsewhere than to stderr, where people read this.
int refuse_to_start(const Error& error, bool logged) {
    std::cerr << "polluxd: " << error.message << "\n";
    if (!error.remedy.empty()) std::cerr << "  remedy: " << error.remedy << "\n";
    if (logged) log::error("not started", error);
    return kExitCannotStart;
}

LoadOptions load_options(const DaemonOptions& options) {
    LoadOptions load;
    load.node = options.node;
    load.only_regular = true;  // a reload must come to an end
    return load;
}

// What only this host can tell; prints all of it.
Status check_host(const Config& config) {
    bool good = true;
    LoadResult found;
    found.diagnostics = check_online(config);
    for (const Diagnostic& diagnostic : found.diagnostics) {
        std::cerr << render(diagnostic) << "\n";
        if (diagnostic.severity == Severity::Error) good = false;
    }
    if (config.log.target != LogTarget::Stderr) log_warnings(summarize_warnings(found));
    if (good) return ok_status();
    return Error{"this host cannot run the configuration",
                 "the messages above say what is missing"};
}

Status check_rights() {
    if (geteuid() == 0) return ok_status();
    return Error{"polluxd must be started as root: it opens ports, hugepages and TAP interfaces",
                 "use sudo or the systemd unit; to only check a file: polluxd --check FILE"};
}

Result<std::unique_ptr<lb::DataPlane>> make_data_plane(const Config& config) {
    lb::DataPlaneLimits limits = build_limits(config);
    const auto bytes = static_cast<ssize_t>(sizeof(limits.hash_secret));
    if (getrandom(limits.hash_secret.data(), sizeof(limits.hash_secret), 0) != bytes) {
        return Error{"the system gave no random numbers for the hash secret", ""};
    }
    return lb::DataPlane::create(limits);
}

// Everything that runs, in the order of construction; destroyed in reverse.
struct Parts {
    EventLoop loop;
    std::unique_ptr<ScriptRunner> scripts;
    std::unique_ptr<CurlLoop> curl;
    std::unique_ptr<api::ControlSocket> socket;
    std::unique_ptr<lb::DataPlane> plane;
    std::unique_ptr<dpdk::Runtime> runtime;
    std::unique_ptr<Director> director;
    VrrpRunner* vrrp = nullptr;      // the director's
    HealthRunner* health = nullptr;  // the director's
    Mailer* mailer = nullptr;        // the director's
    std::unique_ptr<MetricsCollector> metrics;
    std::unique_ptr<MetricsServer> metrics_server;

    ~Parts() {
        metrics_server.reset();
        metrics.reset();
        // The TAPs go first, with them the addresses: nobody answers for a node that stops.
        director.reset();
        if (runtime) runtime->stop_workers();
    }
};

// If the configuration wants any.
Status start_metrics(Parts& parts) {
    const ApiConfig& api = parts.director->config().api;
    if (api.metrics_address.family == net::Family::None) return ok_status();
    parts.metrics = std::make_unique<MetricsCollector>(
        MetricsCollector::Sources{*parts.director, *parts.vrrp, *parts.health, *parts.mailer});
    const auto collect = [&parts](MetricsServer::Done done) {
        parts.loop.post([&parts, done = std::move(done)] { parts.metrics->collect(done); });
    };
    auto server = MetricsServer::start(api.metrics_address, api.metrics_port, collect);
    if (!server) return server.error();
    parts.metrics_server = std::move(server).value();
    return ok_status();
}

enum class Start { Done, Interrupted };

// Looks between the steps that take long whether it shall end already.
Result<Start> start_parts(Parts& parts, Config config,
                          const api::ControlSocketOptions& api_options) {
    if (HeldSignals::end_waits()) return Start::Interrupted;
    auto socket = api::ControlSocket::open(api_options);
    if (!socket) return socket.error();
    parts.socket = std::move(socket).value();
    if (const Status host = check_host(config); !host) return host.error();
    auto plane = make_data_plane(config);
    if (!plane) return plane.error();
    parts.plane = std::move(plane).value();
    if (HeldSignals::end_waits()) return Start::Interrupted;
    auto runtime = dpdk::Runtime::start(to_runtime_options(config));
    if (!runtime) return runtime.error();
    parts.runtime = std::move(runtime).value();
    if (HeldSignals::end_waits()) return Start::Interrupted;
    auto director = Director::create(parts.loop, *parts.runtime, *parts.plane, std::move(config));
    if (!director) return director.error();
    parts.director = std::move(director).value();
    auto vrrp = std::make_unique<VrrpRunner>(*parts.director, *parts.scripts);
    parts.vrrp = vrrp.get();
    parts.director->add(std::move(vrrp));
    parts.curl = std::make_unique<CurlLoop>(parts.loop);
    auto health = std::make_unique<HealthRunner>(*parts.director, *parts.scripts, *parts.curl);
    parts.health = health.get();
    health->on_fifo_line = [vrrp = parts.vrrp](const std::string& line) {
        vrrp->server_line(line);
    };
    auto mailer = std::make_unique<Mailer>(*parts.director);
    parts.mailer = mailer.get();
    parts.director->add(std::move(mailer));
    parts.director->add(std::move(health));
    ReloadPlan plan;  // as if the file had been loaded anew
    plan.config = parts.director->shared_config();
    if (const Status possible = parts.vrrp->check(plan); !possible) {
        return possible.error();
    }
    if (const Status metrics = start_metrics(parts); !metrics) return metrics.error();
    if (const Status workers = parts.runtime->launch_workers(*parts.plane); !workers) {
        return workers.error();
    }
    return Start::Done;
}

void feed_watchdog(const Director& director) {
    if (director.worker_silence() < kWorkerPatience) systemd_notify("WATCHDOG=1");
}

api::IpvsHooks make_ipvs_hooks(Director& director) {
    api::IpvsHooks hooks;
    hooks.settle = [&director] { director.settle(); };
    hooks.file = [&director] { return build_file_table(director.config()); };
    hooks.changes = [&director]() -> const RuntimeServices& { return director.runtime_services(); };
    hooks.build = [&director](const RuntimeServices& changes) {
        return director.build_with(changes);
    };
    hooks.publish = [&director](const lb::DataPlaneSpec& spec, RuntimeServices changes) {
        return director.change_services(spec, std::move(changes));
    };
    hooks.views = [&director] { return director.plane().services(director.now()); };
    hooks.page = [&director](std::uint64_t cursor, std::uint32_t budget) {
        return director.plane().service_page(cursor, budget);
    };
    hooks.generation = [&director] { return director.plane().generation(); };
    hooks.timeouts = [&director] { return director.config().conntrack.timeout; };
    hooks.size = director.config().conntrack.max_connections;
    return hooks;
}

void sample_load(Director& director, api::WorkerLoad& load) {
    std::vector<lb::WorkerCounters> counters;
    for (unsigned i = 0; i < director.plane().worker_count(); ++i) {
        counters.push_back(director.plane().counters(i));
    }
    load.sample(director.now(), director.runtime().workers(), counters);
}

// One that keepalived's users send out of habit.
void log_ignored(int signal) {
    const bool data = signal == SIGUSR1;
    log::warning("signal ignored",
                 {{"signal", data ? "SIGUSR1" : "SIGUSR2"},
                  {"instead", data ? "pollux show vrrp, pollux show services"
                                   : "pollux show vrrp --json, pollux show ports"}});
}

void serve(Parts& parts, const DaemonOptions& options, const HeldSignals& held,
           const api::ControlSocketOptions& api_options) {
    Director& director = *parts.director;
    Reloader reloader(director, options.config, load_options(options));
    api::IpvsCommands ipvs_commands(make_ipvs_hooks(director));
    Timer sampler(parts.loop, [&] {
        if (ipvs_commands.sample_on()) sampler.start_once(lb::Duration::zero());
    });
    Timer estimator(parts.loop, [&] {
        ipvs_commands.begin_sample();
        sampler.start_once(lb::Duration::zero());
    });
    estimator.start_every(ipvs::RateEstimator::kInterval);
    api::Tickets tickets;
    api::WorkerLoad load;
    Timer load_timer(parts.loop, [&] { sample_load(director, load); });
    load_timer.start_every(api::WorkerLoad::kInterval);
    api::CommandContext context{director,      reloader,      *parts.vrrp, ipvs_commands,
                                *parts.health, *parts.mailer, tickets,     load};
    api::ApiServer server(parts.loop, *parts.socket, api_options,
                          [&](api::Role role, std::string_view line) {
                              return api::handle_request(context, role, line);
                          });
    SignalWatch signals(parts.loop, {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}, [&](int signal) {
        if (signal == SIGTERM || signal == SIGINT) {
            director.stop(signal == SIGTERM ? "SIGTERM" : "SIGINT");
        } else if (signal == SIGHUP) {
            reloader.reload_unasked();
        } else {
            log_ignored(signal);
        }
    });
    Timer watchdog(parts.loop, [&] { feed_watchdog(director); });
    if (const auto interval = systemd_watchdog_interval()) watchdog.start_every(*interval / 3);

    director.start();
    parts.vrrp->start();
    parts.health->start();
    log::info("running", {{"version", POLLUX_VERSION},
                          {"ports", director.ports().ports.size()},
                          {"workers", parts.plane->worker_count()},
                          {"services", director.spec().services.size()}});
    systemd_notify("READY=1\nSTATUS=running");
    held.release();
    parts.loop.run();
    held.hold();
    systemd_notify("STOPPING=1");
}

}  // namespace

int run_daemon(const DaemonOptions& options) {
    if (const Status rights = check_rights(); !rights) {
        return refuse_to_start(rights.error(), false);
    }
    // Before anything is created that a sudden end would leave behind.
    const HeldSignals held;
    LoadResult loaded = load_config(options.config, load_options(options));
    if (!loaded.diagnostics.empty()) std::cerr << render_all(loaded);
    if (!loaded.config) {
        std::cerr << "polluxd: not started, see the errors above\n";
        return loaded.unreadable ? kExitCannotStart : kExitBadConfiguration;
    }
    if (const Status available = check_available(*loaded.config); !available) {
        return refuse_to_start(available.error(), false);
    }
    log::Options log_options = to_log_options(loaded.config->log);
    if (options.log_level) log_options.level = *options.log_level;
    if (const Status started = log::start(log_options); !started) {
        return refuse_to_start(started.error(), false);
    }
    // On stderr they are already.
    if (log_options.target != log::Target::Stderr) log_warnings(summarize_warnings(loaded));
    // Before EAL takes its memory and starts its threads: a fork later would copy all that.
    auto helper = fork_script_helper();
    if (!helper) return refuse_to_start(helper.error(), false);
    const ApiConfig& api_config = loaded.config->api;
    const api::ControlSocketOptions api_options{api_config.control_socket, api_config.admin_group,
                                                api_config.read_group};
    {
        Parts parts;
        parts.scripts = std::make_unique<ScriptRunner>(parts.loop, *helper);
        const auto started = start_parts(parts, std::move(*loaded.config), api_options);
        if (!started) {
            return refuse_to_start(started.error(), log_options.target != log::Target::Stderr);
        }
        if (*started == Start::Interrupted) {
            log::info("stopping", {{"reason", "a signal during the start"}});
        } else {
            serve(parts, options, held, api_options);
        }
    }
    log::info("stopped");
    return kExitGood;
}

}  // namespace pollux::control
