// SPDX-License-Identifier: Apache-2.0
#pragma once

// The language of ipvsadm 1.31: one command line in, one Command or the text and exit status with
// which ipvsadm refuses it. Pure: no table is touched, no name is looked up. Any thread.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dataplane/lb/spec.h"

namespace pollux::control::ipvs {

// Why a command was refused. ipvsadm exits with 2 for a wrong line, 255 for a refusal of the
// kernel, 1 when the service to be listed is missing.
struct Refusal {
    std::string message;
    int exit_status = 2;
};

enum class Verb : std::uint8_t {
    AddService,
    EditService,
    DeleteService,
    Clear,
    List,
    AddServer,
    DeleteServer,
    EditServer,
    SetTimeouts,
    StartDaemon,
    StopDaemon,
    Restore,
    Save,
    Zero,
    Help,
    Version,
};

// What `-L` and `-S` were asked to show.
struct Listing {
    bool numeric = false;          // -n
    bool connections = false;      // -c
    bool timeouts = false;         // --timeout
    bool daemon = false;           // --daemon
    bool stats = false;            // --stats
    bool rate = false;             // --rate
    bool thresholds = false;       // --thresholds
    bool persistent_conn = false;  // --persistent-conn
    bool tunnel_info = false;      // --tun-info
    bool exact = false;            // --exact
    bool sorted = true;            // not --nosort
};

struct Command {
    Verb verb = Verb::List;
    bool has_service = false;        // -t, -u, --sctp-service or -f was given
    lb::ServiceSpec service;         // without servers
    lb::RealServerSpec server;       // -r and what belongs to it
    bool server_port_given = false;  // the text of -r named a port
    std::string scheduler = "wlc";   // as given; may be unknown
    std::string persistence_engine;  // as given
    Listing listing;
    std::array<std::uint32_t, 3> timeouts{};  // --set: tcp, tcpfin, udp in seconds; 0 = leave
};

// Ports and hosts by name ("http"), as far as the caller can resolve them. Empty functions: only
// numbers are understood.
struct NameResolver {
    std::optional<std::uint16_t> (*port)(std::string_view name, lb::Protocol protocol) = nullptr;
    std::optional<net::IpAddress> (*host)(std::string_view name) = nullptr;
};

// `arguments` without the program's name. `program` is what the message for unknown commands names.
[[nodiscard]] std::variant<Command, Refusal> parse_command(std::span<const std::string> arguments,
                                                           std::string_view program,
                                                           const NameResolver& resolver = {});

// Splits a line as ipvsadm -R and the recordings write it: words separated by blanks.
[[nodiscard]] std::vector<std::string> split_line(std::string_view line);

}  // namespace pollux::control::ipvs
