// SPDX-License-Identifier: Apache-2.0
#pragma once

// The functions behind the rows of the command table. Control thread.

#include <nlohmann/json.hpp>

#include "control/api/command.h"

namespace pollux::control::api {

Result<Json> show_status(CommandContext& context, const Json& args);
Result<Json> show_services(CommandContext& context, const Json& args);
Result<Json> show_connections(CommandContext& context, const Json& args);
Result<Json> show_ports(CommandContext& context, const Json& args);
Result<Json> show_workers(CommandContext& context, const Json& args);
Result<Json> show_drops(CommandContext& context, const Json& args);
Result<Json> show_neighbours(CommandContext& context, const Json& args);
Result<Json> show_routes(CommandContext& context, const Json& args);
Result<Json> show_memory(CommandContext& context, const Json& args);
Result<Json> show_config(CommandContext& context, const Json& args);

Result<Json> ipvs_command(CommandContext& context, const Json& args);
Result<Json> ipvs_listing(CommandContext& context, const Json& args);

Result<Json> show_vrrp(CommandContext& context, const Json& args);

Result<Json> show_checks(CommandContext& context, const Json& args);
Result<Json> show_servers(CommandContext& context, const Json& args);
Result<Json> show_events(CommandContext& context, const Json& args);
Result<Json> run_checks(CommandContext& context, const Json& args);
Result<Json> send_test_mail(CommandContext& context, const Json& args);

Result<Json> vrrp_step_down(CommandContext& context, const Json& args);
Result<Json> vrrp_garp(CommandContext& context, const Json& args);

Result<Json> reload(CommandContext& context, const Json& args);
Result<Json> confirm_reload(CommandContext& context, const Json& args);
Result<Json> rollback(CommandContext& context, const Json& args);
Result<Json> stop(CommandContext& context, const Json& args);
Result<Json> set_server_weight(CommandContext& context, const Json& args);
Result<Json> set_log_level(CommandContext& context, const Json& args);

// Arguments by name. Absent: the default; of a wrong type or out of range: an error.
struct NumberRule {
    std::int64_t otherwise = 0, least = 0, most = 0;
};
Result<std::string> text_argument(const Json& args, const std::string& name);
Result<std::int64_t> number_argument(const Json& args, const std::string& name,
                                     const NumberRule& rule);
Result<bool> flag_argument(const Json& args, const std::string& name);

}  // namespace pollux::control::api
