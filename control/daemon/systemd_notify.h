// SPDX-License-Identifier: Apache-2.0
#pragma once

// The service manager's notification protocol (sd_notify(3)): a datagram to $NOTIFY_SOCKET. Without
// that variable nothing happens. Control thread.

#include <chrono>
#include <optional>
#include <string_view>

namespace pollux::control {

// For example "READY=1\nSTATUS=...". Failures are not the caller's problem.
void systemd_notify(std::string_view state);

// How often the service manager wants to hear WATCHDOG=1; nothing when it does not.
[[nodiscard]] std::optional<std::chrono::microseconds> systemd_watchdog_interval();

}  // namespace pollux::control
