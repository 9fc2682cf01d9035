// SPDX-License-Identifier: Apache-2.0
#pragma once

// Origin: where an element of the configuration was written, so that later checks and messages can
// point at it. Control thread.

#include <cstdint>

namespace pollux::control {

struct Origin {
    std::uint32_t file = 0;     // position in Config::sources
    std::uint32_t line = 0;     // 1-based; 0 = the element was not written (all defaults)
    std::uint32_t column = 0;   // 1-based, in characters
    std::uint32_t element = 0;  // names the element in Config::sources' places of its keys

    // Where an element stands does not make it another one: a reload compares whole elements with
    // ==, and a line inserted above must not count as a change.
    friend constexpr bool operator==(const Origin&, const Origin&) noexcept { return true; }
};

}  // namespace pollux::control
