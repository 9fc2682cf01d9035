// SPDX-License-Identifier: Apache-2.0
#pragma once

// Checked views: a header struct laid over bytes that somebody else owns. Header structs consist of
// bytes and big-endian integers only, so any address is aligned for them. Any thread.

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace pollux::net {

template <typename T>
concept WireHeader = std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T> &&
                     alignof(T) == 1;

// The header at `offset`, or nullptr where the bytes end before it does.
template <WireHeader T>
[[nodiscard]] const T* header_at(std::span<const std::uint8_t> bytes, std::size_t offset) noexcept {
    if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return nullptr;
    return reinterpret_cast<const T*>(bytes.data() + offset);
}

template <WireHeader T>
[[nodiscard]] T* header_at(std::span<std::uint8_t> bytes, std::size_t offset) noexcept {
    if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return nullptr;
    return reinterpret_cast<T*>(bytes.data() + offset);
}

// For offsets that `parse` has vouched for. Precondition: sizeof(T) bytes lie at `at`.
template <WireHeader T>
[[nodiscard]] const T& header_in(const std::uint8_t* at) noexcept {
    return *reinterpret_cast<const T*>(at);
}

template <WireHeader T>
[[nodiscard]] T& header_in(std::uint8_t* at) noexcept {
    return *reinterpret_cast<T*>(at);
}

}  // namespace pollux::net
