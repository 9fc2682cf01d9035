// SPDX-License-Identifier: Apache-2.0
#pragma once

// A choice that stays free of branches, for conditions that no predictor can learn.

#include <cstdint>

namespace pollux::lb {

// condition ? a : b. The empty asm hides the condition, so that the compiler makes no branch of it.
template <typename T>
inline T* select(bool condition, T* a, T* b) noexcept {
    auto mask = std::uintptr_t{0} - static_cast<std::uintptr_t>(condition);
    __asm__("" : "+r"(mask));
    const auto from = reinterpret_cast<std::uintptr_t>(b);
    return reinterpret_cast<T*>(from + ((reinterpret_cast<std::uintptr_t>(a) - from) & mask));
}

}  // namespace pollux::lb
