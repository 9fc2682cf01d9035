// SPDX-License-Identifier: Apache-2.0

#include "vrrp/tracking.h"

#include <algorithm>

#include "vrrp/wire.h"

namespace pollux::vrrp {
namespace {

// What can be multiplied by a weight without overflow and is beyond every priority.
constexpr std::int64_t kMaxFileValue = 1'000'000;
constexpr std::int64_t kFaultBelow = -253;

struct Effect {
    bool fault = false;
    std::int64_t adjustment = 0;
};

Effect effect_of_file(const TrackedState& file, int weight) {
    if (weight == 0) return {(file.value != 0) != file.reverse, 0};
    const std::int64_t value = std::clamp(file.value, -kMaxFileValue, kMaxFileValue);
    const std::int64_t product = value * weight * (file.reverse ? -1 : 1);
    return {product < kFaultBelow, product};
}

Effect effect_of(const TrackedState& tracked, int weight) {
    if (tracked.kind == Fault::TrackFile) return effect_of_file(tracked, weight);
    if (weight == 0) return {tracked.is_good == tracked.reverse, 0};
    const bool counts = weight > 0 ? tracked.is_good : !tracked.is_good;
    const int sign = tracked.reverse ? -1 : 1;
    return {false, counts ? sign * weight : 0};
}

}  // namespace

TrackResult evaluate_tracking(std::uint8_t base_priority, bool weights_count,
                              std::span<const TrackedState> tracked) noexcept {
    const bool owner = base_priority == kPriorityOwner;
    TrackResult result;
    for (const TrackedState& each : tracked) {
        const Effect effect = effect_of(each, weights_count && !owner ? each.weight : 0);
        if (effect.fault) result.faults.set(each.kind, true);
        result.adjustment += effect.adjustment;
    }
    const std::int64_t sum = base_priority + result.adjustment;
    result.priority = owner ? base_priority
                            : static_cast<std::uint8_t>(
                                  std::clamp<std::int64_t>(sum, kLowestPriority, kHighestPriority));
    return result;
}

bool Damper::observe(bool success) noexcept {
    if (success == good_) {
        contrary_ = 0;
        return false;
    }
    if (++contrary_ < (success ? rise_ : fall_)) return false;
    contrary_ = 0;
    good_ = success;
    return true;
}

}  // namespace pollux::vrrp
