// SPDX-License-Identifier: Apache-2.0
#pragma once

// The data of the daemon's answers as text for people. Pure: JSON in, text out.

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace pollux::cli {

using Json = nlohmann::ordered_json;

// `data` is the answer's member "data", `args` the request's arguments.
using Renderer = std::string (*)(const Json& data, const Json& args);

[[nodiscard]] std::string render_status(const Json& data, const Json& args);
// As `ipvsadm -Ln`, or with args "stats" as `ipvsadm -Ln --stats`.
[[nodiscard]] std::string render_services(const Json& data, const Json& args);
// As `ipvsadm -Lnc`.
[[nodiscard]] std::string render_connections(const Json& data, const Json& args);
[[nodiscard]] std::string render_ports(const Json& data, const Json& args);
[[nodiscard]] std::string render_workers(const Json& data, const Json& args);
[[nodiscard]] std::string render_drops(const Json& data, const Json& args);
[[nodiscard]] std::string render_neighbours(const Json& data, const Json& args);
[[nodiscard]] std::string render_routes(const Json& data, const Json& args);
[[nodiscard]] std::string render_vrrp(const Json& data, const Json& args);
[[nodiscard]] std::string render_checks(const Json& data, const Json& args);
[[nodiscard]] std::string render_servers(const Json& data, const Json& args);
[[nodiscard]] std::string render_events(const Json& data, const Json& args);
[[nodiscard]] std::string render_check_runs(const Json& data, const Json& args);
[[nodiscard]] std::string render_test_mail(const Json& data, const Json& args);
[[nodiscard]] std::string render_memory(const Json& data, const Json& args);
[[nodiscard]] std::string render_config(const Json& data, const Json& args);
[[nodiscard]] std::string render_reload(const Json& data, const Json& args);
[[nodiscard]] std::string render_weights(const Json& data, const Json& args);
// "done".
[[nodiscard]] std::string render_done(const Json& data, const Json& args);

}  // namespace pollux::cli
