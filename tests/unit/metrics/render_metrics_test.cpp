// SPDX-License-Identifier: Apache-2.0
#include "control/metrics/render_metrics.h"

#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/control/builders.h"
#include "vrrp/counters.h"

namespace pollux::control {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;

lb::ServerView server(const std::string& address, std::uint64_t active, bool removed = false) {
    lb::ServerView view;
    view.address = ip(address);
    view.port = 8080;
    view.weight = 3;
    view.active = active;
    view.connections = 11;
    view.removed = removed;
    return view;
}

MetricsState small_state() {
    MetricsState state;
    state.version = "1.2.3";
    WorkerMetrics worker;
    worker.loop.index = 0;
    worker.loop.cpu = 4;
    worker.packets.received = 100;
    worker.packets.dropped.at(static_cast<std::size_t>(lb::DropReason::NoRoute)) = 2;
    state.workers = {worker, worker};
    state.workers[1].loop.index = 1;
    PortMetrics port;
    port.port.name = "wan";
    port.port.rx_missed = 5;
    state.ports.push_back(port);
    vrrp::Counters counters;
    counters.advert_sent = 9;
    VrrpMetrics vrrp{"VI_1", "MASTER", 150, {}};
    vrrp::for_each_counter(
        counters, [&](auto, auto, std::uint64_t value) { vrrp.counters.push_back(value); });
    state.vrrp.push_back(vrrp);
    lb::ServiceView service;
    service.spec.address = ip("10.0.0.1");
    service.spec.port = 80;
    service.spec.protocol = lb::Protocol::Tcp;
    service.connections = 22;
    // The same server, gone and back, with connections of its first life.
    service.servers = {server("10.0.1.1", 4), server("10.0.1.1", 1, true)};
    state.services.push_back(service);
    state.health.push_back({"TCP 10.0.0.1:80", false, {{"10.0.1.1:8080", false, true, 3, 6}}});
    state.checks.tries = 40;
    state.checks.certificate_days["SSL_GET 10.0.1.1:443"] = -1;
    return state;
}

TEST(RenderMetrics, TellsOfEverything) {
    const std::string text = render_metrics(small_state(), MetricsFormat::Prometheus);
    const std::string service = "{service=\"TCP 10.0.0.1:80\"} ";
    const std::string both = "{service=\"TCP 10.0.0.1:80\",server=\"10.0.1.1:8080\"} ";
    for (const std::string& line : {
             std::string("pollux_build_info{version=\"1.2.3\"} 1"),
             std::string("pollux_worker_received_packets_total{worker=\"1\",cpu=\"4\"} 100"),
             std::string("pollux_dropped_packets_total{reason=\"no-route\"} 4"),
             std::string("pollux_port_missed_packets_total{port=\"wan\"} 5"),
             std::string("pollux_vrrp_state{instance=\"VI_1\",state=\"MASTER\"} 1"),
             std::string("pollux_vrrp_state{instance=\"VI_1\",state=\"BACKUP\"} 0"),
             std::string("pollux_vrrp_advert_sent_total{instance=\"VI_1\"} 9"),
             "pollux_service_connections_total" + service + "22",
             "pollux_service_active_connections" + service + "5",
             "pollux_service_quorum" + service + "0",
             "pollux_service_up_servers" + service + "0",
             "pollux_server_active_connections" + both + "4",
             "pollux_server_connections_total" + both + "11",
             "pollux_server_up" + both + "0",
             "pollux_server_held" + both + "1",
             "pollux_server_downs_total" + both + "6",
             std::string("pollux_check_tries_total 40"),
             std::string("pollux_check_certificate_days{check=\"SSL_GET 10.0.1.1:443\"} -1"),
         }) {
        EXPECT_THAT(text, HasSubstr(line + "\n"));
    }
}

// A number of its own for each field.
TEST(RenderMetrics, NoFieldStandsForAnother) {
    MetricsState state;
    state.daemon = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    WorkerMetrics worker;
    worker.packets.received = 21;
    worker.packets.received_bytes = 22;
    worker.packets.transmitted = 23;
    worker.packets.punted = 24;
    worker.packets.originated = 25;
    worker.packets.parked = 26;
    worker.packets.connections_created = 27;
    worker.packets.embryonic_evicted = 28;
    worker.packets.connection_hits = 29;
    worker.packets.punted_by_reason.at(static_cast<std::size_t>(lb::PuntReason::Vrrp)) = 30;
    worker.loop.loops = 31;
    worker.loop.idle_loops = 32;
    worker.loop.busy_cycles = 33;
    worker.loop.total_cycles = 34;
    state.workers = {worker};
    PortMetrics port;
    port.port.name = "wan";
    port.port.rx_packets = 41;
    port.port.rx_bytes = 42;
    port.port.tx_packets = 43;
    port.port.tx_bytes = 44;
    port.port.rx_missed = 45;
    port.port.rx_errors = 46;
    port.port.tx_errors = 47;
    port.port.no_mbuf = 48;
    port.port.link_up = true;
    port.exception_path = {49, 50, 51, 52};
    state.ports = {port};
    state.checks.tries = 61;
    state.checks.failures = 62;
    state.checks.late_tries = 63;
    state.checks.running = 64;
    state.checks.up = 65;
    state.checks.down = 66;
    state.checks.suspended = 67;
    const std::string text = render_metrics(state, MetricsFormat::Prometheus);
    const std::string of_worker = "{worker=\"0\",cpu=\"0\"} ";
    const std::string of_port = "{port=\"wan\"} ";
    for (const std::string& line : {
             std::string("uptime_seconds 1"),
             std::string("snapshot_generation 2"),
             std::string("reloads_total 3"),
             std::string("refused_snapshots_total 4"),
             std::string("events_total 5"),
             std::string("control_loop_longest_callback_seconds 6"),
             std::string("control_loop_latest_timer_seconds 7"),
             std::string("mails_total 8"),
             std::string("mail_failures_total 9"),
             std::string("mail_lost_events_total 10"),
             std::string("mail_waiting_events 11"),
             std::string("waiting_frames 12"),
             "worker_received_packets_total" + of_worker + "21",
             "worker_received_bytes_total" + of_worker + "22",
             "worker_transmitted_packets_total" + of_worker + "23",
             "worker_punted_packets_total" + of_worker + "24",
             "worker_originated_packets_total" + of_worker + "25",
             "worker_parked_packets" + of_worker + "26",
             "worker_created_connections_total" + of_worker + "27",
             "worker_evicted_connections_total" + of_worker + "28",
             "worker_connection_hits_total" + of_worker + "29",
             std::string("punted_packets_total{reason=\"vrrp\"} 30"),
             "worker_loops_total" + of_worker + "31",
             "worker_idle_loops_total" + of_worker + "32",
             "worker_busy_cycles_total" + of_worker + "33",
             "worker_cycles_total" + of_worker + "34",
             "port_received_packets_total" + of_port + "41",
             "port_received_bytes_total" + of_port + "42",
             "port_transmitted_packets_total" + of_port + "43",
             "port_transmitted_bytes_total" + of_port + "44",
             "port_missed_packets_total" + of_port + "45",
             "port_receive_errors_total" + of_port + "46",
             "port_transmit_errors_total" + of_port + "47",
             "port_no_buffer_total" + of_port + "48",
             "port_link_up" + of_port + "1",
             "exception_path_to_kernel_frames_total" + of_port + "49",
             "exception_path_to_kernel_failures_total" + of_port + "50",
             "exception_path_from_kernel_frames_total" + of_port + "51",
             "exception_path_from_kernel_failures_total" + of_port + "52",
             std::string("check_tries_total 61"),
             std::string("check_failures_total 62"),
             std::string("check_late_tries_total 63"),
             std::string("check_running_tries 64"),
             std::string("checks{state=\"UP\"} 65"),
             std::string("checks{state=\"DOWN\"} 66"),
             std::string("checks{state=\"SUSPENDED\"} 67"),
         }) {
        EXPECT_THAT(text, HasSubstr("\npollux_" + line + "\n"));
    }
}

TEST(RenderMetrics, EachSeriesIsThereOnce) {
    std::map<std::string, int> seen;
    std::istringstream text(render_metrics(small_state(), MetricsFormat::OpenMetrics));
    for (std::string line; std::getline(text, line);) {
        if (!line.starts_with('#')) ++seen[line.substr(0, line.rfind(' '))];
    }
    EXPECT_GT(seen.size(), 50U);
    for (const auto& [series, count] : seen) EXPECT_EQ(count, 1) << series;
}

TEST(RenderMetrics, ServersCanBeLeftOut) {
    MetricsState state = small_state();
    state.per_server = false;
    const std::string text = render_metrics(state, MetricsFormat::Prometheus);
    EXPECT_THAT(text, Not(HasSubstr("pollux_server_")));
    EXPECT_THAT(text, HasSubstr("pollux_service_up_servers"));
}

TEST(RenderMetrics, WhatIsLeftOutIsCounted) {
    MetricsState state = small_state();
    ServiceHealthMetrics& service = state.health.front();
    service.servers.assign(kMaxServerSeries + 3, service.servers.front());
    const std::string text = render_metrics(state, MetricsFormat::Prometheus);
    EXPECT_THAT(text, HasSubstr("pollux_metrics_omitted_servers 3\n"));
    EXPECT_THAT(render_metrics(small_state(), MetricsFormat::Prometheus),
                HasSubstr("pollux_metrics_omitted_servers 0\n"));
}

}  // namespace
}  // namespace pollux::control
