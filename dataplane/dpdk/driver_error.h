// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <string>

namespace pollux::dpdk {

// What a driver's negative errno means. Control thread.
[[nodiscard]] inline std::string reason(int code) {
    return std::strerror(-code);
}

}  // namespace pollux::dpdk
