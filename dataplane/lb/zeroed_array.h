// SPDX-License-Identifier: Apache-2.0
#pragma once

// ZeroedArray: a large array of cache lines whose untouched pages cost no memory, for tables that
// are sized for the worst case and mostly empty. Elements must be valid when all their bytes are
// zero. Owned by the control thread; elements have their own rules.

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

namespace pollux::lb {

template <typename T>
class ZeroedArray {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 64);

  public:
    ZeroedArray() = default;
    // Throws std::bad_alloc.
    explicit ZeroedArray(std::size_t count)
        : block_(std::calloc(count * sizeof(T) + 64, 1)), count_(count) {
        if (block_ == nullptr) throw std::bad_alloc();
        void* start = block_.get();
        std::size_t room = count * sizeof(T) + 64;
        first_ = static_cast<T*>(std::align(64, count * sizeof(T), start, room));
    }

    [[nodiscard]] T& operator[](std::size_t position) noexcept { return first_[position]; }
    [[nodiscard]] const T& operator[](std::size_t position) const noexcept {
        return first_[position];
    }
    [[nodiscard]] std::span<T> span() noexcept { return {first_, count_}; }
    [[nodiscard]] std::span<const T> span() const noexcept { return {first_, count_}; }

  private:
    struct Free {
        void operator()(void* block) const noexcept { std::free(block); }
    };
    std::unique_ptr<void, Free> block_;
    T* first_ = nullptr;
    std::size_t count_ = 0;
};

}  // namespace pollux::lb
