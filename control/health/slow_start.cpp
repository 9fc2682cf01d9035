// SPDX-License-Identifier: Apache-2.0
#include "control/health/slow_start.h"

#include <algorithm>

namespace pollux::control {
namespace {

constexpr std::uint32_t kMaxWeight = 65535;
constexpr lb::SchedulerKind kUnweighted[] = {lb::SchedulerKind::Rr, lb::SchedulerKind::Lc,
                                             lb::SchedulerKind::Dh, lb::SchedulerKind::Fo,
                                             lb::SchedulerKind::Ovf};

// Steps done at `now`, from kFirstRampStep to kRampSteps.
unsigned step_of(lb::TimePoint since, Duration slow_start, lb::TimePoint now) {
    const Duration step = slow_start / kRampSteps;
    if (step <= Duration::zero() || now - since >= slow_start) return kRampSteps;
    const auto done = static_cast<unsigned>(std::max<std::int64_t>(0, (now - since) / step));
    return std::clamp(done, kFirstRampStep, kRampSteps);
}

}  // namespace

bool ramps(lb::SchedulerKind scheduler) {
    return std::ranges::find(kUnweighted, scheduler) == std::end(kUnweighted);
}

RampedWeights ramp(std::span<const RampingServer> servers, Duration slow_start, lb::TimePoint now) {
    RampedWeights result;
    result.weights.resize(servers.size());
    std::uint32_t largest = 1;
    for (const RampingServer& server : servers) {
        largest = std::max<std::uint32_t>(largest, server.weight);
        if (!server.since || step_of(*server.since, slow_start, now) >= kRampSteps) continue;
        const Duration step = slow_start / kRampSteps;
        const auto done = std::max<std::int64_t>(0, (now - *server.since) / step);
        const lb::TimePoint next =
            *server.since + step * std::max<std::int64_t>(done + 1, kFirstRampStep + 1);
        result.next_step = result.next_step ? std::min(*result.next_step, next) : next;
    }
    if (!result.next_step) return result;
    const std::uint32_t factor = std::clamp<std::uint32_t>(kMaxWeight / largest, 1, kRampSteps);
    for (std::size_t i = 0; i < servers.size(); ++i) {
        const RampingServer& server = servers[i];
        const unsigned step = server.since ? step_of(*server.since, slow_start, now) : kRampSteps;
        const std::uint32_t full = server.weight * factor;
        const std::uint32_t part = std::max<std::uint32_t>(full * step / kRampSteps, 1);
        result.weights[i] = static_cast<std::uint16_t>(server.weight == 0 ? 0 : part);
    }
    return result;
}

}  // namespace pollux::control
