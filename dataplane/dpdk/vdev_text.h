// SPDX-License-Identifier: Apache-2.0
#pragma once

// The text that names a virtual device: "net_tap0,iface=ltap0". Pure; any thread.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/net/result.h"

namespace pollux::dpdk {

struct VdevText {
    std::string name;       // "net_tap0": unique in the process
    std::string driver;     // "net_tap": the name without its trailing number
    std::string arguments;  // "iface=ltap0", as the driver wants them
    std::vector<std::pair<std::string, std::string>> pairs;  // arguments split; "" without '='

    // The value of the last argument with this key.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const;
};

// Errors: empty, wrong characters, no "net_" driver, an empty or repeated argument, a key that
// the driver does not have (drivers of driver_traits.h only; DPDK itself would ignore it).
Result<VdevText> parse_vdev(std::string_view text);

}  // namespace pollux::dpdk
