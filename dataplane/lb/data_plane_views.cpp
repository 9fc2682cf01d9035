// SPDX-License-Identifier: Apache-2.0

// What the operator sees, read by the control thread while the workers run.

#include <algorithm>
#include <limits>
#include <string>

#include "dataplane/lb/data_plane.h"
#include "dataplane/lb/data_plane_impl.h"
#include "dataplane/lb/tracking.h"

namespace pollux::lb {
namespace {

// Records looked at before the control thread passes a quiescent point.
constexpr std::uint32_t kVisitChunk = 4096;

template <typename View>
void fill(View& view, const Traffic& traffic) {
    view.connections = traffic.connections;
    view.packets_in = traffic.packets_in;
    view.packets_out = traffic.packets_out;
    view.bytes_in = traffic.bytes_in;
    view.bytes_out = traffic.bytes_out;
}

ServerView view_of(const SharedState& shared, RealServerId id, const Snapshot& snapshot,
                   const Traffic& traffic) {
    const RealServer& server = snapshot.server(id);
    const ServerLoad& load = shared.loads[index(id)];
    ServerView view;
    view.address = server.address;
    view.port = server.port.host();
    view.method = server.method;
    view.weight = server.weight;
    view.tunnel = snapshot.tunnel_specs[index(id)];
    view.upper_threshold = load.upper.load(std::memory_order_relaxed);
    view.lower_threshold = load.lower.load(std::memory_order_relaxed);
    view.removed = !server.present;
    // Relaxed: figures, one by one.
    view.active = load.active.load(std::memory_order_relaxed);
    view.inactive = load.inactive.load(std::memory_order_relaxed);
    view.persistent = load.persistent.load(std::memory_order_relaxed);
    fill(view, traffic);
    return view;
}

ConnectionView view_of(const SharedState& shared, const Connection& connection,
                       ConnectionState state, Tick now) {
    ConnectionView view;
    view.protocol = state.protocol();
    view.client = connection.client_address();
    view.client_port = connection.client_port().host();
    view.virtual_address = connection.virtual_address();
    view.virtual_port = connection.virtual_port().host();
    view.server =
        shared.server_addresses[static_cast<std::uint32_t>(connection.server())].address();
    view.server_port = connection.server_port().host();
    if (state.method() == ForwardingMethod::FullNat) {
        view.local = shared.local_addresses[index(connection.local_address())].address();
        view.local_port = connection.local_port().host();
    }
    view.method = state.method();
    view.state = state_name(state);
    view.expires_in = connection.expires_in(now);
    return view;
}

ConnectionView view_of(const SharedState& shared, const TemplateView& found) {
    ConnectionView view;
    view.is_template = true;
    view.protocol = found.key.protocol();
    view.client = found.key.source();
    view.client_port = found.key.source_port().host();
    view.virtual_address = found.key.destination();
    view.virtual_port = found.unreachable ? 65535 : found.key.destination_port().host();
    view.server = shared.server_addresses[static_cast<std::uint32_t>(found.server)].address();
    view.server_port = found.unreachable ? 65535 : found.server_port.host();
    view.method = found.method;
    view.state = found.assured ? "ASSURED" : "NONE";
    view.expires_in = found.expires_in;
    return view;
}

}  // namespace

WorkerCounters DataPlane::counters(unsigned worker) const {
    const CounterBlock& block = Impl::impl_of(impl_->workers[worker]).counters;
    WorkerCounters result;
    result.received = block.received.read();
    result.received_bytes = block.received_bytes.read();
    result.transmitted = block.transmitted.read();
    result.punted = block.punted.read();
    result.originated = block.originated.read();
    result.parked = block.parked.read();
    result.connections_created = block.connections_created.read();
    result.connection_hits = block.connection_hits.read();
    result.embryonic_evicted = block.embryonic_evicted.read();
    for (std::size_t i = 0; i < kDropReasonCount; ++i) result.dropped[i] = block.dropped[i].read();
    for (std::size_t i = 0; i < kPuntReasonCount; ++i) {
        result.punted_by_reason[i] = block.punted_by_reason[i].read();
    }
    return result;
}

std::vector<ServiceView> DataPlane::services(TimePoint /*now*/) const {
    return service_page(0, std::numeric_limits<std::uint32_t>::max()).services;
}

ServicePage DataPlane::service_page(std::uint64_t cursor, std::uint32_t budget) const {
    const Snapshot& snapshot = *impl_->shared.snapshot.read();
    ServicePage page;
    std::size_t left = budget;
    // A cursor is a ServiceId and, below it, a position among the service's servers.
    std::size_t first = cursor & std::numeric_limits<std::uint32_t>::max();
    for (std::uint64_t i = cursor >> 32U; i < snapshot.services.size(); ++i, first = 0) {
        const VirtualService& service = snapshot.services[i];
        const ServiceId id{static_cast<std::uint32_t>(i)};
        if (!service.present) continue;
        const auto removed = impl_->removed_servers(snapshot, id);
        const std::size_t size = service.servers.size() + removed.size();
        if (first != 0 && first >= size) continue;  // it has become shorter since the page before
        const std::size_t rest = size - first;
        if (rest >= left && !page.services.empty()) {
            page.next = i << 32U | first;
            break;
        }
        const std::size_t end = first + std::min<std::size_t>(rest, budget);
        ServiceView view;
        view.spec = service.spec;
        view.continued = first != 0;
        Traffic sum = impl_->traffic_of_former(id);
        const std::size_t read_to = view.continued ? end : size;
        for (std::size_t at = first; at < read_to; ++at) {
            const bool present = at < service.servers.size();
            const RealServerId server =
                present ? service.servers[at] : removed[at - service.servers.size()].server;
            const Traffic traffic = impl_->traffic_of(server);
            sum += traffic;
            if (at >= end) continue;
            ServerView row = view_of(impl_->shared, server, snapshot, traffic);
            if (!present && row.active + row.inactive + row.persistent == 0) continue;
            view.servers.push_back(row);
        }
        if (!view.continued) fill(view, sum);
        page.services.push_back(std::move(view));
        if (end < size) {
            page.next = i << 32U | end;
            break;
        }
        left -= std::min(left, rest + 1);
    }
    return page;
}

std::uint64_t DataPlane::visit_connections(
    TimePoint now, std::uint64_t cursor, std::uint32_t budget,
    const std::function<void(const ConnectionView&)>& visit) const {
    // Positions of templates come after those of connections.
    constexpr std::uint64_t kTemplates = std::uint64_t{1} << 32U;
    SharedState& shared = impl_->shared;
    const Tick tick = to_tick(now);
    const auto at = static_cast<std::uint32_t>(cursor);
    std::uint64_t next = 0;
    if (cursor < kTemplates) {
        next = shared.connections.visit(
            at, budget, [&](ConnectionIndex, const Connection& connection, ConnectionState state) {
                if (connection.expired(state, tick)) return;
                visit(view_of(shared, connection, state, tick));
            });
        if (next == 0) next = kTemplates;
    } else {
        next = shared.templates.visit(
            at, budget, tick, [&](const TemplateView& found) { visit(view_of(shared, found)); });
        if (next != 0) next += kTemplates;
    }
    shared.quiescence.report(shared.control());
    return next;
}

void DataPlane::for_each_connection(TimePoint now,
                                    const std::function<void(const ConnectionView&)>& visit) const {
    std::uint64_t cursor = 0;
    do {
        cursor = visit_connections(now, cursor, kVisitChunk, visit);
    } while (cursor != 0);
}

std::optional<ConnectionView> DataPlane::find_connection(const FlowKey& key, TimePoint now) const {
    SharedState& shared = impl_->shared;
    const Tick tick = to_tick(now);
    const FoundConnection found = shared.connections.find(key, tick);
    std::optional<ConnectionView> view;
    if (found.index != kNoConnection) {
        const Connection& connection = shared.connections.connection(found.index);
        view = view_of(shared, connection, connection.state(), tick);
    }
    shared.quiescence.report(shared.control());
    return view;
}

std::vector<MemoryView> DataPlane::memory() const {
    const SharedState& shared = impl_->shared;
    const bool huge = shared.region.page_kind() != PageKind::Normal;
    std::vector<MemoryView> views;
    for (const auto& accounts : {shared.connections.memory(), shared.templates.memory()}) {
        for (const MemoryAccount& account : accounts) {
            views.push_back(
                {std::string(account.name), account.bytes, account.capacity, account.used, huge});
        }
    }
    return views;
}

}  // namespace pollux::lb
