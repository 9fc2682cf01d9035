// SPDX-License-Identifier: Apache-2.0
#pragma once

// Views of the data plane, of ports and workers as JSON: the data of the `show` commands. Pure;
// the members are documented in docs/control-protocol.md.

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "control/ipvs/format.h"
#include "control/netlink/kernel_tables.h"
#include "control/spec/runtime_services.h"
#include "control/spec/server_states.h"
#include "control/tap/port_table.h"
#include "dataplane/dpdk/runtime.h"
#include "dataplane/lb/data_plane.h"

namespace pollux::control::api {

using Json = nlohmann::ordered_json;

using control::to_string;

[[nodiscard]] Json services_json(std::span<const lb::ServiceView> services);
// Adds `per_second` to the result of services_json; `rates` as RateEstimator gives them for it.
void add_rates(Json& services, std::span<const ipvs::ServiceRates> rates);
// Adds `defined_by` to each service and server of services_json(views). `weighted`: servers of the
// file with a weight of the operator's.
using ServersOfServices = std::set<std::pair<lb::ServiceKey, ServerEndpoint>>;
void add_origins(Json& services, std::span<const lb::ServiceView> views,
                 const RuntimeServices& changes, const ServersOfServices& weighted);
[[nodiscard]] Json connection_json(const lb::ConnectionView& connection);
[[nodiscard]] Json port_json(const dpdk::PortView& port);
[[nodiscard]] Json worker_json(const dpdk::WorkerView& worker, const lb::WorkerCounters& counters);
[[nodiscard]] Json memory_json(std::span<const lb::MemoryView> memory);
// One row per reason that occurred, or per every reason.
[[nodiscard]] Json drops_json(std::span<const lb::WorkerCounters> workers, bool all);
// Received, transmitted, punted, dropped and originated of all workers (decision D10).
[[nodiscard]] Json totals_json(std::span<const lb::WorkerCounters> workers);
[[nodiscard]] Json punts_json(std::span<const lb::WorkerCounters> workers);
[[nodiscard]] Json route_json(const lb::RouteSpec& route, const PortTable& ports);
[[nodiscard]] std::string_view to_string(lb::PuntReason reason);

}  // namespace pollux::control::api
