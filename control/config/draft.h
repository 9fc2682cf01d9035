// SPDX-License-Identifier: Apache-2.0
#pragma once

// Draft: the configuration as written, one struct per table of the schema, before inheritance and
// secrets are resolved into Config. Loader only; control thread.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/config.h"

namespace pollux::control {

// `password = "..."` or `password_file = "..."`.
struct SecretDraft {
    std::string literal;
    std::string file;

    bool operator==(const SecretDraft&) const = default;
};

struct GlobalDraft {
    GlobalConfig config;
    SecretDraft email_secret;
    std::vector<std::string> include;

    bool operator==(const GlobalDraft&) const = default;
};

struct InstanceDraft {
    VrrpInstanceConfig config;
    SecretDraft secret;
    std::uint8_t version = 0;  // 0: not written

    bool operator==(const InstanceDraft&) const = default;
};

// What a check inherits: virtual_server -> real_server -> check.
struct CheckDefaults {
    std::optional<Duration> delay_loop;
    std::optional<Duration> warmup;
    std::optional<Duration> connect_timeout;
    std::optional<Duration> delay_before_retry;
    std::optional<unsigned> retry;
    std::optional<bool> alpha;
    std::optional<bool> log_all_failures;
    std::string virtualhost;

    bool operator==(const CheckDefaults&) const = default;
};

struct CheckDraft {
    CheckConfig config;
    CheckDefaults defaults;

    bool operator==(const CheckDraft&) const = default;
};

// What a real server inherits from its service.
struct ServerDefaults {
    std::optional<bool> inhibit_on_failure;
    std::optional<std::uint16_t> weight;
    std::optional<bool> smtp_alert;
    std::optional<lb::ForwardingMethod> lvs_method;
    std::optional<std::uint16_t> port;  // real_server only

    bool operator==(const ServerDefaults&) const = default;
};

struct ServerDraft {
    RealServerConfig config;
    ServerDefaults own;
    CheckDefaults defaults;
    std::vector<CheckDraft> check;

    bool operator==(const ServerDraft&) const = default;
};

struct SorryDraft {
    SorryServerConfig config;
    std::optional<lb::ForwardingMethod> lvs_method;
    std::optional<std::uint16_t> port;

    bool operator==(const SorryDraft&) const = default;
};

struct ServiceDraft {
    VirtualServerConfig config;
    ServerDefaults own;
    CheckDefaults defaults;
    std::vector<std::int64_t> sched_flags;  // values of the choices
    std::string granularity;                // as written
    SorryDraft sorry;
    std::vector<ServerDraft> servers;

    bool operator==(const ServiceDraft&) const = default;
};

struct Draft {
    std::int64_t schema = 1;
    Origin origin;
    GlobalDraft global;
    LogConfig log;
    ApiConfig api;
    DpdkConfig dpdk;
    std::vector<PortConfig> ports;
    std::vector<RouteConfig> routes;
    std::vector<NeighbourConfig> neighbours;
    std::vector<MarkConfig> marks;
    std::vector<LocalAddressConfig> local_addresses;
    ConntrackConfig conntrack;
    std::vector<VrrpScriptConfig> scripts;
    std::vector<VrrpTrackProcessConfig> processes;
    std::vector<VrrpTrackFileConfig> files;
    std::vector<VrrpSyncGroupConfig> groups;
    std::vector<InstanceDraft> instances;
    std::vector<VirtualServerGroupConfig> server_groups;
    std::vector<ServiceDraft> services;

    bool operator==(const Draft&) const = default;
};

}  // namespace pollux::control
