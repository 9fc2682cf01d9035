// SPDX-License-Identifier: Apache-2.0
#pragma once

// Pacer: the rate control, a token bucket in time. A sender that was held up makes up for at most
// `catch_up`; what it missed beyond that is forfeited and counted, so that a trial knows whether it
// offered what it was asked for. One thread; the caller reads the clock.

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "dataplane/lb/time.h"

namespace pollux::pktgen {

class Pacer {
  public:
    // `rate` in frames a second, > 0. At least one whole frame fits into the bucket.
    Pacer(double rate, lb::Duration catch_up, lb::TimePoint start) noexcept
        : per_nanosecond_(rate / 1e9),
          depth_(std::max(1.0, per_nanosecond_ * static_cast<double>(catch_up.count()))),
          last_(start) {}

    // How many frames may leave now, at most `most`.
    unsigned grant(lb::TimePoint now, unsigned most) noexcept {
        credit_ += per_nanosecond_ * static_cast<double>((now - last_).count());
        last_ = now;
        if (credit_ > depth_) {
            forfeited_ += credit_ - depth_;
            credit_ = depth_;
        }
        const unsigned granted = credit_ >= most ? most : static_cast<unsigned>(credit_);
        credit_ -= granted;
        return granted;
    }

    // Frames that should have left but the sender was held up for too long.
    [[nodiscard]] std::uint64_t forfeited() const noexcept {
        return static_cast<std::uint64_t>(forfeited_);
    }

  private:
    double per_nanosecond_;
    double depth_;
    double credit_ = 0;
    double forfeited_ = 0;
    lb::TimePoint last_;
};

}  // namespace pollux::pktgen
