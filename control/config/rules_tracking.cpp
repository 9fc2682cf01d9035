// SPDX-License-Identifier: Apache-2.0
// Rules of what instances and groups track: weights that cannot act.

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "control/config/rules.h"
#include "control/config/values.h"

namespace pollux::control {

namespace {

// The tutorials' rule of thumb: MASTER minus BACKUP is 50. A smaller change of priority may well
// not reach the other node's.
constexpr int kUsualDistance = 50;

template <typename Elements>
std::optional<int> weight_of(const Elements& elements, const std::string& name) {
    const auto found = std::ranges::find_if(
        elements, [&name](const auto& element) { return element.name == name; });
    return found == elements.end() ? std::nullopt : std::optional<int>(found->weight);
}

// Calls `visit(entry, weight, is_file)` for each tracked script, process, file and interface.
template <typename Visit>
void for_each_track(const Config& config, const TrackLists& track, const Visit& visit) {
    for (const TrackConfig& entry : track.track_interface)
        visit(entry, entry.weight.value_or(0), false);
    for (const TrackConfig& entry : track.track_script) {
        visit(entry, entry.weight.value_or(weight_of(config.vrrp_scripts, entry.name).value_or(0)),
              false);
    }
    for (const TrackConfig& entry : track.track_process) {
        visit(entry,
              entry.weight.value_or(weight_of(config.vrrp_track_processes, entry.name).value_or(0)),
              false);
    }
    for (const TrackConfig& entry : track.track_file) {
        visit(entry,
              entry.weight.value_or(weight_of(config.vrrp_track_files, entry.name).value_or(0)),
              true);
    }
}

Place place_of(const TrackConfig& entry, const Sources& sources) {
    return entry.weight ? sources.value(entry.origin, "weight")
                        : sources.value(entry.origin, "name");
}

// The priority that is left when `weight` acts, as keepalived clamps it.
int priority_after_failure(int priority, int weight) {
    return weight < 0 ? std::clamp(priority + weight, 1, 254) : priority;
}

int priority_when_good(int priority, int weight) {
    return weight > 0 ? std::clamp(priority + weight, 1, 254) : priority;
}

void check_weight(const VrrpInstanceConfig& instance, const TrackConfig& entry, int weight,
                  Reporter& reporter) {
    if (weight == 0 || std::abs(weight) >= kUsualDistance) return;
    const int good = priority_when_good(instance.priority, weight);
    const int failed = priority_after_failure(instance.priority, weight);
    reporter
        .report("W0318", "failure of \"" + escaped(entry.name) + "\" changes the priority of " +
                             titled("vrrp_instance", instance.name) + " from " +
                             std::to_string(good) + " to " + std::to_string(failed) + " only")
        .at(place_of(entry, reporter.sources()), "weight " + std::to_string(weight))
        .note("the addresses move only if the other node's priority lies between these")
        .help("a weight beyond the difference of the nodes' priorities (usually " +
              std::to_string(kUsualDistance) + "), or weight = 0: failure is a fault");
}

void check_instance(const Config& config, const VrrpInstanceConfig& instance, bool grouped,
                    bool weights_allowed, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    for_each_track(config, instance.track, [&](const TrackConfig& entry, int weight, bool is_file) {
        if (sources.broken(entry.origin) || weight == 0) return;
        if (instance.priority == 255) {
            reporter.report("E0326", "the priority of an address owner cannot change")
                .at(place_of(entry, sources), "weight " + std::to_string(weight))
                .help("weight = 0: failure is a fault");
        } else if (grouped && !weights_allowed) {
            reporter
                .report("E0327",
                        "a member of a sync group cannot have a tracking weight of its own")
                .at(place_of(entry, sources), "weight " + std::to_string(weight))
                .note(
                    "members with different priorities would never agree; keepalived sets it to 0")
                .help(
                    "track it in the [[vrrp_sync_group]], or write weight = 0, or "
                    "sync_group_tracking_weight = true in the group");
        } else if (!is_file) {  // its weight is multiplied by what stands in the file
            check_weight(instance, entry, weight, reporter);
        }
    });
    for (const TrackConfig& entry : instance.track.track_interface) {
        if (entry.name != instance.interface || entry.weight.value_or(0) != 0) continue;
        reporter.report("W0328", "port \"" + escaped(entry.name) + "\" is tracked anyway")
            .at(sources.value(entry.origin, "name"), "it is the instance's interface");
    }
}

void check_twice(const std::vector<TrackConfig>& entries, std::string_view key,
                 Reporter& reporter) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (entries[i].name != entries[j].name) continue;
            reporter
                .report("E0329",
                        "\"" + escaped(entries[i].name) + "\" is twice in " + std::string(key))
                .at(reporter.sources().value(entries[i].origin, "name"), "again here")
                .at(reporter.sources().value(entries[j].origin, "name"), "first here");
            break;
        }
    }
}

void check_lists(const TrackLists& track, Reporter& reporter) {
    check_twice(track.track_interface, "track_interface", reporter);
    check_twice(track.track_script, "track_script", reporter);
    check_twice(track.track_process, "track_process", reporter);
    check_twice(track.track_file, "track_file", reporter);
}

}  // namespace

void check_tracking(const Config& config, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    for (const VrrpInstanceConfig& instance : config.vrrp_instances) {
        if (sources.broken(instance.origin)) continue;
        const auto group = std::ranges::find_if(
            config.vrrp_sync_groups, [&instance](const VrrpSyncGroupConfig& candidate) {
                return std::ranges::count(candidate.group, instance.name) > 0;
            });
        const bool grouped = group != config.vrrp_sync_groups.end();
        check_instance(config, instance, grouped, grouped && group->sync_group_tracking_weight,
                       reporter);
        check_lists(instance.track, reporter);
    }
    for (const VrrpSyncGroupConfig& group : config.vrrp_sync_groups) {
        check_lists(group.track, reporter);
    }
    for (const VrrpScriptConfig& script : config.vrrp_scripts) {
        if (sources.broken(script.origin) || script.timeout <= script.interval) continue;
        reporter
            .report("W0330",
                    titled("vrrp_script", script.name) + " may run longer than its interval")
            .at(sources.value(script.origin, "timeout"),
                "the next run waits until this one has ended")
            .at(sources.value(script.origin, "interval"), "the interval");
    }
}

}  // namespace pollux::control
