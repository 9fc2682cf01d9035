// SPDX-License-Identifier: Apache-2.0
// The sub-commands that the daemon answers, one row each (decision D16).

#include <array>

#include "tools/pollux/cli.h"

namespace pollux::cli {
namespace {

using enum OptionKind;

constexpr std::array kServiceOptions = {
    OptionRow{"--stats", "stats", Flag, "packets and bytes instead of connections"},
};
constexpr std::array kConnectionOptions = {
    OptionRow{"--client", "client", Endpoint, "only from this address, prefix or address:port"},
    OptionRow{"--virtual", "virtual", Endpoint, "only to this virtual address[:port]"},
    OptionRow{"--server", "server", Endpoint, "only at this real server address[:port]"},
    OptionRow{"--protocol", "protocol", Text, "TCP, UDP or SCTP"},
    OptionRow{"--state", "state", Text, "for example ESTABLISHED"},
    OptionRow{"--templates", "templates", Flag, "only persistence templates"},
    OptionRow{"--limit", "limit", Number, "at most so many (100; up to 10000)"},
};
constexpr std::array kLimitOptions = {
    OptionRow{"--limit", "limit", Number, "at most so many (100)"},
};
constexpr std::array kCheckOptions = {
    OptionRow{"CHECK", "check", Text,
              "as `show checks` names it, or a type, or a server's ADDRESS[:PORT]"},
};
constexpr std::array kDropOptions = {
    OptionRow{"--all", "all", Flag, "also reasons that never occurred"},
};
constexpr std::array kReloadOptions = {
    OptionRow{"--diff", "preview", Flag, "only show what would change"},
    OptionRow{"--confirm", "confirm_seconds", Seconds,
              "go back after this time unless confirmed (60s, 5m)"},
    OptionRow{"--discard-runtime", "discard_runtime", Flag,
              "forget what `pollux ipvs` changed, so that the file alone counts"},
};
constexpr std::array kServerOptions = {
    OptionRow{"SERVER", "server", Text, "the real server: ADDRESS or ADDRESS:PORT"},
    OptionRow{"--service", "service", Text, "only in this service: ADDRESS:PORT or group name"},
};
constexpr std::array kWeightOptions = {
    OptionRow{"SERVER", "server", Text, "the real server: ADDRESS or ADDRESS:PORT"},
    OptionRow{"WEIGHT", "weight", Number, "0 to 65535"},
    OptionRow{"--service", "service", Text, "only in this service: ADDRESS:PORT or group name"},
};
constexpr std::array kStepDownOptions = {
    OptionRow{"INSTANCE", "instance", Text, "name of the vrrp_instance"},
    OptionRow{"--hold", "hold_seconds", Seconds,
              "do not take the role back from a living master for so long (60s)"},
};
constexpr std::array kInstanceOptions = {
    OptionRow{"INSTANCE", "instance", Text, "name of the vrrp_instance"},
};
constexpr std::array kLevelOptions = {
    OptionRow{"LEVEL", "level", Text, "debug, info, warning or error"},
};

constexpr std::array kRows = {
    CommandRow{"show status", "show status", "state of the daemon", {}, render_status},
    CommandRow{"show services", "show services", "services and real servers", kServiceOptions,
               render_services, "{}", "services", Extent::AllServices},
    CommandRow{"show connections", "show connections", "tracked connections", kConnectionOptions,
               render_connections, "{}", "connections"},
    CommandRow{"show ports", "show ports", "ports and their counters", {}, render_ports},
    CommandRow{"show workers", "show workers", "workers and their load", {}, render_workers},
    CommandRow{"show drops", "show drops", "dropped packets by reason", kDropOptions, render_drops},
    CommandRow{
        "show neighbours", "show neighbours", "MAC addresses of next hops", {}, render_neighbours},
    CommandRow{"show routes", "show routes", "routes of the data plane", {}, render_routes},
    CommandRow{"show vrrp", "show vrrp", "virtual routers", {}, render_vrrp},
    CommandRow{"show checks", "show checks", "health checks and what they saw last", kLimitOptions,
               render_checks, "{}", "checks"},
    CommandRow{"show servers", "show servers", "real servers: state, weight, cause", kLimitOptions,
               render_servers, "{}", "servers"},
    CommandRow{"show events", "show events", "the last state changes with their causes",
               kLimitOptions, render_events},
    CommandRow{"events", "show events", "the same", kLimitOptions, render_events},
    CommandRow{"show memory", "show memory", "tables and their fill", {}, render_memory},
    CommandRow{"show config", "show config", "what configuration runs", {}, render_config},
    CommandRow{"reload", "reload", "read the configuration file again", kReloadOptions,
               render_reload},
    CommandRow{"confirm", "confirm", "keep a reload that waits for it", {}, render_done},
    CommandRow{"rollback",
               "rollback",
               "back to the configuration before the last reload",
               {},
               render_reload},
    CommandRow{"checks run", "checks run", "one try of a health check now", kCheckOptions,
               render_check_runs},
    CommandRow{"test-mail",
               "test-mail",
               "send a test mail to the recipients of [global.email]",
               {},
               render_test_mail},
    CommandRow{"server drain", "server weight",
               "weight 0: no new connections, running ones go on (until restart)", kServerOptions,
               render_weights, "{\"weight\":0}"},
    CommandRow{"server enable", "server weight", "back to the configured weight", kServerOptions,
               render_weights, "{\"weight\":-1}"},
    CommandRow{"server weight", "server weight", "another weight (until restart)", kWeightOptions,
               render_weights},
    CommandRow{"vrrp step-down", "vrrp step-down", "hand the role of master over", kStepDownOptions,
               render_done},
    CommandRow{"vrrp garp", "vrrp garp", "announce a master's addresses again", kInstanceOptions,
               render_done},
    CommandRow{"log level", "log level", "log more or less", kLevelOptions, render_done},
    CommandRow{"stop", "stop", "stop the daemon", {}, render_done},
};

}  // namespace

std::span<const CommandRow> command_rows() {
    return kRows;
}

}  // namespace pollux::cli
