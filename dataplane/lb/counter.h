// SPDX-License-Identifier: Apache-2.0
#pragma once

// Counter: written by one worker, read by the control thread while it grows. A relaxed load and
// store, no read-modify-write instruction: as cheap as a plain integer.

#include <atomic>
#include <cstdint>

namespace pollux::lb {

class Counter {
  public:
    // The owning worker only.
    void add(std::uint64_t amount) noexcept {
        // Relaxed: a reader may see an older sum; nothing is published through it.
        value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }
    void subtract(std::uint64_t amount) noexcept { add(0 - amount); }

    [[nodiscard]] std::uint64_t read() const noexcept {
        return value_.load(std::memory_order_relaxed);
    }

  private:
    std::atomic<std::uint64_t> value_{0};
};

// Traffic of one real server at one worker.
struct alignas(64) TrafficCounters {
    Counter packets_in, packets_out, bytes_in, bytes_out, connections;
};
static_assert(sizeof(TrafficCounters) == 64);

}  // namespace pollux::lb
