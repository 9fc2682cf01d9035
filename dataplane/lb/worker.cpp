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

// `finished(stage)` is told when a stage is over.
template <typename Finished>
void run_stages(Worker::Impl& worker, std::span<Packet> packets, TimePoint now, ExtraPackets& extra,
                Finished&& finished) noexcept {
    assert(packets.size() <= kMaxBurst);
    Burst burst(worker, now, extra);
    extra.count = 0;
    burst.next_place = static_cast<unsigned>(packets.size());
    clear(burst.memory);
    classify(burst, packets);
    finished(Stage::Classify);
    find_connections(burst);
    finished(Stage::Find);
    burst.gathering = true;
    track_connections(burst);
    finished(Stage::Track);
    open_gathered(burst);
    burst.gathering = false;
    finished(Stage::Open);
    if (!burst.memory.others.empty()) handle_others(burst);
    if (worker.fragments.parked() != 0) drop_overdue_fragments(burst);
    finished(Stage::Others);
    forward(burst);
    finished(Stage::Forward);
    worker.counters.transmitted.add(burst.sent);
    worker.shared.quiescence.report(worker.self());
    finished(Stage::Account);
}

}  // namespace

Worker::Worker(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Worker::Worker(Worker&&) noexcept = default;
Worker& Worker::operator=(Worker&&) noexcept = default;
Worker::~Worker() = default;

void Worker::process_burst(std::span<Packet> packets, TimePoint now, ExtraPackets& extra) noexcept {
    run_stages(*impl_, packets, now, extra, [](Stage) noexcept {});
}

void Worker::process_burst(std::span<Packet> packets, TimePoint now, ExtraPackets& extra,
                           StageWatch& watch) noexcept {
    watch.begin();
    run_stages(*impl_, packets, now, extra, [&watch](Stage stage) noexcept { watch.end(stage); });
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
