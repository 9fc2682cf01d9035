// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/worker_io.h"

#include <array>
#include <cassert>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "dataplane/dpdk/packet_adapter.h"
#include "dataplane/dpdk/worker_loop.h"

namespace pollux::dpdk {
namespace {

rte_mbuf* frame_of(const lb::Packet& packet) noexcept {
    return static_cast<rte_mbuf*>(packet.cookie);
}

}  // namespace

bool WorkerIo::stopping() const noexcept {
    // Relaxed: the flag publishes nothing; the control thread joins us.
    return parts_.stop->load(std::memory_order_relaxed);
}

lb::TimePoint WorkerIo::now() const noexcept {
    return parts_.clock->at(rte_rdtsc());
}

unsigned WorkerIo::receive(lb::PortId port, std::span<lb::Packet> out) noexcept {
    std::array<rte_mbuf*, lb::kMaxBurst> frames;
    unsigned count = 0;
    for (const ReceiveQueue& source : parts_.receive) {
        if (source.id != port || !source.port->usable() || count == out.size()) continue;
        const auto most = static_cast<std::uint16_t>(std::min(out.size() - count, frames.size()));
        const unsigned received =
            rte_eth_rx_burst(source.port->device(), source.queue, frames.data(), most);
        for (unsigned i = 0; i < received; ++i) {
            if (fill_packet(out[count], frames[i], port) != nullptr) ++count;
        }
    }
    return count;
}

unsigned WorkerIo::transmit(lb::PortId port, std::span<lb::Packet> packets) noexcept {
    assert(packets.size() <= lb::kMaxBurst);
    PortOutput& output = parts_.outputs[static_cast<std::size_t>(port)];
    for (lb::Packet& packet : packets) {
        rte_mbuf* frame = frame_of(packet);
        write_back(packet, *frame);
        output.push(frame, packet);
    }
    unsigned refused = 0;
    if (!output.empty()) output.flush([&refused](rte_mbuf*, const lb::Packet&) { ++refused; });
    return static_cast<unsigned>(packets.size()) - refused;
}

unsigned WorkerIo::allocate(std::span<lb::Packet> out) noexcept {
    assert(out.size() <= lb::kMaxBurst);
    std::array<rte_mbuf*, lb::kMaxBurst> frames;
    const auto count = static_cast<unsigned>(out.size());
    if (rte_pktmbuf_alloc_bulk(parts_.buffers, frames.data(), count) != 0) return 0;
    for (unsigned i = 0; i < count; ++i) {
        out[i] = lb::Packet{};
        out[i].data = rte_pktmbuf_mtod(frames[i], std::uint8_t*);
        out[i].headroom = rte_pktmbuf_headroom(frames[i]);
        out[i].tailroom = rte_pktmbuf_tailroom(frames[i]);
        out[i].cookie = frames[i];
    }
    return count;
}

void WorkerIo::release(std::span<lb::Packet> packets) noexcept {
    std::array<rte_mbuf*, lb::kMaxBurst> frames;
    assert(packets.size() <= frames.size());
    for (std::size_t i = 0; i < packets.size(); ++i) frames[i] = frame_of(packets[i]);
    rte_pktmbuf_free_bulk(frames.data(), static_cast<unsigned>(packets.size()));
}

}  // namespace pollux::dpdk
