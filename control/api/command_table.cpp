// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "control/api/commands.h"
#include "control/log/log.h"

namespace pollux::control::api {
namespace {

// The rows, in the order of `pollux help`.
constexpr std::array kCommands = {
    Command{"show status", "state of the daemon in one screen", Role::Read, show_status},
    Command{"show services", "services and their real servers", Role::Read, show_services},
    Command{"show connections", "tracked connections and templates", Role::Read, show_connections},
    Command{"show ports", "ports, their drivers and counters", Role::Read, show_ports},
    Command{"show workers", "workers: load, bursts, packets", Role::Read, show_workers},
    Command{"show drops", "dropped packets by reason", Role::Read, show_drops},
    Command{"show neighbours", "MAC addresses of next hops", Role::Read, show_neighbours},
    Command{"show routes", "routes of the data plane", Role::Read, show_routes},
    Command{"show vrrp", "virtual routers: states, peers, mismatches", Role::Read, show_vrrp},
    Command{"show checks", "health checks and what they saw last", Role::Read, show_checks},
    Command{"show servers", "real servers: state, weight, cause", Role::Read, show_servers},
    Command{"show events", "the last state changes with their causes", Role::Read, show_events},
    Command{"show memory", "tables and their fill", Role::Read, show_memory},
    Command{"show config", "what configuration runs", Role::Read, show_config},
    Command{"reload", "read the configuration file again", Role::Admin, reload},
    Command{"confirm", "keep a reload that waits for it", Role::Admin, confirm_reload},
    Command{"rollback", "go back to the configuration before the last reload", Role::Admin,
            rollback},
    Command{"vrrp step-down", "hand the role of master over", Role::Admin, vrrp_step_down},
    Command{"vrrp garp", "announce the addresses of a master again", Role::Admin, vrrp_garp},
    Command{"ipvs", "change the LVS table with an ipvsadm command line", Role::Admin, ipvs_command},
    Command{"ipvs listing", "what ipvsadm's listings are made of", Role::Read, ipvs_listing},
    Command{"checks run", "one try now", Role::Admin, run_checks},
    Command{"test-mail", "send a test mail", Role::Admin, send_test_mail},
    Command{"server weight", "set or reset a real server's weight until restart", Role::Admin,
            set_server_weight},
    Command{"log level", "set the log level until the next reload that changes it", Role::Admin,
            set_log_level},
    Command{"stop", "stop the daemon", Role::Admin, stop},
};

std::string answer(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string failure(const Error& error) {
    return answer({{"schema", kSchemaVersion},
                   {"ok", false},
                   {"error", {{"message", error.message}, {"remedy", error.remedy}}}});
}

// Deep nesting would cost stack in the parser; no request needs more than three levels.
bool nested_too_deeply(std::string_view line) {
    constexpr int kMaxDepth = 64;
    int depth = 0;
    bool in_text = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (c == '"') in_text = !in_text;
        if (in_text) {
            if (c == '\\') ++i;
            continue;
        }
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
        if (depth > kMaxDepth) return true;
    }
    return false;
}

Result<Json> run(CommandContext& context, Role role, const Json& request) {
    if (!request.is_object() || !request.contains("command") || !request["command"].is_string()) {
        return Error{"a request is an object with a member \"command\"", ""};
    }
    if (request.value("schema", Json(kSchemaVersion)) != Json(kSchemaVersion)) {
        return Error{"this daemon speaks schema " + std::to_string(kSchemaVersion),
                     "use the pollux command of the same version"};
    }
    const std::string name = request["command"];
    const Command* command = find_command(name);
    if (command == nullptr) return Error{"unknown command " + name, "see: pollux help"};
    if (static_cast<int>(role) < static_cast<int>(command->role)) {
        return Error{"no permission for " + name,
                     command->role == Role::Admin
                         ? "run as root or as a member of [api] admin_group"
                         : "run as root or as a member of [api] read_group"};
    }
    const Json args = request.value("args", Json::object());
    if (!args.is_object()) return Error{"\"args\" is not an object", ""};
    return command->run(context, args);
}

}  // namespace

std::span<const Command> command_table() {
    return kCommands;
}

const Command* find_command(std::string_view name) {
    for (const Command& command : kCommands) {
        if (command.name == name) return &command;
    }
    return nullptr;
}

std::string handle_request(CommandContext& context, Role role, std::string_view line) {
    if (nested_too_deeply(line)) return failure({"the request is nested too deeply", ""});
    const Json request = Json::parse(line, nullptr, false);
    if (request.is_discarded()) return failure({"the request is not JSON", ""});
    auto result = run(context, role, request);
    if (!result) return failure(result.error());
    Json success{{"schema", kSchemaVersion}, {"ok", true}};
    success["data"] = std::move(result).value();  // may be large: no copies
    return answer(success);
}

Result<std::string> text_argument(const Json& args, const std::string& name) {
    const auto member = args.find(name);
    if (member == args.end() || member->is_null()) return std::string();
    if (!member->is_string()) return Error{"argument " + name + " is not a string", ""};
    return member->get<std::string>();
}

Result<std::int64_t> number_argument(const Json& args, const std::string& name,
                                     const NumberRule& rule) {
    const auto member = args.find(name);
    if (member == args.end() || member->is_null()) return rule.otherwise;
    const bool fits = member->is_number_integer() && *member >= rule.least && *member <= rule.most;
    if (!fits) {
        return Error{"argument " + name + " is not a number from " + std::to_string(rule.least) +
                         " to " + std::to_string(rule.most),
                     ""};
    }
    return member->get<std::int64_t>();
}

Result<bool> flag_argument(const Json& args, const std::string& name) {
    const auto member = args.find(name);
    if (member == args.end() || member->is_null()) return false;
    if (!member->is_boolean()) return Error{"argument " + name + " is not true or false", ""};
    return member->get<bool>();
}

}  // namespace pollux::control::api
