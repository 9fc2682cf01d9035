// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/establish.h"

#include "dataplane/lb/answer.h"
#include "dataplane/lb/host.h"
#include "dataplane/lb/load_count.h"
#include "dataplane/lb/rewrite.h"
#include "dataplane/lb/track.h"

namespace pollux::lb {
namespace {

// Half-open connections that have been silent this long make room for new ones when they have used
// up their share; as many are taken at a time, out of as many that are looked at.
constexpr Ticks kReclaimIdle{std::chrono::seconds(1)};
constexpr std::uint32_t kReclaimWanted = 16;
constexpr std::uint32_t kReclaimBudget = 256;

bool is_one_packet(const VirtualService& service, Protocol protocol) noexcept {
    return service.spec.one_packet && protocol == Protocol::Udp;
}

std::uint16_t flags_of(ConnectionState state) noexcept {
    std::uint16_t flags = 0;
    for (const ConnectionFlag flag : {ConnectionFlag::Active, ConnectionFlag::Embryonic,
                                      ConnectionFlag::NoOutput, ConnectionFlag::SecureTcp}) {
        if (state.has(flag))
            flags = static_cast<std::uint16_t>(flags | static_cast<unsigned>(flag));
    }
    return flags;
}

NewConnection describe(const Burst& burst, const ConnectionRequest& request, const Binding& binding,
                       ConnectionState first) noexcept {
    const RealServer& server = burst.snapshot.server(binding.server);
    NewConnection what;
    what.forward = request.key;
    what.service = request.service;
    what.server = binding.server;
    what.method = server.method;
    what.server_is_v6 = server.address.is_v6();
    what.server_port = binding.server_port;
    what.persistence = binding.persistence;
    what.protocol_state = first.protocol_state();
    what.timeout = first.timeout();
    what.flags = flags_of(first);
    return what;
}

void give_up(Burst& burst, const Binding& binding, ConnectionState first) noexcept {
    count_removed(burst.worker.shared, binding.server, first);
    if (binding.persistence != kNoTemplate) {
        burst.worker.shared.templates.release(binding.persistence, burst.tick);
    }
}

bool has_room_for(Burst& burst, ConnectionState first) noexcept {
    if (!first.has(ConnectionFlag::Embryonic)) return true;
    const Participant self = burst.worker.self();
    if (burst.table.may_add_embryonic(self)) return true;
    burst.table.reclaim_embryonic(self, burst.tick, kReclaimIdle, kReclaimWanted, kReclaimBudget);
    return burst.table.may_add_embryonic(self);
}

// A finished connection may hold the tuple of the server's answers: then it goes.
bool clear_finished(Burst& burst, ConnectionIndex other) noexcept {
    const ConnectionState state = burst.table.connection(other).state();
    return !state.has(ConnectionFlag::Active) && state.protocol() == Protocol::Tcp &&
           burst.table.remove(burst.worker.self(), other);
}

InsertResult insert_once(Burst& burst, const ConnectionRequest& request, NewConnection& what,
                         std::uint64_t hash) noexcept {
    const Participant self = burst.worker.self();
    const ConnectionIndex reserved = burst.table.reserve(self);
    if (reserved == kNoConnection) {
        burst.table.reclaim_embryonic(self, burst.tick, kReclaimIdle, kReclaimWanted,
                                      kReclaimBudget);
        return {InsertStatus::IndexFull, kNoConnection};
    }
    burst.table.connection(reserved).init(what, burst.tick);
    if (what.method == ForwardingMethod::FullNat) {
        return burst.table.insert_with_local_port(
            self, reserved, hash, burst.snapshot.local_ports(what.server_is_v6), burst.tick);
    }
    return burst.table.insert(self, reserved, hash, burst.tick);
}

InsertResult insert(Burst& burst, const ConnectionRequest& request, NewConnection& what,
                    std::uint64_t hash) noexcept {
    const InsertResult first = insert_once(burst, request, what, hash);
    if (first.status != InsertStatus::ReplyTaken || !clear_finished(burst, first.index)) {
        return first;
    }
    return insert_once(burst, request, what, hash);
}

DropReason reason_of(InsertStatus status) noexcept {
    switch (status) {
        case InsertStatus::ReplyTaken:
            return DropReason::ReplyTaken;
        case InsertStatus::NoLocalPort:
            return DropReason::NoLocalPort;
        case InsertStatus::Inserted:
        case InsertStatus::Exists:
        case InsertStatus::IndexFull:
            break;
    }
    return DropReason::ConnectionTableFull;
}

// One-packet scheduling: the connection lives for this packet only and is counted nowhere but in
// the server's total.
void pass_once(Burst& burst, unsigned at, const ConnectionRequest& request, const Binding& binding,
               ConnectionState first) noexcept {
    Connection& connection = burst.memory.passing[at];
    connection.init(describe(burst, request, binding, first), burst.tick);
    PacketContext& context = burst.packet(at);
    context.connection = &connection;
    context.server = &burst.snapshot.server(binding.server);
    burst.worker.traffic[index(binding.server)].connections.add(1);
    if (binding.persistence != kNoTemplate) {
        burst.worker.shared.templates.release(binding.persistence, burst.tick);
    }
}

// Puts a new connection into the table. Found: another one that holds its tuple already. Neither
// that nor a verdict: the connection is the packet's.
FoundConnection open(Burst& burst, unsigned at, const ConnectionRequest& request,
                     const Binding& binding, ConnectionState first) noexcept {
    PacketContext& context = burst.packet(at);
    if (!has_room_for(burst, first)) {
        if (binding.persistence != kNoTemplate) {
            burst.worker.shared.templates.release(binding.persistence, burst.tick);
        }
        drop(burst, context, DropReason::EmbryonicLimit);
        return {};
    }
    NewConnection what = describe(burst, request, binding, first);
    count_added(burst.worker.shared, binding.server, first);
    const InsertResult result = insert(burst, request, what, burst.packet(at).lookup.hash);
    if (result.status != InsertStatus::Inserted) {
        give_up(burst, binding, first);
        if (result.status == InsertStatus::Exists) return {result.index, Direction::Forward};
        drop(burst, context, reason_of(result.status));
        return {};
    }
    burst.inserted = true;
    context.connection = &burst.table.connection(result.index);
    context.server = &burst.snapshot.server(binding.server);
    burst.worker.counters.connections_created.add(1);
    burst.worker.traffic[index(binding.server)].connections.add(1);
    if (binding.persistence != kNoTemplate && assures_template(first, false)) {
        burst.worker.shared.templates.assure(binding.persistence);
    }
    return {};
}

BindStatus bind(Burst& burst, const ConnectionRequest& request, Binding& binding) noexcept {
    const bool persistent = burst.snapshot.service(request.service).spec.persistence.has_value();
    return persistent ? bind_by_template(burst, request, binding)
                      : bind_by_scheduler(burst, request, binding);
}

void schedule_packet(Burst& burst, unsigned at, const ConnectionRequest& request) noexcept {
    PacketContext& context = burst.packet(at);
    if (burst.worker.dropper.drops_next(burst.defence.drop_rate)) {
        drop(burst, context, DropReason::DefenceDropPacket);
        return;
    }
    const VirtualService& service = burst.snapshot.service(request.service);
    Binding binding;
    const BindStatus status = bind(burst, request, binding);
    if (status == BindStatus::NoServer) {
        answer_no_server(burst, context);
        return;
    }
    if (status == BindStatus::TemplateFull) {
        drop(burst, context, DropReason::PersistenceTableFull);
        return;
    }
    const Protocol protocol = request.key.protocol();
    const ForwardingMethod method = burst.snapshot.server(binding.server).method;
    const ConnectionState first =
        track_packet(initial_state(protocol, method), false, event_of(context),
                     burst.snapshot.timeouts, burst.defence.secure_tcp);
    if (is_one_packet(service, protocol)) {
        pass_once(burst, at, request, binding, first);
    } else if (const FoundConnection other = open(burst, at, request, binding, first)) {
        take_packet(burst, at, other);
        return;
    }
    if (context.packet->verdict == Verdict::Pending) admit_to_server(burst, at, method);
}

// LVS schedules nothing that comes from FTP's data port: these are connections of an FTP server to
// its client. And a service that is not persistent gets nothing for the data ports of FTP.
bool is_for_scheduling(const VirtualService& service, const FlowKey& key) noexcept {
    if (key.source_port().host() == kFtpDataPort) return false;
    return service.key.fwmark != 0 || service.spec.persistence ||
           key.destination_port().host() == service.key.port;
}

// nat_icmp_send: a packet of a NAT server that no connection explains. A reset needs no answer.
bool is_stray_of_server(const Burst& burst, const PacketContext& context,
                        const FlowKey& key) noexcept {
    const PacketEvent event = event_of(context);
    const bool ends = (key.protocol() == Protocol::Tcp && (event.tcp_flags & net::kTcpRst) != 0) ||
                      (key.protocol() == Protocol::Sctp && event.sctp == SctpEvent::Abort);
    return !ends && burst.snapshot.nat_servers.contains(key.source(), key.protocol(),
                                                        key.source_port().host());
}

// The packet is quoted as it would have been routed on.
void refuse_server(Burst& burst, PacketContext& context) noexcept {
    if (!burst.snapshot.owns(context.parsed.destination(context.packet->data))) {
        if (context.parsed.ttl <= 1) {
            answer_ttl_exceeded(burst, context);
            return;
        }
        decrement_ttl(context);
    }
    answer_no_connection(burst, context);
}

}  // namespace

ConnectionRequest request_for(const Burst& burst, const FlowKey& key) noexcept {
    ConnectionRequest request;
    request.key = key;
    const net::IpAddress destination = key.destination();
    const std::uint16_t port = key.destination_port().host();
    if (!burst.snapshot.marks.empty()) {
        request.fwmark = burst.snapshot.marks.mark_of(
            {key.source(), destination, key.protocol(), key.source_port().host(), port});
    }
    request.service =
        burst.snapshot.service_lookup.find(destination, key.protocol(), port, request.fwmark);
    return request;
}

BindStatus bind_by_scheduler(Burst& burst, const ConnectionRequest& request,
                             Binding& binding) noexcept {
    const ServiceScheduler& scheduler = burst.snapshot.service(request.service).scheduler;
    const std::uint32_t target = schedule(scheduler,
                                          {request.key.source(), request.key.destination(),
                                           request.key.source_port().host(), burst.now},
                                          burst.worker.shared.loads.span());
    if (target == kNoTarget) return BindStatus::NoServer;
    binding.server = scheduler.targets[target].id;
    const RealServer& server = burst.snapshot.server(binding.server);
    binding.server_port = server.port.wire() != 0 ? server.port : request.key.destination_port();
    return BindStatus::Bound;
}

void establish(Burst& burst, unsigned at) noexcept {
    PacketContext& context = burst.packet(at);
    const FlowKey& key = burst.packet(at).key;
    if (burst.inserted) {
        // An earlier packet of this burst may have opened the connection.
        const FoundConnection found = burst.table.find(key, burst.tick);
        if (found) {
            take_packet(burst, at, found);
            return;
        }
    }
    if (!burst.snapshot.nat_servers.empty() && is_stray_of_server(burst, context, key)) {
        refuse_server(burst, context);
        return;
    }
    const ConnectionRequest request = request_for(burst, key);
    if (request.service == kNoService) {
        punt_to_host(burst, context);
        return;
    }
    if (!opens_connection(key.protocol(), event_of(context), burst.snapshot.sysctl) ||
        !is_for_scheduling(burst.snapshot.service(request.service), key)) {
        refuse_stray(burst, context);
        return;
    }
    schedule_packet(burst, at, request);
}

FoundConnection establish_quoted(Burst& burst, unsigned at,
                                 const ConnectionRequest& request) noexcept {
    PacketContext& context = burst.packet(at);
    if (burst.worker.dropper.drops_next(burst.defence.drop_rate)) {
        drop(burst, context, DropReason::DefenceDropPacket);
        return {};
    }
    Binding binding;
    const BindStatus status = bind(burst, request, binding);
    if (status != BindStatus::Bound) {
        const bool full = status == BindStatus::TemplateFull;
        drop(burst, context, full ? DropReason::PersistenceTableFull : DropReason::NoRealServer);
        return {};
    }
    const Protocol protocol = request.key.protocol();
    const ConnectionState first =
        initial_state(protocol, burst.snapshot.server(binding.server).method);
    if (is_one_packet(burst.snapshot.service(request.service), protocol)) {
        pass_once(burst, at, request, binding, first);
        return {};
    }
    return open(burst, at, request, binding, first);
}

}  // namespace pollux::lb
