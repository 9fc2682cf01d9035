// SPDX-License-Identifier: Apache-2.0
#pragma once

// MetricsState: what one scrape tells, in plain values. The control thread fills it, then it is
// never changed again, and the metrics thread turns it into text and frees it.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "control/spec/server_states.h"
#include "control/tap/exception_taps.h"
#include "dataplane/dpdk/runtime.h"
#include "dataplane/lb/data_plane.h"

namespace pollux::control {

struct DaemonMetrics {
    double uptime_seconds = 0;
    std::uint64_t generation = 0, reloads = 0, refused_snapshots = 0, events = 0;
    double longest_callback_seconds = 0, latest_timer_seconds = 0;  // in the last minute or two
    std::uint64_t mails = 0, mail_failures = 0, mail_events_lost = 0, mail_events_waiting = 0;
    std::uint64_t waiting_for_next_hop = 0;
};

struct WorkerMetrics {
    dpdk::WorkerView loop;
    lb::WorkerCounters packets;
};

struct PortMetrics {
    dpdk::PortView port;
    TapCounters exception_path;
};

struct VrrpMetrics {
    std::string instance;
    std::string state;  // "MASTER"
    std::uint64_t priority = 0;
    std::vector<std::uint64_t> counters;  // in the order of vrrp::for_each_counter
};

struct ServerHealthMetrics {
    std::string server;  // "10.0.0.2:80"
    bool up = true;
    bool held = false;
    std::uint64_t weight = 0, downs = 0;
};

struct ServiceHealthMetrics {
    std::string service;  // "TCP 10.0.0.1:80"
    bool quorum = true;
    std::vector<ServerHealthMetrics> servers;
};

struct CheckMetrics {
    std::uint64_t tries = 0, failures = 0, late_tries = 0, running = 0;
    std::uint64_t up = 0, down = 0, suspended = 0;
    std::map<std::string, int> certificate_days;  // by check; of several so called the fewest
};

struct MetricsState {
    std::string version;
    bool per_server = true;
    DaemonMetrics daemon;
    std::vector<WorkerMetrics> workers;
    std::vector<PortMetrics> ports;
    std::vector<dpdk::PoolView> pools;
    std::vector<lb::MemoryView> tables;
    std::vector<VrrpMetrics> vrrp;
    std::vector<lb::ServiceView> services;
    std::vector<ServiceHealthMetrics> health;
    CheckMetrics checks;
};

}  // namespace pollux::control
