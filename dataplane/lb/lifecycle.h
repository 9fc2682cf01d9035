// SPDX-License-Identifier: Apache-2.0
#pragma once

// The life of a table record; kept in the low three bits of its state word.

#include <cstdint>

namespace pollux::lb {

// Only Live records are found; see record_table.h for the transitions.
enum class Lifecycle : std::uint8_t {
    Free = 0,
    Building = 1,    // its slots are being placed; a contending or live rival may abort it
    Contending = 2,  // all slots placed, rivals seen; anyone may decide it
    Live = 3,
    Aborted = 4,  // lost against a rival before it became live
    Removed = 5,  // taken out by exactly one thread; waits for quiescence
};

}  // namespace pollux::lb
