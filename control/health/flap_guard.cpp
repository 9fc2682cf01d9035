// SPDX-License-Identifier: Apache-2.0
#include "control/health/flap_guard.h"

namespace pollux::control {

void FlapGuard::down(const FlapLimits& limits, lb::TimePoint now) {
    downs_.push_back(now);
    while (downs_.size() > limits.downs) downs_.pop_front();
}

std::optional<lb::TimePoint> FlapGuard::held_until(const FlapLimits& limits,
                                                   lb::TimePoint now) const {
    if (limits.downs == 0 || downs_.size() < limits.downs) return std::nullopt;
    if (now - downs_.front() > limits.window) return std::nullopt;
    return now + limits.hold;
}

}  // namespace pollux::control
