// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/data_plane.h"
#include "dataplane/lb/worker_impl.h"

namespace pollux::lb {

Worker::Worker(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Worker::Worker(Worker&&) noexcept = default;
Worker& Worker::operator=(Worker&&) noexcept = default;
Worker::~Worker() = default;

void Worker::process_burst(std::span<Packet> burst, TimePoint now, ExtraPackets& extra) noexcept {
    CounterBlock& counters = impl_->counters;
    for (Packet& packet : burst) {
        counters.received_bytes.add(packet.frame_length);
        packet.verdict = Verdict::Punt;
        packet.punt_reason = PuntReason::Routed;
    }
    counters.received.add(burst.size());
    counters.punted.add(burst.size());
    counters.punted_by_reason[static_cast<std::size_t>(PuntReason::Routed)].add(burst.size());
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
