// SPDX-License-Identifier: Apache-2.0
#include "control/health/check_state.h"

#include <algorithm>
#include <utility>

namespace pollux::control {

CheckState::CheckState(const CheckConfig& config, bool up)
    : delay_loop_(config.delay_loop),
      delay_before_retry_(config.delay_before_retry),
      warmup_(config.warmup),
      retry_(config.retry),
      up_(up) {}

lb::TimePoint CheckState::first_try(lb::TimePoint now, double random) const {
    const double share = std::clamp(random, 0.0, 1.0) * static_cast<double>(warmup_.count());
    return now + Duration(static_cast<Duration::rep>(share));
}

// Delays count from the start of a try: a period of 1 s is one try a second, whatever a try takes.
CheckState::Verdict CheckState::judge(TryOutcome outcome, lb::TimePoint started,
                                      lb::TimePoint ended) {
    Duration delay = delay_loop_;
    bool up = up_;
    if (outcome == TryOutcome::Failure) {
        ++failures_in_row_;
        if (up_ && retries_used_ < retry_) {
            ++retries_used_;
            delay = delay_before_retry_;
        } else {
            up = false;
            decided_ = true;
        }
    } else {
        failures_in_row_ = 0;
        retries_used_ = 0;
        if (outcome == TryOutcome::Success) {
            up = true;
            decided_ = true;
        }
    }
    if (!up) retries_used_ = 0;
    const bool changed = std::exchange(up_, up) != up;
    return {changed, std::max(started + delay, ended)};
}

}  // namespace pollux::control
