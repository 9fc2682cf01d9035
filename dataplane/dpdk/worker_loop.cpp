// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/worker_loop.h"

#include <bit>
#include <cassert>
#include <ctime>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_pause.h>
#include <sys/prctl.h>

#include "dataplane/dpdk/packet_adapter.h"
#include "dataplane/dpdk/start_checks.h"

namespace pollux::dpdk {

static_assert(kMaxPorts <= 32, "touched_outputs_ has a bit per port");

void WorkerLoop::run() noexcept {
    // Sleeps of 20 us would otherwise last 70 us: the default timer slack is 50 us.
    prctl(PR_SET_TIMERSLACK, 1);
    processor_.online(processor_.context);
    std::uint64_t last = rte_rdtsc();
    bool worked = false;
    // Relaxed: the flag publishes nothing; the control thread joins us.
    while (!parts_.stop->load(std::memory_order_relaxed)) {
        const std::uint64_t ticks = rte_rdtsc();
        status_.total_ticks.add(ticks - last);
        if (worked) status_.busy_ticks.add(ticks - last);
        last = ticks;
        worked = poll_once(ticks);
        status_.loops.add(1);
        if (worked) {
            parts_.idle.found_work();
            continue;
        }
        status_.idle_loops.add(1);
        const std::uint32_t rest = parts_.idle.found_nothing();
        if (rest == 0) {
            rte_pause();
        } else {
            sleep(rest);
        }
    }
    // The control core's last frames (a VRRP advertisement of priority 0) must not stay behind.
    for (Relay& relay : parts_.relays) {
        while (relay.step(rte_rdtsc()) > 0) {
        }
    }
    processor_.offline(processor_.context);
}

bool WorkerLoop::poll_once(std::uint64_t ticks) noexcept {
    bool relayed = false;
    for (Relay& relay : parts_.relays) relayed |= relay.step(ticks) > 0;
    const lb::TimePoint now = parts_.clock->at(ticks);
    bool received = false;
    for (const ReceiveQueue& source : parts_.receive) {
        if (source.port->usable()) received |= receive(source, now);
    }
    if (!received) {
        status_.bursts[0].add(1);
        processor_.quiescent(processor_.context);
    }
    return received || relayed;
}

void WorkerLoop::discard_relayed() noexcept {
    for (Relay& relay : parts_.relays) relay.discard_all();
}

bool WorkerLoop::receive(const ReceiveQueue& source, lb::TimePoint now) noexcept {
    std::array<rte_mbuf*, lb::kMaxBurst> frames;
    const unsigned received =
        rte_eth_rx_burst(source.port->device(), source.queue, frames.data(), parts_.burst);
    if (received == 0) return false;
    unsigned count = 0;
    for (unsigned i = 0; i < received; ++i) {
        if (fill_packet(packets_[count], frames[i], source.id) != nullptr) ++count;
    }
    status_.bursts[count].add(1);
    const std::span<lb::Packet> burst(packets_.data(), count);
    extra_.count = 0;
    processor_.process(processor_.context, burst, now, extra_);
    for (lb::Packet& packet : burst) carry_out(packet);
    for (unsigned i = 0; i < extra_.count; ++i) carry_out(extra_.packets[i]);
    flush_outputs();
    parts_.punts->finish_burst();
    rte_pktmbuf_free_bulk(discards_.data(), discarded_);
    discarded_ = 0;
    return true;
}

void WorkerLoop::carry_out(lb::Packet& packet) noexcept {
    auto* frame = static_cast<rte_mbuf*>(packet.cookie);
    if (packet.verdict == lb::Verdict::Transmit) {
        const auto port = static_cast<std::size_t>(packet.port);
        if (port >= parts_.outputs.size()) {
            return give_up(frame, packet, lb::DropReason::TransmitQueueFull);
        }
        write_back(packet, *frame);
        parts_.outputs[port].push(frame, packet);
        touched_outputs_ |= 1U << port;
    } else if (packet.verdict == lb::Verdict::Punt) {
        write_back(packet, *frame);
        if (!parts_.punts->push(frame, packet)) {
            give_up(frame, packet, lb::DropReason::PuntQueueFull);
        }
    } else if (packet.verdict == lb::Verdict::Drop) {
        discard(frame);
    } else {
        // A pending verdict would be a frame that nobody owns.
        assert(packet.verdict == lb::Verdict::Consumed);
    }
}

void WorkerLoop::flush_outputs() noexcept {
    while (touched_outputs_ != 0) {
        const auto port = static_cast<unsigned>(std::countr_zero(touched_outputs_));
        touched_outputs_ &= touched_outputs_ - 1;
        parts_.outputs[port].flush([this](rte_mbuf* frame, const lb::Packet& packet) noexcept {
            give_up(frame, packet, lb::DropReason::TransmitQueueFull);
        });
    }
}

void WorkerLoop::give_up(rte_mbuf* frame, const lb::Packet& packet,
                         lb::DropReason reason) noexcept {
    processor_.account_failed(processor_.context, packet, reason);
    discard(frame);
}

void WorkerLoop::discard(rte_mbuf* frame) noexcept {
    if (discarded_ == kDiscardBatch) {
        rte_pktmbuf_free_bulk(discards_.data(), discarded_);
        discarded_ = 0;
    }
    discards_[discarded_++] = frame;
}

void WorkerLoop::sleep(std::uint32_t microseconds) noexcept {
    status_.sleeps.add(1);
    processor_.offline(processor_.context);
    const timespec duration{0, static_cast<long>(microseconds) * 1000};
    // An early return by a signal (net_tap announces frames that way) is welcome.
    nanosleep(&duration, nullptr);
    processor_.online(processor_.context);
}

}  // namespace pollux::dpdk
