// SPDX-License-Identifier: Apache-2.0
#pragma once

// Schedule: which check is due next, for tens of thousands of them: one appointment per check, a
// binary heap with lazy deletion. Pure.

#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

#include "dataplane/lb/time.h"

namespace pollux::control {

using CheckId = std::uint32_t;

class Schedule {
  public:
    // Replaces the appointment of the check.
    void set(CheckId check, lb::TimePoint at);
    void cancel(CheckId check);

    // When the next appointment is; nothing: there is none.
    [[nodiscard]] std::optional<lb::TimePoint> next();
    // Takes the earliest appointment that is due out.
    std::optional<CheckId> take_due(lb::TimePoint now);

    // Appointments on the heap, replaced ones included; bounded by a rebuild.
    [[nodiscard]] std::size_t size() const { return heap_.size(); }

  private:
    struct Appointment {
        lb::TimePoint at;
        CheckId check;
        std::uint32_t turn;
        bool operator>(const Appointment& other) const { return at > other.at; }
    };
    struct Turn {
        std::uint32_t number = 0;
        bool active = false;
        lb::TimePoint at;
    };
    void drop_replaced();
    void rebuild();

    std::priority_queue<Appointment, std::vector<Appointment>, std::greater<>> heap_;
    std::vector<Turn> turns_;  // by check
};

}  // namespace pollux::control
