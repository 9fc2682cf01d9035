// SPDX-License-Identifier: Apache-2.0
#pragma once

// CheckState: what the tries of one check amount to, and when the next try is due. keepalived's
// rules: `retry` further tries before a server that was up counts as down, one success brings it
// back. Pure; control thread.

#include <cstdint>

#include "control/config/config_service.h"
#include "dataplane/lb/time.h"

namespace pollux::control {

// Partial: one page of several was good, the check as a whole has no verdict yet.
enum class TryOutcome : std::uint8_t { Success, Partial, Failure };

class CheckState {
  public:
    struct Verdict {
        bool changed = false;   // up() is another than before
        lb::TimePoint next_at;  // when to try again, never before the end of this try
    };

    // `up`: what counts until the first try has ended.
    CheckState(const CheckConfig& config, bool up);

    // The try that was to begin at `started` ended at `ended`.
    Verdict judge(TryOutcome outcome, lb::TimePoint started, lb::TimePoint ended);

    // The first try is due within `warmup`; `random` 0..1 spreads the checks over it.
    [[nodiscard]] lb::TimePoint first_try(lb::TimePoint now, double random) const;

    [[nodiscard]] bool up() const { return up_; }
    // A try has led to a verdict at least once.
    [[nodiscard]] bool decided() const { return decided_; }
    // Failed tries in a row.
    [[nodiscard]] std::uint64_t failures_in_row() const { return failures_in_row_; }

  private:
    Duration delay_loop_;
    Duration delay_before_retry_;
    Duration warmup_;
    unsigned retry_;
    unsigned retries_used_ = 0;
    std::uint64_t failures_in_row_ = 0;
    bool up_;
    bool decided_ = false;
};

}  // namespace pollux::control
