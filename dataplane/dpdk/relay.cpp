// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/relay.h"

#include <algorithm>
#include <utility>

#include "dataplane/dpdk/punt_info.h"

namespace pollux::dpdk {

Relay::Relay(Relay&& other) noexcept
    : port_(other.port_),
      source_(other.source_),
      id_(other.id_),
      queue_(other.queue_),
      count_(std::exchange(other.count_, 0)),
      held_(other.held_) {}

void Relay::discard_all() noexcept {
    do {
        for (unsigned i = 0; i < count_; ++i) give_up(held_[i]);
        count_ = source_.ring->pop(held_.data(), kRelayBatch);
    } while (count_ > 0);
}

unsigned Relay::send(std::uint64_t now_ticks) noexcept {
    const unsigned before = count_;
    if (source_.most_ticks != 0) discard_old(now_ticks);
    unsigned sent = 0;
    if (count_ > 0 && port_->usable()) {
        sent = rte_eth_tx_burst(port_->device(), queue_, held_.data(),
                                static_cast<std::uint16_t>(count_));
    }
    count_ -= sent;
    std::copy_n(held_.begin() + sent, count_, held_.begin());
    return before - count_;
}

void Relay::discard_old(std::uint64_t now_ticks) noexcept {
    unsigned kept = 0;
    for (unsigned i = 0; i < count_; ++i) {
        // Negative when the frame was queued after the worker had looked at its clock.
        const auto age = static_cast<std::int64_t>(now_ticks - punt_info(*held_[i]).stamp);
        if (age > static_cast<std::int64_t>(source_.most_ticks)) {
            give_up(held_[i]);
        } else {
            held_[kept++] = held_[i];
        }
    }
    count_ = kept;
}

void Relay::give_up(rte_mbuf* frame) noexcept {
    if (source_.sender == nullptr) {
        source_.expired->add(1);
    } else {
        lb::Packet packet;
        packet.port = id_;
        packet.frame_length = frame->pkt_len;
        packet.verdict = lb::Verdict::Transmit;
        packet.originated = punt_info(*frame).originated;
        source_.sender->account_failed(source_.sender->context, packet,
                                       lb::DropReason::TransmitQueueFull);
    }
    rte_pktmbuf_free(frame);
}

}  // namespace pollux::dpdk
