// SPDX-License-Identifier: Apache-2.0
#pragma once

// Probe: how one check asks its server. One file per check type in control/health/probes, one row
// each in probe_table.cpp. Nothing here decides: a probe reports what it saw. Control thread; no
// probe blocks.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "control/config/config.h"
#include "control/health/check_state.h"
#include "control/loop/event_loop.h"
#include "control/scripts/script_runner.h"

namespace pollux::control {

class ConnectPoller;
class CurlLoop;
class TrustStores;

struct ProbeResult {
    TryOutcome outcome = TryOutcome::Failure;
    std::string detail;                   // one line; may quote the server, so escape it
    std::optional<std::uint16_t> weight;  // MISC_CHECK with misc_dynamic
    int weight_change = 0;                // FILE_CHECK
    std::optional<int> certificate_days;  // SSL_GET: until the certificate ends
};

// A failed try with this reason.
[[nodiscard]] inline ProbeResult failed(std::string detail) {
    return {TryOutcome::Failure, std::move(detail), {}, 0, {}};
}
[[nodiscard]] inline ProbeResult succeeded(std::string detail) {
    return {TryOutcome::Success, std::move(detail), {}, 0, {}};
}

// Whom a try asks, and from where.
struct ProbeTry {
    bool recovering = false;  // the check is down now
    net::IpAddress target;    // what the socket connects to
    net::IpAddress source;    // family None: chosen by the kernel
};

// What probes work with; all of it outlives them.
struct ProbeContext {
    EventLoop& loop;
    ScriptRunner& scripts;
    CurlLoop& curl;
    ConnectPoller& connects;
    TrustStores& trust;
    const ScriptsConfig& script_settings;
    const std::map<std::string, std::string>& track_files;  // name -> path
};

class Probe {
  public:
    using Done = std::function<void(ProbeResult)>;

    Probe() = default;
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;
    // Ends a running try without a result.
    virtual ~Probe() = default;

    // Begins a try; never while one runs. `done` is called once, maybe from within.
    virtual void start(const ProbeTry& attempt, Done done) = 0;
    // Ends a running try without a result.
    virtual void cancel() = 0;

    // For tries of several steps, each with the limit to itself: called when a further one begins.
    std::function<void()> on_step;
};

}  // namespace pollux::control
