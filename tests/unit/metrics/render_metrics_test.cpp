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
