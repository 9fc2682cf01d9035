// SPDX-License-Identifier: Apache-2.0
// Commands that read the data plane's tables: services, connections, drops, memory.

#include <nlohmann/json.hpp>

#include "control/api/commands.h"
#include "control/api/connection_filter.h"
#include "control/api/json_views.h"
#include "control/api/service_pages.h"
#include "control/api/worker_load.h"
#include "control/director/director.h"
#include "control/spec/spec_builder.h"

namespace pollux::control::api {
namespace {

std::vector<lb::WorkerCounters> worker_counters(const lb::DataPlane& plane) {
    std::vector<lb::WorkerCounters> counters;
    for (unsigned i = 0; i < plane.worker_count(); ++i) counters.push_back(plane.counters(i));
    return counters;
}

// Servers of the file, in services of this page, whose weight `pollux server` set. Asks for states
// only where they count: the file may have ten thousands of servers.
ServersOfServices weighted_servers(Director& director, std::span<const lb::ServiceView> page) {
    std::set<lb::ServiceKey> shown;
    for (const lb::ServiceView& view : page) shown.insert(lb::ServiceKey::of(view.spec));
    ServersOfServices found;
    const Config& config = director.config();
    for (const VirtualServerConfig& service : config.virtual_servers) {
        std::vector<lb::ServiceKey> keys;
        if (service.group.empty()) {
            keys = service_keys(service, {});
            if (!shown.contains(keys.front())) continue;
        }
        const ServiceStates states(director.servers(), VirtualServerKey::of(service));
        for (const RealServerConfig& server : service.real_server) {
            if (!states.of(server).operator_weight) continue;
            if (keys.empty()) keys = service_keys(service, config.virtual_server_groups);
            for (const lb::ServiceKey& key : keys) {
                if (shown.contains(key)) found.insert({key, {server.address, server.port}});
            }
        }
    }
    return found;
}

}  // namespace

Result<Json> show_services(CommandContext& context, const Json& args) {
    const auto request = service_page_request(args);
    if (!request) return request.error();
    Director& director = context.director;
    const auto page = director.plane().service_page(request->cursor, request->limit);
    Json services = services_json(page.services);
    add_origins(services, page.services, director.runtime_services(),
                weighted_servers(director, page.services));
    Json data{{"services", std::move(services)}};
    if (request->cursor == 0) {
        data["deleted_at_runtime"] = director.runtime_services().deleted();
    }
    data["next"] = page.next;
    data["generation"] = director.plane().generation();
    return data;
}

// The loop has adverts to send: one request looks at no more records than take a few milliseconds,
// and the client asks on from `next`.
Result<Json> show_connections(CommandContext& context, const Json& args) {
    constexpr std::uint32_t kChunk = 256;
    constexpr unsigned kChunksPerRequest = 128;
    auto filter = ConnectionFilter::parse(args);
    if (!filter) return filter.error();
    const auto limit = number_argument(args, "limit", {100, 1, 10000});
    if (!limit) return limit.error();
    const auto cursor = number_argument(args, "cursor", {0, 0, std::int64_t{1} << 40});
    if (!cursor) return cursor.error();
    Director& director = context.director;
    Json list = Json::array();
    const auto visit = [&](const lb::ConnectionView& view) {
        if (filter->matches(view)) list.push_back(connection_json(view));
    };
    auto next = static_cast<std::uint64_t>(*cursor);
    for (unsigned i = 0; i < kChunksPerRequest; ++i) {
        next = director.plane().visit_connections(director.now(), next, kChunk, visit);
        if (next == 0 || list.size() >= static_cast<std::size_t>(*limit)) break;
    }
    return Json{{"connections", std::move(list)}, {"next", next}};
}

Result<Json> show_drops(CommandContext& context, const Json& args) {
    const auto all = flag_argument(args, "all");
    if (!all) return all.error();
    Director& director = context.director;
    const auto counters = worker_counters(director.plane());
    const ParkingCounters& parking = director.next_hops().parking().counters();
    const dpdk::ControlCounters control = director.runtime().control_counters();
    Json taps = Json::array();
    for (const ControlPort& port : director.ports().ports) {
        const TapCounters& tap = director.taps().counters(port.id);
        taps.push_back({{"port", port.name},
                        {"to_kernel", tap.to_kernel},
                        {"to_kernel_failed", tap.to_kernel_failed},
                        {"from_kernel", tap.from_kernel},
                        {"from_kernel_failed", tap.from_kernel_failed}});
    }
    return Json{{"totals", totals_json(counters)},
                {"drops", drops_json(counters, *all)},
                {"punts", punts_json(counters)},
                {"waiting_for_next_hop",
                 {{"parked", parking.parked},
                  {"sent", parking.sent},
                  {"expired", parking.expired},
                  {"refused", parking.refused},
                  {"waiting", director.next_hops().parking().frames()}}},
                {"exception_path", std::move(taps)},
                {"control_frames",
                 {{"sent", control.transmitted},
                  {"failed", control.transmit_failed},
                  {"no_buffer", control.no_buffer},
                  {"expired", control.expired}}}};
}

Result<Json> show_memory(CommandContext& context, const Json& /*args*/) {
    return Json{{"memory", memory_json(context.director.plane().memory())}};
}

Result<Json> show_workers(CommandContext& context, const Json& /*args*/) {
    Director& director = context.director;
    Json list = Json::array();
    for (const dpdk::WorkerView& worker : director.runtime().workers()) {
        Json row = worker_json(worker, director.plane().counters(worker.index));
        if (const auto rate = context.load.rate(worker.index)) {
            row["lately"] = {{"packets_per_second", rate->packets_per_second},
                             {"bits_per_second", rate->bits_per_second},
                             {"busy_share", rate->busy_share},
                             {"cycles_per_packet", rate->cycles_per_packet}};
        }
        list.push_back(std::move(row));
    }
    return Json{{"workers", std::move(list)}};
}

}  // namespace pollux::control::api
