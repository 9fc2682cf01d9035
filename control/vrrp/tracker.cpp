// SPDX-License-Identifier: Apache-2.0
#include "control/vrrp/tracker.h"

#include <algorithm>
#include <set>
#include <utility>

#include "control/log/log.h"

namespace pollux::control {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookInterval = 500ms;
constexpr auto kLookTimeout = 5s;

struct Names {
    std::set<std::string> scripts, processes, files;
};

void collect(const TrackLists& lists, Names& names) {
    for (const TrackConfig& entry : lists.track_script) names.scripts.insert(entry.name);
    for (const TrackConfig& entry : lists.track_process) names.processes.insert(entry.name);
    for (const TrackConfig& entry : lists.track_file) names.files.insert(entry.name);
}

Names tracked_names(const Config& config) {
    Names names;
    for (const auto& instance : config.vrrp_instances) collect(instance.track, names);
    for (const auto& group : config.vrrp_sync_groups) collect(group.track, names);
    return names;
}

}  // namespace

struct Tracker::Script {
    Script(EventLoop& loop, Tracker& owner, VrrpScriptConfig its)
        : config(std::move(its)),
          damper(config.rise, config.fall, !config.init_fail),
          timer(loop, [&owner, this] { owner.start_script(*this); }) {}

    VrrpScriptConfig config;
    vrrp::Damper damper;
    Timer timer;
    std::optional<std::uint64_t> job;  // running now
    std::string last = "not run yet";
    std::uint64_t runs = 0;
    std::uint64_t failures = 0;
};

struct Tracker::Process {
    VrrpTrackProcessConfig config;
    bool good = true;
    bool seen = false;                   // looked for at least once
    std::optional<lb::TimePoint> since;  // the count has disagreed with `good` since then
    std::uint32_t count = 0;
    std::uint64_t failures = 0;
};

struct Tracker::File {
    VrrpTrackFileConfig config;
    std::optional<std::int64_t> value = 0;
    std::uint64_t failures = 0;
};

Tracker::Tracker(EventLoop& loop, ScriptRunner& scripts, Hooks hooks)
    : loop_(&loop),
      scripts_(&scripts),
      hooks_(std::move(hooks)),
      look_timer_(loop, [this] { look(); }) {}

Tracker::~Tracker() {
    for (const auto& [name, script] : script_by_name_) {
        if (script->job) scripts_->forget(*script->job);
    }
}

void Tracker::configure(const Config& config) {
    settings_ = config.global.scripts;
    configure_scripts(config);
    const Names names = tracked_names(config);
    std::map<std::string, Process> processes;
    for (const VrrpTrackProcessConfig& process : config.vrrp_track_processes) {
        if (!names.processes.contains(process.name)) continue;
        const auto known = processes_.find(process.name);
        const bool same = known != processes_.end() && known->second.config == process;
        Process fresh;
        fresh.config = process;
        processes[process.name] = same ? known->second : fresh;
    }
    processes_ = std::move(processes);
    std::map<std::string, File> files;
    for (const VrrpTrackFileConfig& file : config.vrrp_track_files) {
        if (!names.files.contains(file.name)) continue;
        const auto known = files_.find(file.name);
        const bool same = known != files_.end() && known->second.config.file == file.file;
        File fresh = same ? known->second : File{};
        fresh.config = file;
        files[file.name] = fresh;
    }
    files_ = std::move(files);
    if (processes_.empty() && files_.empty()) {
        look_timer_.cancel();
    } else {
        look_timer_.start_every(kLookInterval);
        look();
    }
}

void Tracker::configure_scripts(const Config& config) {
    const Names names = tracked_names(config);
    std::map<std::string, std::unique_ptr<Script>> next;
    for (const VrrpScriptConfig& script : config.vrrp_scripts) {
        if (!names.scripts.contains(script.name)) continue;
        const auto known = script_by_name_.find(script.name);
        if (known != script_by_name_.end() && known->second->config == script) {
            next[script.name] = std::move(known->second);
            script_by_name_.erase(known);
            continue;
        }
        auto fresh = std::make_unique<Script>(*loop_, *this, script);
        fresh->timer.start_every(script.interval);
        start_script(*fresh);
        next[script.name] = std::move(fresh);
    }
    for (const auto& [name, script] : script_by_name_) {
        if (script->job) scripts_->forget(*script->job);
    }
    script_by_name_ = std::move(next);
}

// --- scripts ----------------------------------------------------------------------------------

void Tracker::start_script(Script& script) {
    if (script.job) return;  // it still runs, or waits for its turn
    ScriptJob job;
    job.kind = ScriptKind::Check;
    job.argv = script.config.script.argv;
    job.user = script.config.user.empty() ? settings_.user : script.config.user;
    job.timeout = script.config.timeout;
    job.secure = settings_.enable_script_security;
    script.job = scripts_->run(std::move(job), [this, &script](const ScriptResult& result) {
        script_done(script, result);
    });
}

void Tracker::script_done(Script& script, const ScriptResult& result) {
    script.job.reset();
    ++script.runs;
    if (!result.succeeded()) ++script.failures;
    script.last = describe(result);
    if (!script.damper.observe(result.succeeded())) return;
    if (script.damper.is_good()) {
        log::info("track_script succeeds", {{"script", script.config.name}});
    } else {
        log::warning(
            "track_script fails",
            {{"script", script.config.name}, {"result", script.last}, {"output", result.output}});
    }
    hooks_.changed();
}

// --- processes and files ----------------------------------------------------------------------

ObserveQuery Tracker::query() const {
    ObserveQuery query;
    for (const auto& [name, process] : processes_) {
        ProcessQuery wanted;
        const std::vector<std::string>& argv = process.config.process.argv;
        wanted.name = argv.front();
        wanted.arguments.assign(argv.begin() + 1, argv.end());
        wanted.full_command = process.config.full_command;
        query.processes.push_back(std::move(wanted));
    }
    for (const auto& [name, file] : files_) query.files.push_back(file.config.file);
    return query;
}

void Tracker::look() {
    if (looking_) return;
    looking_ = true;
    const ObserveQuery wanted = query();
    ScriptJob job;
    job.kind = ScriptKind::Observe;
    job.argv = to_arguments(wanted);
    job.timeout = kLookTimeout;
    scripts_->run(std::move(job), [this, wanted](const ScriptResult& result) {
        looking_ = false;
        observed(wanted, result);
    });
}

void Tracker::observed(const ObserveQuery& wanted, const ScriptResult& result) {
    const ObserveQuery current = query();
    const bool same =
        current.files == wanted.files && current.processes.size() == wanted.processes.size();
    if (!same) return;  // the configuration changed meanwhile
    const auto seen = result.succeeded() ? parse_observation(result.output, wanted) : std::nullopt;
    std::size_t i = 0;
    for (auto& [name, process] : processes_) {
        judge_process(process, seen ? seen->processes[i] : 0);
        ++i;
    }
    i = 0;
    for (auto& [name, file] : files_) {
        judge_file(file, seen ? seen->files[i] : std::nullopt);
        ++i;
    }
}

// A change counts when it has lasted for its delay; the first look counts at once.
void Tracker::judge_process(Process& process, std::uint32_t count) {
    const VrrpTrackProcessConfig& config = process.config;
    process.count = count;
    const bool enough = count >= config.quorum && count <= config.quorum_max;
    if (enough == process.good) {
        process.since.reset();
        process.seen = true;
        return;
    }
    const Duration specific = enough ? config.fork_delay : config.terminate_delay;
    const Duration delay = specific > Duration::zero() ? specific : config.delay;
    if (!process.since) process.since = hooks_.now();
    if (process.seen && hooks_.now() - *process.since < delay) return;
    process.seen = true;
    process.since.reset();
    process.good = enough;
    if (!enough) ++process.failures;
    log::warning(enough ? "track_process runs" : "track_process is missing",
                 {{"process", config.name}, {"running", count}, {"quorum", config.quorum}});
    hooks_.changed();
}

void Tracker::judge_file(File& file, const std::optional<std::int64_t>& value) {
    if (file.value == value) return;
    file.value = value;
    if (!value) ++file.failures;
    log::info("track_file changed",
              {{"file", file.config.name},
               {"value", value ? std::to_string(*value) : std::string("not readable")}});
    hooks_.changed();
}

// --- states -----------------------------------------------------------------------------------

// A file that cannot be read is a fault whatever its weight: monitoring must not fail open.
vrrp::TrackedState Tracker::file_state(const TrackConfig& entry) const {
    vrrp::TrackedState state;
    state.kind = vrrp::Fault::TrackFile;
    const auto found = files_.find(entry.name);
    if (found == files_.end()) return state;
    state.weight = entry.weight.value_or(found->second.config.weight);
    state.reverse = entry.reverse;
    if (found->second.value) {
        state.value = *found->second.value;
    } else {
        state.weight = 0;
        state.reverse = false;
        state.value = 1;
    }
    return state;
}

std::vector<vrrp::TrackedState> Tracker::states(const TrackLists& lists, bool weights_count) const {
    std::vector<vrrp::TrackedState> states;
    const auto add = [&](const TrackConfig& entry, vrrp::Fault kind, int weight, bool good) {
        states.push_back({kind, entry.weight.value_or(weight), entry.reverse, good, 0});
    };
    for (const TrackConfig& entry : lists.track_interface) {
        add(entry, vrrp::Fault::TrackInterface, 0, link_is_up(entry.name));
    }
    for (const TrackConfig& entry : lists.track_script) {
        const auto found = script_by_name_.find(entry.name);
        if (found == script_by_name_.end()) continue;
        const Script& script = *found->second;
        add(entry, vrrp::Fault::TrackScript, script.config.weight, script.damper.is_good());
    }
    for (const TrackConfig& entry : lists.track_process) {
        const auto found = processes_.find(entry.name);
        if (found == processes_.end()) continue;
        add(entry, vrrp::Fault::TrackProcess, found->second.config.weight, found->second.good);
    }
    for (const TrackConfig& entry : lists.track_file) states.push_back(file_state(entry));
    if (!weights_count) {
        for (vrrp::TrackedState& state : states) state.weight = 0;
    }
    return states;
}

std::vector<TrackView> Tracker::views() const {
    std::vector<TrackView> views;
    for (const auto& [name, script] : script_by_name_) {
        views.push_back({"script", name, script->damper.is_good(), script->last, script->runs,
                         script->failures});
    }
    for (const auto& [name, process] : processes_) {
        views.push_back({"process", name, process.good, std::to_string(process.count) + " running",
                         0, process.failures});
    }
    for (const auto& [name, file] : files_) {
        const std::string last =
            file.value ? std::to_string(*file.value) : std::string("not readable");
        views.push_back({"file", name, file.value.has_value(), last, 0, file.failures});
    }
    return views;
}

}  // namespace pollux::control
