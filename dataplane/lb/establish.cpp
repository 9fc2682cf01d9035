// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/establish.h"

#include "dataplane/lb/answer.h"
#include "dataplane/lb/host.h"
#include "dataplane/lb/load_count.h"
#include "dataplane/lb/rewrite.h"
#include "dataplane/lb/track.h"

namespace pollux::lb {
namespace {

// A half-open connection may be evicted after two ticks: its client had at least a sixteenth of a
// second for the handshake. So many records are looked at for a batch of them.
constexpr Ticks kEvictIdle{2};
constexpr std::uint32_t kEvictBudget = 256;

bool is_one_packet(const VirtualService& service, Protocol protocol) noexcept {
    return service.spec.one_packet && protocol == Protocol::Udp;
}

std::uint16_t flags_of(ConnectionState state) noexcept {
    constexpr unsigned kMask = static_cast<unsigned>(ConnectionFlag::Active) |
                               static_cast<unsigned>(ConnectionFlag::Embryonic) |
                               static_cast<unsigned>(ConnectionFlag::NoOutput) |
                               static_cast<unsigned>(ConnectionFlag::SecureTcp);
    return static_cast<std::uint16_t>(state.flags() & kMask);
}

NewConnection describe(const Burst& burst, const FlowKey& key, const Opening& opening) noexcept {
    const RealServer& server = burst.snapshot.server(opening.server);
    NewConnection what;
    what.forward = key;
    what.service = opening.service;
    what.server = opening.server;
    what.method = server.method;
    what.server_is_v6 = server.address.is_v6();
    what.server_port = opening.server_port;
    what.persistence = opening.persistence;
    what.protocol_state = opening.first.protocol_state();
    what.timeout = opening.first.timeout();
    what.flags = flags_of(opening.first);
    return what;
}

void release_template(Burst& burst, const Opening& opening) noexcept {
    if (opening.persistence != kNoTemplate) {
        burst.worker.shared.templates.release(opening.persistence, burst.tick);
    }
}

void give_up(Burst& burst, const Opening& opening) noexcept {
    count_removed(burst.worker.shared, opening.server, opening.first);
    release_template(burst, opening);
}

// Evicts some of the oldest half-open connections. A burst that has found none to evict does not
// look again, so that refusing a packet costs next to nothing.
void evict_embryonic(Burst& burst) noexcept {
    if (!burst.evicting) return;
    const std::uint32_t evicted =
        burst.table.reclaim_embryonic(burst.worker.self(), burst.tick, kEvictIdle, kEvictBudget);
    burst.worker.counters.embryonic_evicted.add(evicted);
    burst.evicting = evicted != 0;
}

bool has_room_for(Burst& burst, ConnectionState first) noexcept {
    if (!first.has(ConnectionFlag::Embryonic)) return true;
    const Participant self = burst.worker.self();
    // Those that wait for their insertion are not in the table's count yet.
    const unsigned waiting = burst.memory.openings.embryonic();
    if (burst.table.may_add_embryonic(self, waiting)) return true;
    evict_embryonic(burst);
    return burst.table.may_add_embryonic(self, waiting);
}

// A finished connection may hold the tuple of the server's answers: then it goes.
bool clear_finished(Burst& burst, ConnectionIndex other) noexcept {
    const ConnectionState state = burst.table.connection(other).state();
    return !state.has(ConnectionFlag::Active) && state.protocol() == Protocol::Tcp &&
           burst.table.remove(burst.worker.self(), other);
}

std::span<const LocalPorts> local_ports(const Burst& burst, const RealServer& server) noexcept {
    return burst.snapshot.local_ports(server.address.is_v6());
}

// Makes a record and fetches what its insertion will touch. False: none is free.
bool reserve(Burst& burst, Opening& opening) noexcept {
    const Participant self = burst.worker.self();
    const PacketContext& context = burst.packet(opening.at);
    const RealServer& server = burst.snapshot.server(opening.server);
    opening.reserved = burst.table.reserve(self);
    if (opening.reserved == kNoConnection) {
        evict_embryonic(burst);  // for the next ones: their records are free after quiescence
        return false;
    }
    NewConnection what = describe(burst, context.key, opening);
    if (what.method == ForwardingMethod::FullNat) {
        ConnectionTable::choose_first_local_port(what, opening.hash, local_ports(burst, server));
    }
    opening.reply_hash = burst.table.prefetch_reply(what);
    burst.table.connection(opening.reserved).init(what, burst.tick);
    return true;
}

InsertResult insert_once(Burst& burst, const Opening& opening) noexcept {
    const Participant self = burst.worker.self();
    const RealServer& server = burst.snapshot.server(opening.server);
    if (server.method == ForwardingMethod::FullNat) {
        return burst.table.insert_with_local_port(self, opening.reserved, opening.hash,
                                                  local_ports(burst, server), burst.tick);
    }
    return burst.table.insert(self, opening.reserved, {opening.hash, opening.reply_hash},
                              burst.tick);
}

InsertResult insert(Burst& burst, Opening& opening) noexcept {
    const InsertResult first = insert_once(burst, opening);
    if (first.status != InsertStatus::ReplyTaken || !clear_finished(burst, first.index)) {
        return first;
    }
    if (!reserve(burst, opening)) return {InsertStatus::IndexFull, kNoConnection};
    return insert_once(burst, opening);
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
void pass_once(Burst& burst, const Opening& opening) noexcept {
    Connection& connection = burst.memory.passing[opening.at];
    PacketContext& context = burst.packet(opening.at);
    connection.init(describe(burst, context.key, opening), burst.tick);
    context.connection = &connection;
    context.server = &burst.snapshot.server(opening.server);
    burst.worker.traffic[index(opening.server)].connections.add(1);
    release_template(burst, opening);
}

// Puts a new connection into the table. Found: another one that holds its tuple already. Neither
// that nor a verdict: the connection is the packet's.
FoundConnection settle(Burst& burst, Opening& opening) noexcept {
    PacketContext& context = burst.packet(opening.at);
    const InsertResult result = insert(burst, opening);
    if (result.status != InsertStatus::Inserted) {
        give_up(burst, opening);
        if (result.status == InsertStatus::Exists) return {result.index, Direction::Forward};
        drop(burst, context, reason_of(result.status));
        return {};
    }
    burst.inserted = true;
    context.connection = &burst.table.connection(result.index);
    context.server = &burst.snapshot.server(opening.server);
    burst.worker.counters.connections_created.add(1);
    burst.worker.traffic[index(opening.server)].connections.add(1);
    if (opening.persistence != kNoTemplate && assures_template(opening.first, false)) {
        burst.worker.shared.templates.assure(opening.persistence);
    }
    return {};
}

// Inserts the connection and goes on with its packet.
void finish(Burst& burst, Opening& opening) noexcept {
    const FoundConnection other = settle(burst, opening);
    const PacketContext& context = burst.packet(opening.at);
    if (other) {
        take_packet(burst, opening.at, other);
    } else if (context.packet->verdict == Verdict::Pending) {
        admit_to_server(burst, opening.at, context.server->method);
    }
}

// Takes a record and counts the connection with its server. False: no room, the packet is dropped.
bool prepare(Burst& burst, Opening& opening) noexcept {
    const bool has_room = has_room_for(burst, opening.first);
    if (!has_room || !reserve(burst, opening)) {
        release_template(burst, opening);
        drop(burst, burst.packet(opening.at),
             has_room ? DropReason::ConnectionTableFull : DropReason::EmbryonicLimit);
        return false;
    }
    count_added(burst.worker.shared, opening.server, opening.first);
    return true;
}

void open(Burst& burst, Opening& opening) noexcept {
    if (!prepare(burst, opening)) return;
    if (burst.gathering) {
        burst.memory.openings.push(opening);
    } else {
        finish(burst, opening);
    }
}

BindStatus bind(Burst& burst, const ConnectionRequest& request, Binding& binding) noexcept {
    const bool persistent = burst.snapshot.service(request.service).spec.persistence.has_value();
    return persistent ? bind_by_template(burst, request, binding)
                      : bind_by_scheduler(burst, request, binding);
}

// Precondition: the packet's key is that of the request.
Opening opening_of(Burst& burst, unsigned at, const ConnectionRequest& request,
                   const Binding& binding) noexcept {
    Opening opening;
    opening.at = static_cast<std::uint8_t>(at);
    opening.hash = burst.packet(at).lookup.hash;
    opening.service = request.service;
    opening.server = binding.server;
    opening.server_port = binding.server_port;
    opening.persistence = binding.persistence;
    opening.first =
        initial_state(request.key.protocol(), burst.snapshot.server(binding.server).method);
    return opening;
}

void schedule_packet(Burst& burst, unsigned at, const ConnectionRequest& request) noexcept {
    PacketContext& context = burst.packet(at);
    if (burst.worker.dropper.drops_next(burst.defence.drop_rate)) {
        drop(burst, context, DropReason::DefenceDropPacket);
        return;
    }
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
    Opening opening = opening_of(burst, at, request, binding);
    opening.first = track_packet(opening.first, false, event_of(context), burst.snapshot.timeouts,
                                 burst.defence.secure_tcp);
    if (is_one_packet(burst.snapshot.service(request.service), request.key.protocol())) {
        pass_once(burst, opening);
        admit_to_server(burst, at, context.server->method);
    } else {
        open(burst, opening);
    }
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

ServiceId service_of(Burst& burst, const FlowKey& key, std::uint32_t fwmark) noexcept {
    ServiceMemo& memo = burst.memo;
    if (fwmark != 0 || memo.service == kNoService || !key.has_destination_of(memo.key)) {
        const ServiceId found = burst.snapshot.service_lookup.find(
            key.destination(), key.protocol(), key.destination_port().host(), fwmark);
        if (fwmark != 0) return found;
        memo = {key, found};
    }
    return memo.service;
}

// An earlier packet of this burst may have opened the connection.
bool take_just_opened(Burst& burst, unsigned at) noexcept {
    const PacketContext& context = burst.packet(at);
    OpeningList& openings = burst.memory.openings;
    if (burst.gathering && openings.contains(context.lookup.hash)) [[unlikely]]
        open_gathered(burst);
    if (!burst.inserted) return false;
    const FoundConnection found = burst.table.find(context.key, burst.tick);
    if (!found) return false;
    burst.worker.counters.connection_hits.add(1);
    take_packet(burst, at, found);
    return true;
}

// The answer to a packet of this burst, as only a replay has it.
bool take_answer(Burst& burst, unsigned at) noexcept {
    if (!burst.gathering || burst.memory.openings.empty()) return false;
    open_gathered(burst);
    return take_just_opened(burst, at);
}

}  // namespace

ConnectionRequest request_for(Burst& burst, const FlowKey& key) noexcept {
    ConnectionRequest request;
    request.key = key;
    if (!burst.snapshot.marks.empty()) {
        request.fwmark =
            burst.snapshot.marks.mark_of({key.source(), key.destination(), key.protocol(),
                                          key.source_port().host(), key.destination_port().host()});
    }
    request.service = service_of(burst, key, request.fwmark);
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
    const FlowKey& key = context.key;
    if (take_just_opened(burst, at)) return;
    if (!burst.snapshot.nat_servers.empty() && is_stray_of_server(burst, context, key)) {
        if (!take_answer(burst, at)) refuse_server(burst, context);
        return;
    }
    const ConnectionRequest request = request_for(burst, key);
    if (request.service == kNoService) {
        if (!take_answer(burst, at)) punt_to_host(burst, context);
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
    Opening opening = opening_of(burst, at, request, binding);
    if (is_one_packet(burst.snapshot.service(request.service), request.key.protocol())) {
        pass_once(burst, opening);
        return {};
    }
    if (!prepare(burst, opening)) return {};
    return settle(burst, opening);
}

void open_gathered(Burst& burst) noexcept {
    OpeningList& openings = burst.memory.openings;
    const bool was_gathering = burst.gathering;
    burst.gathering = false;
    for (const Opening& opening : openings.all()) {
        burst.table.prefetch_further(opening.hash, opening.reply_hash);
    }
    for (Opening& opening : openings.all()) finish(burst, opening);
    openings.clear();
    burst.gathering = was_gathering;
}

}  // namespace pollux::lb
