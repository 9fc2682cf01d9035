// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/track.h"

#include "dataplane/lb/answer.h"
#include "dataplane/lb/established.h"
#include "dataplane/lb/expected_states.h"
#include "dataplane/lb/host.h"
#include "dataplane/lb/load_count.h"
#include "dataplane/lb/mtu.h"
#include "dataplane/net/sctp.h"

namespace pollux::lb {
namespace {

enum class Outcome : std::uint8_t { Pass, Anew };

// Stores what the packet makes of the state and counts the difference, unless there is none.
void update_state(Burst& burst, PacketContext& context, Direction direction) noexcept {
    Connection& connection = *context.connection;
    const PacketEvent event = event_of(context);
    const bool from_server = direction == Direction::Reply;
    ConnectionState before = connection.state();
    for (;;) {
        if (before.lifecycle() != Lifecycle::Live) return;
        ConnectionState after = track_packet(before, from_server, event, burst.snapshot.timeouts,
                                             burst.defence.secure_tcp);
        if (!from_server && before.packets() < burst.snapshot.counted_packets) {
            after = after.with_packets(before.packets() + 1);
        }
        if (after == before) break;
        if (!connection.change_state(before, after)) continue;
        connection.restart_timeout(burst.tick);
        count_change(burst.worker.shared, burst.worker.self(), connection.server(), before, after);
        before = after;
        break;
    }
    const TemplateIndex persistence = connection.persistence();
    if (persistence != kNoTemplate && assures_template(before, from_server)) {
        burst.worker.shared.templates.assure(persistence);
    }
}

// A SYN or INIT on a known connection: conn_reuse_mode says whether it starts a new one.
bool is_replaced(const Burst& burst, const PacketContext& context, ConnectionState state) noexcept {
    if (!starts_connection(state.protocol(), event_of(context))) return false;
    ReuseQuestion question;
    question.state = state;
    question.persistent = context.connection->persistence() != kNoTemplate;
    question.server_quiesced = context.server->weight == 0;
    return is_scheduled_anew(question, burst.snapshot.sysctl);
}

void take_reply(Burst& burst, unsigned at, ConnectionState state) noexcept {
    PacketContext& context = burst.packet(at);
    if (changes_nothing(burst, context, *context.connection, state, Direction::Reply)) [[likely]] {
        context.connection->touch(burst.tick);
    } else {
        update_state(burst, context, Direction::Reply);
        context.connection->touch(burst.tick);
    }
    admit_to_client(burst, at, state.method());
}

// Nothing in LVS: what the service wants for connections of servers that are gone.
OnServerGone policy_of(const Burst& burst, const PacketContext& context) noexcept {
    if (context.server == nullptr ||
        index(context.server->service) >= burst.snapshot.services.size()) {
        return OnServerGone::Drop;
    }
    const VirtualService& service = burst.snapshot.services[index(context.server->service)];
    if (!service.present) return OnServerGone::Drop;
    const std::uint8_t protocol = context.parsed.protocol;
    const OnServerGone policy = service.spec.on_server_gone;
    const bool fits = policy == OnServerGone::Reset ? protocol == net::kProtocolTcp
                                                    : protocol == net::kProtocolUdp;
    return fits ? policy : OnServerGone::Drop;
}

// The packet's server was removed: LVS drops silently, in the hope that it comes back, or with
// expire_nodest_conn gives the connection up. The service may want something else.
// Without any service of the family LVS does not look at packets at all.
Outcome meet_removed_server(Burst& burst, PacketContext& context, ConnectionIndex found) noexcept {
    if (!burst.snapshot.has_services(context.parsed.is_v6())) {
        punt_to_host(burst, context);
        return Outcome::Pass;
    }
    const OnServerGone policy = policy_of(burst, context);
    if (policy == OnServerGone::Reset) {
        burst.table.remove(burst.worker.self(), found);
        answer_with_reset(burst, context);
        return Outcome::Pass;
    }
    if (policy == OnServerGone::Drop && !burst.snapshot.sysctl.expire_nodest_conn) {
        drop(burst, context, DropReason::ServerGone);
        return Outcome::Pass;
    }
    burst.table.remove(burst.worker.self(), found);
    return Outcome::Anew;
}

// SCTP's checksum covers the whole datagram. In a fragment it cannot follow a port that changes,
// and the receiver would drop the datagram after having put it together.
bool spoils_checksum(const PacketContext& context, ForwardingMethod method) noexcept {
    if (context.parsed.protocol != net::kProtocolSctp || !context.parsed.has_ports()) return false;
    const Connection& connection = *context.connection;
    const bool server = connection.server_port() != connection.virtual_port();
    if (method != ForwardingMethod::FullNat) return method == ForwardingMethod::Nat && server;
    return server || connection.local_port() != connection.client_port();
}

bool drop_spoilt(Burst& burst, PacketContext& context, ForwardingMethod method) noexcept {
    if (!context.parsed.is_fragment() || !spoils_checksum(context, method)) [[likely]]
        return false;
    drop(burst, context, DropReason::NoTranslation);
    return true;
}

}  // namespace

PacketEvent event_of(const PacketContext& context) noexcept {
    PacketEvent event;
    event.tcp_flags = context.parsed.tcp_flags;
    if (context.parsed.protocol == net::kProtocolSctp) {
        const std::size_t chunks = context.parsed.l4_length() - net::kSctpHeaderLength;
        const std::size_t in_reach =
            context.packet->length - context.parsed.l4_offset - net::kSctpHeaderLength;
        event.sctp = sctp_event({context.l4() + net::kSctpHeaderLength,
                                 chunks < in_reach ? chunks : in_reach})
                         .value_or(SctpEvent::Data);
    }
    return event;
}

void take_packet(Burst& burst, unsigned at, FoundConnection found) noexcept {
    PacketContext& context = burst.packet(at);
    Connection& connection = burst.table.connection(found.index);
    context.connection = &connection;
    const ConnectionState state = connection.state_relaxed();
    if (found.direction == Direction::Reply) {
        take_reply(burst, at, state);
        return;
    }
    const RealServer* server = burst.snapshot.find_server(connection.server());
    if (server == nullptr || !server->present) [[unlikely]] {
        context.server = server;
        const bool anew = server != nullptr && is_replaced(burst, context, state);
        if (anew) burst.table.remove(burst.worker.self(), found.index);
        if (anew || meet_removed_server(burst, context, found.index) == Outcome::Anew) {
            establish(burst, at);
        }
        return;
    }
    context.server = server;
    if (!changes_nothing(burst, context, *context.connection, state, Direction::Forward) ||
        state.packets() < burst.snapshot.counted_packets) [[unlikely]] {
        if (is_replaced(burst, context, state)) {
            burst.table.remove(burst.worker.self(), found.index);
            establish(burst, at);
            return;
        }
        update_state(burst, context, Direction::Forward);
    }
    connection.touch(burst.tick);
    admit_to_server(burst, at, state.method());
}

void admit_to_server(Burst& burst, unsigned at, ForwardingMethod method) noexcept {
    PacketContext& context = burst.packet(at);
    if (drop_spoilt(burst, context, method)) return;
    if (context.parsed.ttl <= 1) [[unlikely]] {
        answer_ttl_exceeded(burst, context);
        return;
    }
    if (context.parsed.ip_length > context.server->mtu) [[unlikely]] {
        if (context.server->egress == kNoPort) {
            drop(burst, context, DropReason::NoRoute);
        } else {
            meet_small_mtu(burst, at, Direction::Forward, context.server->mtu);
        }
        return;
    }
    burst.memory.to_server[static_cast<std::size_t>(method)].push(at);
}

void admit_to_client(Burst& burst, unsigned at, ForwardingMethod method) noexcept {
    PacketContext& context = burst.packet(at);
    if (drop_spoilt(burst, context, method)) return;
    const NextHop* hop = burst.snapshot.routes->find(context.connection->client_address());
    if (hop == nullptr) [[unlikely]] {
        drop(burst, context, DropReason::NoRoute);
        return;
    }
    context.hop = hop;
    if (context.parsed.ttl <= 1) [[unlikely]] {
        answer_ttl_exceeded(burst, context);
        return;
    }
    if (context.parsed.ip_length > hop->mtu) [[unlikely]] {
        meet_small_mtu(burst, at, Direction::Reply, hop->mtu);
        return;
    }
    burst.memory.to_client[static_cast<std::size_t>(method)].push(at);
}

void take_flow(Burst& burst, unsigned at) noexcept {
    prepare_flow(burst, at);
    const FoundConnection found = burst.table.find(burst.packet(at).key, burst.tick);
    if (found) {
        take_packet(burst, at, found);
    } else {
        establish(burst, at);
    }
}

void track_connections(Burst& burst) noexcept {
    unsigned hits = 0;
    for (const std::uint8_t at : burst.memory.flows) {
        if (pass_established(burst, at)) [[likely]] {
            ++hits;
            continue;
        }
        const FoundConnection found =
            burst.table.verify(burst.packet(at).key, burst.packet(at).lookup, burst.tick);
        if (found) {
            ++hits;
            take_packet(burst, at, found);
        } else {
            establish(burst, at);
        }
    }
    burst.worker.counters.connection_hits.add(hits);
}

}  // namespace pollux::lb
