// SPDX-License-Identifier: Apache-2.0
#pragma once

// Adverts that nobody may heed: one defect each, priority 254 to be tempting.

#include <cstdint>

#include "tests/simulation/node.h"

namespace pollux::vrrp::simulation {

// `lot` chooses the defect. The result is never valid for `victim`.
[[nodiscard]] Bytes forge(const InstanceConfig& victim, std::uint64_t lot);

}  // namespace pollux::vrrp::simulation
