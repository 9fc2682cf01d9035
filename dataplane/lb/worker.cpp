// SPDX-License-Identifier: Apache-2.0
#include <cassert>

#include "dataplane/lb/burst.h"
#include "dataplane/lb/data_plane.h"
#include "dataplane/lb/fragments.h"
#include "dataplane/lb/worker_impl.h"

namespace pollux::lb {
namespace {

void clear(BurstMemory& memory) noexcept {
    memory.flows.clear();
    memory.others.clear();
    memory.openings.clear();
    for (PacketList& list : memory.to_server) list.clear();
    for (PacketList& list : memory.to_client) list.clear();
}

}  // namespace

Worker::Worker(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Worker::Worker(Worker&&) noexcept = default;
Worker& Worker::operator=(Worker&&) noexcept = default;
Worker::~Worker() = default;

void Worker::process_burst(std::span<Packet> packets, TimePoint now, ExtraPackets& extra) noexcept {
    assert(packets.size() <= kMaxBurst);
    Burst burst(*impl_, now, extra);
    extra.count = 0;
    burst.next_place = static_cast<unsigned>(packets.size());
    clear(burst.memory);
    classify(burst, packets);
    find_connections(burst);
    track_connections(burst);
    if (!burst.memory.others.empty()) handle_others(burst);
    if (burst.worker.fragments.parked() != 0) drop_overdue_fragments(burst);
    forward(burst);
    impl_->counters.transmitted.add(burst.sent);
    quiescent();
}

void Worker::account_failed(const Packet& packet, DropReason reason) noexcept {
    CounterBlock& counters = impl_->counters;
    if (packet.originated) {
        counters.originated.subtract(1);
        return;
    }
    if (packet.verdict == Verdict::Transmit) counters.transmitted.subtract(1);
    if (packet.verdict == Verdict::Punt) {
        counters.punted.subtract(1);
        counters.punted_by_reason[static_cast<std::size_t>(packet.punt_reason)].subtract(1);
    }
    counters.dropped[static_cast<std::size_t>(reason)].add(1);
}

void Worker::quiescent() noexcept {
    impl_->shared.quiescence.report(impl_->self());
}

void Worker::offline() noexcept {
    impl_->shared.quiescence.offline(impl_->self());
}

void Worker::online() noexcept {
    impl_->shared.quiescence.online(impl_->self());
}

}  // namespace pollux::lb
