// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/fragments.h"

#include "dataplane/lb/fragment_table.h"
#include "dataplane/lb/host.h"
#include "dataplane/lb/icmp.h"
#include "dataplane/lb/track.h"

namespace pollux::lb {
namespace {

FragmentKey key_of(const PacketContext& context) noexcept {
    const std::uint8_t* const frame = context.packet->data;
    const std::uint8_t protocol = context.parsed.is_v4() ? context.parsed.protocol : 0;
    return {context.parsed.source(frame), context.parsed.destination(frame),
            context.parsed.fragment_id, protocol};
}

FragmentRange range_of(const PacketContext& context) noexcept {
    const std::uint32_t first = context.parsed.fragment_offset;
    return {first, first + context.parsed.l4_length()};
}

void handle_like_whole(Burst& burst, unsigned at) noexcept {
    PacketContext& context = burst.packet(at);
    if (context.parsed.is_icmp_error()) {
        relate_icmp(burst, at);
    } else if (context.parsed.has_ports()) {
        take_flow(burst, at);
    } else {
        punt_to_host(burst, context);
    }
}

// What became of the first fragment holds for the others.
void note_fate(Burst& burst, unsigned at, Datagram& datagram) noexcept {
    const PacketContext& context = burst.packet(at);
    const Packet& packet = *context.packet;
    if (packet.originated || packet.verdict == Verdict::Drop) {
        datagram.fate = FragmentFate::Drop;
        datagram.drop_reason = packet.drop_reason;
    } else if (packet.verdict == Verdict::Punt && packet.punt_reason != PuntReason::Unresolved) {
        datagram.fate = FragmentFate::Punt;
        datagram.punt_reason = packet.punt_reason;
    } else if (context.connection == &burst.memory.passing[at]) {
        datagram.fate = FragmentFate::Pass;
        datagram.passing = *context.connection;
    } else {
        datagram.fate = FragmentFate::Follow;
        datagram.flow = burst.packet(at).key;
    }
}

void pass_to_server(Burst& burst, unsigned at, Connection& connection) noexcept {
    PacketContext& context = burst.packet(at);
    context.connection = &connection;
    context.server = burst.snapshot.find_server(connection.server());
    if (context.server == nullptr || !context.server->present) {
        drop(burst, context, DropReason::ServerGone);
        return;
    }
    admit_to_server(burst, at, connection.state().method());
}

void follow_connection(Burst& burst, unsigned at, const FlowKey& flow) noexcept {
    PacketContext& context = burst.packet(at);
    burst.table.prepare(flow, burst.packet(at).lookup);
    const FoundConnection found = burst.table.find(flow, burst.tick);
    if (!found) {
        drop(burst, context, DropReason::NoConnection);
        return;
    }
    Connection& connection = burst.table.connection(found.index);
    if (found.direction == Direction::Forward) {
        pass_to_server(burst, at, connection);
        return;
    }
    context.connection = &connection;
    admit_to_client(burst, at, connection.state().method());
}

void share_fate(Burst& burst, unsigned at, Datagram& datagram) noexcept {
    PacketContext& context = burst.packet(at);
    switch (datagram.fate) {
        case FragmentFate::Follow:
            follow_connection(burst, at, datagram.flow);
            break;
        case FragmentFate::Pass:
            burst.memory.passing[at] = datagram.passing;
            pass_to_server(burst, at, burst.memory.passing[at]);
            break;
        case FragmentFate::Punt:
            punt(burst, context, datagram.punt_reason);
            break;
        case FragmentFate::Waiting:
        case FragmentFate::Drop:
            drop(burst, context, datagram.drop_reason);
            break;
    }
}

// More waiting fragments can be handed out in this burst.
bool has_place(const Burst& burst) noexcept {
    return burst.extra.count < kMaxExtraPackets && burst.next_place < kMaxPlaces;
}

// Takes a waiting fragment out of the table and gives it a place in the burst, as an extra packet.
unsigned take_parked(Burst& burst, Datagram& datagram) noexcept {
    const unsigned at = burst.next_place++;
    Packet& packet = burst.extra.packets[burst.extra.count++];
    packet = burst.worker.fragments.unpark(datagram);
    packet.verdict = Verdict::Pending;
    burst.worker.counters.parked.subtract(1);
    PacketContext& context = burst.packet(at);
    context.packet = &packet;
    return at;
}

void release_parked(Burst& burst, Datagram& datagram) noexcept {
    while (datagram.parked_count != 0 && has_place(burst)) {
        const unsigned at = take_parked(burst, datagram);
        PacketContext& context = burst.packet(at);
        if (reparse(context)) {
            share_fate(burst, at, datagram);
        } else {
            drop(burst, context, DropReason::FragmentBadLength);
        }
    }
}

void park(Burst& burst, PacketContext& context, Datagram& datagram) noexcept {
    context.packet->verdict = Verdict::Consumed;
    if (!burst.worker.fragments.park(datagram, *context.packet)) {
        drop(burst, context, DropReason::FragmentTableFull);
        return;
    }
    burst.worker.counters.parked.add(1);
}

// False: the fragment was dropped.
bool note_range(Burst& burst, PacketContext& context, Datagram& datagram) noexcept {
    switch (datagram.add(range_of(context), !context.parsed.more_fragments())) {
        case Datagram::Addition::New:
            return true;
        case Datagram::Addition::Duplicate:
            drop(burst, context, DropReason::FragmentOverlap);
            return false;
        case Datagram::Addition::Overlap:
            datagram.fate = FragmentFate::Drop;
            datagram.drop_reason = DropReason::FragmentOverlap;
            drop(burst, context, DropReason::FragmentOverlap);
            release_parked(burst, datagram);
            return false;
        case Datagram::Addition::TooMany:
            break;
    }
    drop(burst, context, DropReason::FragmentTableFull);
    return false;
}

}  // namespace

void handle_fragment(Burst& burst, unsigned at) noexcept {
    PacketContext& context = burst.packet(at);
    Datagram* const datagram = burst.worker.fragments.take(key_of(context), burst.now);
    if (datagram == nullptr) {
        drop(burst, context, DropReason::FragmentTableFull);
        return;
    }
    if (datagram->drop_reason == DropReason::FragmentOverlap) {
        drop(burst, context, DropReason::FragmentOverlap);
        return;
    }
    if (!note_range(burst, context, *datagram)) return;
    if (!context.parsed.is_later_fragment()) {
        handle_like_whole(burst, at);
        note_fate(burst, at, *datagram);
        release_parked(burst, *datagram);
    } else if (datagram->fate == FragmentFate::Waiting) {
        park(burst, context, *datagram);
    } else {
        share_fate(burst, at, *datagram);
    }
    if (datagram->is_complete() && datagram->parked_count == 0) {
        burst.worker.fragments.release(*datagram);
    }
}

void drop_overdue_fragments(Burst& burst) noexcept {
    while (has_place(burst)) {
        Datagram* const datagram = burst.worker.fragments.next_overdue(burst.now);
        if (datagram == nullptr) return;
        const unsigned at = take_parked(burst, *datagram);
        drop(burst, burst.packet(at), DropReason::FragmentTimeout);
        if (datagram->parked_count == 0) burst.worker.fragments.release(*datagram);
    }
}

}  // namespace pollux::lb
