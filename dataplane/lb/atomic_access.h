// SPDX-License-Identifier: Apache-2.0
#pragma once

// Atomic access to plain integers that lie in the memory region. Table structs stay trivially
// copyable and valid when zero-filled, and each access still names its memory order.

#include <atomic>
#include <cstdint>

namespace pollux::lb {

template <typename T>
[[nodiscard]] inline T atomic_load(const T& word, std::memory_order order) noexcept {
    // C++20's atomic_ref takes no const object; a load does not write.
    return std::atomic_ref<T>(const_cast<T&>(word)).load(order);
}

template <typename T>
inline void atomic_store(T& word, T value, std::memory_order order) noexcept {
    std::atomic_ref<T>(word).store(value, order);
}

// On failure `expected` becomes what was found, read with acquire.
template <typename T>
[[nodiscard]] inline bool atomic_exchange_if(T& word, T& expected, T desired,
                                             std::memory_order order) noexcept {
    return std::atomic_ref<T>(word).compare_exchange_strong(expected, desired, order,
                                                            std::memory_order_acquire);
}

static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free);
static_assert(std::atomic_ref<std::uint32_t>::is_always_lock_free);

}  // namespace pollux::lb
