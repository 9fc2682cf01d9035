// SPDX-License-Identifier: Apache-2.0
#pragma once

// The commands of the control socket as rows of a table (decision D16): what `pollux` can ask the
// daemon. Control thread.
//
// A request is one line of JSON, an answer is one line of JSON:
//   {"schema": 1, "command": "show services", "args": {...}}
//   {"schema": 1, "ok": true, "data": {...}}
//   {"schema": 1, "ok": false, "error": {"message": "...", "remedy": "..."}}
// docs/control-protocol.md lists the commands with their arguments and data.

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "control/api/control_socket.h"
#include "dataplane/net/result.h"

namespace pollux::control {
class Director;
class HealthRunner;
class Mailer;
class Reloader;
class VrrpRunner;
}  // namespace pollux::control

namespace pollux::control::api {

class IpvsCommands;
class WorkerLoad;

using Json = nlohmann::ordered_json;

// The version of requests, answers and all --json output. Grows when a member changes its meaning
// or goes; new members do not change it.
inline constexpr int kSchemaVersion = 1;

class Tickets;

// What commands work on.
struct CommandContext {
    Director& director;
    Reloader& reloader;
    VrrpRunner& vrrp;
    IpvsCommands& ipvs;
    HealthRunner& health;
    Mailer& mailer;
    Tickets& tickets;
    const WorkerLoad& load;
};

struct Command {
    std::string_view name;     // "show services"
    std::string_view summary;  // one line for `pollux help`
    Role role;                 // the least that may use it
    // Bad arguments and refusals are errors.
    Result<Json> (*run)(CommandContext& context, const Json& args);
};

[[nodiscard]] std::span<const Command> command_table();
[[nodiscard]] const Command* find_command(std::string_view name);

// Handles one request line; returns one answer line with its newline.
[[nodiscard]] std::string handle_request(CommandContext& context, Role role, std::string_view line);

}  // namespace pollux::control::api
