// SPDX-License-Identifier: Apache-2.0
#include "control/metrics/render_metrics.h"

#include <array>
#include <functional>
#include <set>

#include "control/api/json_views.h"
#include "control/spec/runtime_services.h"
#include "vrrp/counters.h"

namespace pollux::control {
namespace {

constexpr auto kCounter = MetricType::Counter;
constexpr auto kGauge = MetricType::Gauge;

void write_daemon(MetricWriter& out, const MetricsState& state) {
    const DaemonMetrics& daemon = state.daemon;
    out.family(kGauge, "build_info", "Version of polluxd; the value is always 1.");
    out.sample({{"version", state.version}}, std::uint64_t{1});
    out.gauge("uptime_seconds", "Time since the start.", daemon.uptime_seconds);
    out.gauge("snapshot_generation", "Number of the snapshot that the workers use.",
              static_cast<double>(daemon.generation));
    out.counter("reloads_total", "Reloads that were carried out.", daemon.reloads);
    out.counter("refused_snapshots_total", "Snapshots that could not be built.",
                daemon.refused_snapshots);
    out.counter("events_total", "State changes (pollux show events).", daemon.events);
    out.gauge("control_loop_longest_callback_seconds",
              "Longest callback of the control loop in the last one to two minutes.",
              daemon.longest_callback_seconds);
    out.gauge("control_loop_latest_timer_seconds",
              "Longest delay of a timer of the control loop in the last one to two minutes.",
              daemon.latest_timer_seconds);
    out.counter("mails_total", "Mails that the mail server took.", daemon.mails);
    out.counter("mail_failures_total", "Attempts that failed.", daemon.mail_failures);
    out.counter("mail_lost_events_total", "Events that found no room in the mail queue.",
                daemon.mail_events_lost);
    out.gauge("mail_waiting_events", "Events in the mail queue.",
              static_cast<double>(daemon.mail_events_waiting));
    out.gauge("waiting_frames", "Frames that wait for their next hop's MAC address.",
              static_cast<double>(daemon.waiting_for_next_hop));
}

struct WorkerRow {
    MetricType type;
    const char* name;
    const char* help;
    std::uint64_t (*read)(const WorkerMetrics&);
};

constexpr std::array kWorkerRows = {
    WorkerRow{kCounter, "worker_received_packets_total", "Packets received.",
              [](const WorkerMetrics& w) { return w.packets.received; }},
    WorkerRow{kCounter, "worker_received_bytes_total", "Bytes received.",
              [](const WorkerMetrics& w) { return w.packets.received_bytes; }},
    WorkerRow{kCounter, "worker_transmitted_packets_total", "Packets forwarded.",
              [](const WorkerMetrics& w) { return w.packets.transmitted; }},
    WorkerRow{kCounter, "worker_punted_packets_total", "Packets handed to the control core.",
              [](const WorkerMetrics& w) { return w.packets.punted; }},
    WorkerRow{kCounter, "worker_originated_packets_total",
              "Answers and further fragments made by the worker.",
              [](const WorkerMetrics& w) { return w.packets.originated; }},
    WorkerRow{kGauge, "worker_parked_packets", "Fragments that wait for their first one.",
              [](const WorkerMetrics& w) { return w.packets.parked; }},
    WorkerRow{kCounter, "worker_created_connections_total", "Connections created.",
              [](const WorkerMetrics& w) { return w.packets.connections_created; }},
    WorkerRow{kCounter, "worker_evicted_connections_total",
              "Half-open connections that made room for new ones.",
              [](const WorkerMetrics& w) { return w.packets.embryonic_evicted; }},
    WorkerRow{kCounter, "worker_connection_hits_total", "Packets of known connections.",
              [](const WorkerMetrics& w) { return w.packets.connection_hits; }},
    WorkerRow{kCounter, "worker_loops_total", "Turns of the packet loop.",
              [](const WorkerMetrics& w) { return w.loop.loops; }},
    WorkerRow{kCounter, "worker_idle_loops_total", "Turns without a packet.",
              [](const WorkerMetrics& w) { return w.loop.idle_loops; }},
    WorkerRow{kCounter, "worker_busy_cycles_total", "CPU cycles spent on packets.",
              [](const WorkerMetrics& w) { return w.loop.busy_cycles; }},
    WorkerRow{kCounter, "worker_cycles_total", "CPU cycles of the packet loop.",
              [](const WorkerMetrics& w) { return w.loop.total_cycles; }},
};

void write_workers(MetricWriter& out, const MetricsState& state) {
    for (const WorkerRow& row : kWorkerRows) {
        out.family(row.type, row.name, row.help);
        for (const WorkerMetrics& worker : state.workers) {
            out.sample({{"worker", std::to_string(worker.loop.index)},
                        {"cpu", std::to_string(worker.loop.cpu)}},
                       row.read(worker));
        }
    }
    out.family(kCounter, "dropped_packets_total", "Packets dropped, by reason (show drops).");
    for (std::size_t i = 1; i < lb::kDropReasonCount; ++i) {
        std::uint64_t sum = 0;
        for (const WorkerMetrics& worker : state.workers) sum += worker.packets.dropped.at(i);
        out.sample({{"reason", lb::to_string(static_cast<lb::DropReason>(i))}}, sum);
    }
    out.family(kCounter, "punted_packets_total", "Packets to the control core, by reason.");
    for (std::size_t i = 1; i < lb::kPuntReasonCount; ++i) {
        std::uint64_t sum = 0;
        for (const WorkerMetrics& worker : state.workers) {
            sum += worker.packets.punted_by_reason.at(i);
        }
        out.sample({{"reason", api::to_string(static_cast<lb::PuntReason>(i))}}, sum);
    }
}

struct PortRow {
    MetricType type;
    const char* name;
    const char* help;
    std::uint64_t (*read)(const PortMetrics&);
};

constexpr std::array kPortRows = {
    PortRow{kGauge, "port_link_up", "1: the link is up.",
            [](const PortMetrics& p) { return std::uint64_t{p.port.link_up}; }},
    PortRow{kCounter, "port_received_packets_total", "Packets that the card received.",
            [](const PortMetrics& p) { return p.port.rx_packets; }},
    PortRow{kCounter, "port_received_bytes_total", "Bytes that the card received.",
            [](const PortMetrics& p) { return p.port.rx_bytes; }},
    PortRow{kCounter, "port_transmitted_packets_total", "Packets that the card sent.",
            [](const PortMetrics& p) { return p.port.tx_packets; }},
    PortRow{kCounter, "port_transmitted_bytes_total", "Bytes that the card sent.",
            [](const PortMetrics& p) { return p.port.tx_bytes; }},
    PortRow{kCounter, "port_missed_packets_total", "Packets lost in a full receive queue.",
            [](const PortMetrics& p) { return p.port.rx_missed; }},
    PortRow{kCounter, "port_receive_errors_total", "Damaged packets.",
            [](const PortMetrics& p) { return p.port.rx_errors; }},
    PortRow{kCounter, "port_transmit_errors_total", "Packets that could not be sent.",
            [](const PortMetrics& p) { return p.port.tx_errors; }},
    PortRow{kCounter, "port_no_buffer_total", "Packets lost because no buffer was free.",
            [](const PortMetrics& p) { return p.port.no_mbuf; }},
    PortRow{kCounter, "exception_path_to_kernel_frames_total", "Frames given to the kernel.",
            [](const PortMetrics& p) { return p.exception_path.to_kernel; }},
    PortRow{kCounter, "exception_path_to_kernel_failures_total",
            "Frames that the kernel did not take.",
            [](const PortMetrics& p) { return p.exception_path.to_kernel_failed; }},
    PortRow{kCounter, "exception_path_from_kernel_frames_total", "Frames of the kernel, sent.",
            [](const PortMetrics& p) { return p.exception_path.from_kernel; }},
    PortRow{kCounter, "exception_path_from_kernel_failures_total",
            "Frames of the kernel that could not be sent.",
            [](const PortMetrics& p) { return p.exception_path.from_kernel_failed; }},
};

void write_ports(MetricWriter& out, const MetricsState& state) {
    for (const PortRow& row : kPortRows) {
        out.family(row.type, row.name, row.help);
        for (const PortMetrics& port : state.ports) {
            out.sample({{"port", port.port.name}}, row.read(port));
        }
    }
}

void write_memory(MetricWriter& out, const MetricsState& state) {
    out.family(kGauge, "pool_buffers", "Packet buffers of a pool.");
    for (const auto& pool : state.pools) {
        out.sample({{"pool", pool.name}}, std::uint64_t{pool.buffers});
    }
    out.family(kGauge, "pool_free_buffers", "Packet buffers that are free.");
    for (const auto& pool : state.pools) {
        out.sample({{"pool", pool.name}}, std::uint64_t{pool.free});
    }
    out.family(kGauge, "table_bytes", "Memory of a table.");
    for (const auto& table : state.tables) out.sample({{"table", table.name}}, table.bytes);
    out.family(kGauge, "table_capacity", "Entries that fit into a table.");
    for (const auto& table : state.tables) out.sample({{"table", table.name}}, table.capacity);
    out.family(kGauge, "table_used", "Entries in use.");
    for (const auto& table : state.tables) out.sample({{"table", table.name}}, table.used);
}

void write_vrrp(MetricWriter& out, const MetricsState& state) {
    constexpr std::array<std::string_view, 4> kStates = {"INIT", "BACKUP", "MASTER", "FAULT"};
    out.family(kGauge, "vrrp_state", "1 for the state that the instance is in.");
    for (const VrrpMetrics& vrrp : state.vrrp) {
        for (const std::string_view name : kStates) {
            out.sample({{"instance", vrrp.instance}, {"state", name}},
                       std::uint64_t{vrrp.state == name});
        }
    }
    out.family(kGauge, "vrrp_priority", "Priority that is advertised.");
    for (const VrrpMetrics& vrrp : state.vrrp) {
        out.sample({{"instance", vrrp.instance}}, vrrp.priority);
    }
    std::size_t at = 0;
    vrrp::for_each_counter({}, [&](std::string_view name, std::string_view meaning, std::uint64_t) {
        out.family(kCounter, "vrrp_" + std::string(name) + "_total", meaning);
        for (const VrrpMetrics& vrrp : state.vrrp) {
            out.sample({{"instance", vrrp.instance}}, vrrp.counters.at(at));
        }
        ++at;
    });
}

void write_checks(MetricWriter& out, const CheckMetrics& checks) {
    out.family(kGauge, "checks", "Health checks by state.");
    out.sample({{"state", "UP"}}, checks.up);
    out.sample({{"state", "DOWN"}}, checks.down);
    out.sample({{"state", "SUSPENDED"}}, checks.suspended);
    out.gauge("check_running_tries", "Tries that wait for an answer.",
              static_cast<double>(checks.running));
    out.counter("check_tries_total", "Tries of health checks.", checks.tries);
    out.counter("check_failures_total", "Tries that failed.", checks.failures);
    out.counter("check_late_tries_total", "Tries that began over 100 ms after their time.",
                checks.late_tries);
    out.family(kGauge, "check_certificate_days", "Days until a server's certificate ends.");
    for (const auto& [check, days] : checks.certificate_days) {
        out.sample({{"check", check}}, static_cast<double>(days));
    }
}

std::string name_of(const lb::ServiceView& service) {
    return to_string(lb::ServiceKey::of(service.spec));
}

struct ServiceRow {
    const char* name;
    const char* help;
    std::uint64_t (*read)(const lb::ServiceView&);
};

constexpr std::array kServiceRows = {
    ServiceRow{"service_connections_total", "Connections to the service.",
               [](const lb::ServiceView& s) { return s.connections; }},
    ServiceRow{"service_packets_in_total", "Packets of clients.",
               [](const lb::ServiceView& s) { return s.packets_in; }},
    ServiceRow{"service_packets_out_total", "Packets of servers that pass here.",
               [](const lb::ServiceView& s) { return s.packets_out; }},
    ServiceRow{"service_bytes_in_total", "Bytes of clients.",
               [](const lb::ServiceView& s) { return s.bytes_in; }},
    ServiceRow{"service_bytes_out_total", "Bytes of servers that pass here.",
               [](const lb::ServiceView& s) { return s.bytes_out; }},
};

struct ServerRow {
    MetricType type;
    const char* name;
    const char* help;
    std::uint64_t (*read)(const lb::ServerView&);
};

constexpr std::array kServerRows = {
    ServerRow{kGauge, "server_scheduled_weight", "Weight that the scheduler uses.",
              [](const lb::ServerView& s) { return std::uint64_t{s.weight}; }},
    ServerRow{kGauge, "server_active_connections", "Connections that are established or opening.",
              [](const lb::ServerView& s) { return s.active; }},
    ServerRow{kGauge, "server_inactive_connections", "Other connections.",
              [](const lb::ServerView& s) { return s.inactive; }},
    ServerRow{kCounter, "server_connections_total", "Connections to the server.",
              [](const lb::ServerView& s) { return s.connections; }},
    ServerRow{kCounter, "server_packets_in_total", "Packets to the server.",
              [](const lb::ServerView& s) { return s.packets_in; }},
    ServerRow{kCounter, "server_packets_out_total", "Packets of the server that pass here.",
              [](const lb::ServerView& s) { return s.packets_out; }},
    ServerRow{kCounter, "server_bytes_in_total", "Bytes to the server.",
              [](const lb::ServerView& s) { return s.bytes_in; }},
    ServerRow{kCounter, "server_bytes_out_total", "Bytes of the server that pass here.",
              [](const lb::ServerView& s) { return s.bytes_out; }},
};

// A server that went and came back stands in the list twice while old connections remain.
std::vector<const lb::ServerView*> present_servers(const lb::ServiceView& service) {
    std::vector<const lb::ServerView*> present;
    for (const lb::ServerView& server : service.servers) {
        if (!server.removed) present.push_back(&server);
    }
    return present;
}

void write_services(MetricWriter& out, const MetricsState& state) {
    std::vector<std::string> names;
    for (const auto& service : state.services) names.push_back(name_of(service));
    for (const ServiceRow& row : kServiceRows) {
        out.family(kCounter, row.name, row.help);
        for (std::size_t i = 0; i < names.size(); ++i) {
            out.sample({{"service", names[i]}}, row.read(state.services[i]));
        }
    }
    out.family(kGauge, "service_active_connections", "Connections, established or opening.");
    for (std::size_t i = 0; i < names.size(); ++i) {
        std::uint64_t sum = 0;
        for (const auto& server : state.services[i].servers) sum += server.active;
        out.sample({{"service", names[i]}}, sum);
    }
    out.family(kGauge, "service_scheduled_servers", "Servers that may get new connections.");
    for (std::size_t i = 0; i < names.size(); ++i) {
        std::uint64_t count = 0;
        for (const auto* server : present_servers(state.services[i])) count += server->weight > 0;
        out.sample({{"service", names[i]}}, count);
    }
    out.family(kGauge, "service_quorum", "1: the service has its quorum.");
    for (const auto& service : state.health) {
        out.sample({{"service", service.service}}, std::uint64_t{service.quorum});
    }
    out.family(kGauge, "service_up_servers", "Real servers of the file that are UP.");
    for (const auto& service : state.health) {
        std::uint64_t count = 0;
        for (const ServerHealthMetrics& server : service.servers) count += server.up;
        out.sample({{"service", service.service}}, count);
    }
}

// One row of each family for each server, the first kMaxServerSeries of them. Returns how many
// were left out.
std::size_t write_balanced_servers(MetricWriter& out, const MetricsState& state) {
    struct Named {
        std::string service, server;
        const lb::ServerView* view;
    };
    std::vector<Named> all;
    std::size_t omitted = 0;
    for (const auto& service : state.services) {
        const std::string name = name_of(service);
        for (const lb::ServerView* server : present_servers(service)) {
            if (all.size() >= kMaxServerSeries) {
                ++omitted;
            } else {
                all.push_back({name, endpoint(server->address, server->port), server});
            }
        }
    }
    for (const ServerRow& row : kServerRows) {
        out.family(row.type, row.name, row.help);
        for (const Named& each : all) {
            out.sample({{"service", each.service}, {"server", each.server}}, row.read(*each.view));
        }
    }
    return omitted;
}

struct HealthRow {
    MetricType type;
    const char* name;
    const char* help;
    std::uint64_t (*read)(const ServerHealthMetrics&);
};

constexpr std::array kHealthRows = {
    HealthRow{kGauge, "server_up", "1: the checks find the server UP.",
              [](const ServerHealthMetrics& s) { return std::uint64_t{s.up}; }},
    HealthRow{kGauge, "server_held", "1: good again, but kept out because it flapped.",
              [](const ServerHealthMetrics& s) { return std::uint64_t{s.held}; }},
    HealthRow{kGauge, "server_weight", "Weight by the file, the checks or the operator.",
              [](const ServerHealthMetrics& s) { return s.weight; }},
    HealthRow{kCounter, "server_downs_total", "Times that the server went DOWN.",
              [](const ServerHealthMetrics& s) { return s.downs; }},
};

std::size_t write_checked_servers(MetricWriter& out, const MetricsState& state) {
    std::size_t count = 0;
    for (const HealthRow& row : kHealthRows) {
        out.family(row.type, row.name, row.help);
        count = 0;
        for (const ServiceHealthMetrics& service : state.health) {
            for (const ServerHealthMetrics& server : service.servers) {
                if (++count > kMaxServerSeries) continue;
                out.sample({{"service", service.service}, {"server", server.server}},
                           row.read(server));
            }
        }
    }
    return count > kMaxServerSeries ? count - kMaxServerSeries : 0;
}

}  // namespace

std::string render_metrics(const MetricsState& state, MetricsFormat format) {
    MetricWriter out(format);
    write_daemon(out, state);
    write_workers(out, state);
    write_ports(out, state);
    write_memory(out, state);
    write_vrrp(out, state);
    write_checks(out, state.checks);
    write_services(out, state);
    if (state.per_server) {
        const std::size_t balanced = write_balanced_servers(out, state);
        const std::size_t checked = write_checked_servers(out, state);
        out.gauge("metrics_omitted_servers", "Servers without series, because there are too many.",
                  static_cast<double>(std::max(balanced, checked)));
    }
    return std::move(out).finish();
}

}  // namespace pollux::control
