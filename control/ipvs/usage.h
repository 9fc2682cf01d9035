// SPDX-License-Identifier: Apache-2.0
#pragma once

// The help text. It names what Pollux does: the synchronisation daemon and persistence engines of
// the kernel are missing, full NAT and the scheduler twos are added.

#include <string>
#include <string_view>

namespace pollux::control::ipvs {

[[nodiscard]] std::string usage(std::string_view program);

}  // namespace pollux::control::ipvs
