// SPDX-License-Identifier: Apache-2.0
#pragma once

// The table of schedulers (decision D16): one row each, one file each under scheduler/. To add one,
// write its file and add its row. Read by the builder (control thread), the configuration and the
// operator's commands; workers only see the function that a row put into their snapshot.

#include <array>
#include <optional>
#include <string_view>

#include "dataplane/lb/scheduler.h"

namespace pollux::lb {

// Chooses; one per file of scheduler/.
std::uint32_t pick_rr(const ServiceScheduler&, const ScheduleInput&, ServerLoads) noexcept;
std::uint32_t pick_wrr(const ServiceScheduler&, const ScheduleInput&, ServerLoads) noexcept;
std::uint32_t pick_lc(const ServiceScheduler&, const ScheduleInput&, ServerLoads) noexcept;
std::uint32_t pick_wlc(const ServiceScheduler&, const ScheduleInput&, ServerLoads) noexcept;
std::uint32_t pick_lblc(const ServiceScheduler&, const ScheduleInput&, ServerLoads) noexcept;
std::uint32_t pick_lblcr(const ServiceScheduler&, const ScheduleInput&, ServerLoads) noexcept;
std::uint32_t pick_dh(const ServiceScheduler&, const ScheduleInput&, ServerLoads) noexcept;
std::uint32_t pick_sh(const ServiceScheduler&, const ScheduleInput&, ServerLoads) noexcept;
std::uint32_t pick_sed(const ServiceScheduler&, const ScheduleInput&, ServerLoads) noexcept;
std::uint32_t pick_nq(const ServiceScheduler&, const ScheduleInput&, ServerLoads) noexcept;
std::uint32_t pick_fo(const ServiceScheduler&, const ScheduleInput&, ServerLoads) noexcept;
std::uint32_t pick_ovf(const ServiceScheduler&, const ScheduleInput&, ServerLoads) noexcept;
std::uint32_t pick_mh(const ServiceScheduler&, const ScheduleInput&, ServerLoads) noexcept;
std::uint32_t pick_twos(const ServiceScheduler&, const ScheduleInput&, ServerLoads) noexcept;

// Prepares what a scheduler needs beyond the targets. `next` is complete but for that and has the
// state of `previous` if that is of the same kind; `previous` (may be nullptr) differs from `next`.
// Control thread.
using PrepareFunction = void (*)(ServiceScheduler& next, const ServiceScheduler* previous);
void prepare_rr(ServiceScheduler& next, const ServiceScheduler* previous);
void prepare_wrr(ServiceScheduler& next, const ServiceScheduler* previous);
void prepare_affinity(ServiceScheduler& next, const ServiceScheduler* previous);
void prepare_replicas(ServiceScheduler& next, const ServiceScheduler* previous);
void prepare_dh(ServiceScheduler& next, const ServiceScheduler* previous);
void prepare_sh(ServiceScheduler& next, const ServiceScheduler* previous);
void prepare_mh(ServiceScheduler& next, const ServiceScheduler* previous);

struct SchedulerRow {
    SchedulerKind kind;
    std::string_view name;  // as in ipvsadm -s and lvs_sched
    PickFunction pick;
    PrepareFunction prepare;  // nullptr: nothing beyond the targets
    bool has_flags = false;   // NAME-fallback and NAME-port
};

// In the order of SchedulerKind.
inline constexpr std::array<SchedulerRow, 14> kSchedulers{{
    {SchedulerKind::Rr, "rr", pick_rr, prepare_rr},
    {SchedulerKind::Wrr, "wrr", pick_wrr, prepare_wrr},
    {SchedulerKind::Lc, "lc", pick_lc, nullptr},
    {SchedulerKind::Wlc, "wlc", pick_wlc, nullptr},
    {SchedulerKind::Lblc, "lblc", pick_lblc, prepare_affinity},
    {SchedulerKind::Lblcr, "lblcr", pick_lblcr, prepare_replicas},
    {SchedulerKind::Dh, "dh", pick_dh, prepare_dh},
    {SchedulerKind::Sh, "sh", pick_sh, prepare_sh, true},
    {SchedulerKind::Sed, "sed", pick_sed, nullptr},
    {SchedulerKind::Nq, "nq", pick_nq, nullptr},
    {SchedulerKind::Fo, "fo", pick_fo, nullptr},
    {SchedulerKind::Ovf, "ovf", pick_ovf, nullptr},
    {SchedulerKind::Mh, "mh", pick_mh, prepare_mh, true},
    {SchedulerKind::Twos, "twos", pick_twos, nullptr},
}};

constexpr const SchedulerRow& row_of(SchedulerKind kind) noexcept {
    return kSchedulers[static_cast<std::size_t>(kind)];
}

constexpr std::string_view to_string(SchedulerKind kind) noexcept {
    return row_of(kind).name;
}

// The scheduler of that name, if there is one.
constexpr std::optional<SchedulerKind> parse_scheduler(std::string_view name) noexcept {
    for (const SchedulerRow& row : kSchedulers) {
        if (row.name == name) return row.kind;
    }
    return std::nullopt;
}

}  // namespace pollux::lb
