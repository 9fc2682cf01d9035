// SPDX-License-Identifier: Apache-2.0
#pragma once

// A choice that stays free of branches, for conditions that no predictor can learn.

#include <cstdint>

namespace pollux::lb {

// condition ? a : b. The empty asm hides the condition, so that the compiler makes no branch of it.
inline const std::uint8_t* select(bool condition, const std::uint8_t* a,
                                  const std::uint8_t* b) noexcept {
    auto mask = std::uintptr_t{0} - static_cast<std::uintptr_t>(condition);
    __asm__("" : "+r"(mask));
    return b + ((reinterpret_cast<std::uintptr_t>(a) - reinterpret_cast<std::uintptr_t>(b)) & mask);
}

}  // namespace pollux::lb
