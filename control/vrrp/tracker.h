// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tracker: runs the track scripts and looks at processes and files; knows for each whether it is
// good now. Nothing here blocks: the script helper does the work. Control thread.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/loop/event_loop.h"
#include "control/scripts/observe.h"
#include "control/scripts/script_runner.h"
#include "dataplane/lb/time.h"
#include "vrrp/tracking.h"

namespace pollux::control {

// One script, process or file for `pollux show vrrp`.
struct TrackView {
    std::string kind;  // "script", "process", "file"
    std::string name;
    bool good = true;
    std::string last;  // what was seen last: "exit status 1", "2 running", "7", "not readable"
    std::uint64_t runs = 0;
    std::uint64_t failures = 0;
};

class Tracker {
  public:
    struct Hooks {
        std::function<lb::TimePoint()> now;
        std::function<void()> changed;  // some state changed: evaluate again
    };

    Tracker(EventLoop& loop, ScriptRunner& scripts, Hooks hooks);
    ~Tracker();

    // Takes up what is tracked somewhere in `config`; what did not change keeps its state.
    void configure(const Config& config);

    // What the track lists amount to now. `weights_count` false: weights are taken as 0.
    [[nodiscard]] std::vector<vrrp::TrackedState> states(const TrackLists& lists,
                                                         bool weights_count) const;
    [[nodiscard]] std::vector<TrackView> views() const;

    // Whether a port's link is up, for track_interface.
    std::function<bool(const std::string&)> link_is_up;

  private:
    struct Script;
    struct Process;
    struct File;

    void configure_scripts(const Config& config);
    void start_script(Script& script);
    void script_done(Script& script, const ScriptResult& result);
    void look();
    void observed(const ObserveQuery& query, const ScriptResult& result);
    void judge_process(Process& process, std::uint32_t count);
    void judge_file(File& file, const std::optional<std::int64_t>& value);
    [[nodiscard]] ObserveQuery query() const;
    [[nodiscard]] vrrp::TrackedState file_state(const TrackConfig& entry) const;

    EventLoop* loop_;
    ScriptRunner* scripts_;
    Hooks hooks_;
    ScriptsConfig settings_;
    std::map<std::string, std::unique_ptr<Script>> script_by_name_;
    std::map<std::string, Process> processes_;
    std::map<std::string, File> files_;
    Timer look_timer_;
    bool looking_ = false;
};

}  // namespace pollux::control
