// SPDX-License-Identifier: Apache-2.0
#pragma once

// IpvsCommands: the daemon's side of `pollux ipvs`. Runs ipvsadm command lines against the LVS
// table that workers use, one snapshot for each command line (a whole `-R` is one), and gives the
// figures that listings need. Control thread.

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "control/api/service_pages.h"
#include "control/ipvs/console.h"
#include "control/ipvs/counter_baseline.h"
#include "control/ipvs/rate_estimator.h"
#include "control/spec/runtime_services.h"
#include "dataplane/lb/data_plane.h"

namespace pollux::control::api {

// What the commands work on: in the daemon the Director's parts.
struct IpvsHooks {
    // Called before a command that may change something looks at what there is.
    std::function<void()> settle = [] {};
    // The configuration's part of the table.
    std::function<FileTable()> file;
    std::function<const RuntimeServices&()> changes;
    // The data plane's wanted state with these changes instead; nothing is published.
    std::function<lb::DataPlaneSpec(const RuntimeServices&)> build;
    // Makes such a state the data plane's, together with the changes that led to it.
    std::function<Status(const lb::DataPlaneSpec&, RuntimeServices)> publish;
    // The data plane's figures, which only grow.
    std::function<std::vector<lb::ServiceView>()> views;
    // The same in pages: DataPlane::service_page.
    std::function<lb::ServicePage(std::uint64_t cursor, std::uint32_t budget)> page;
    // What changes with every snapshot.
    std::function<std::uint64_t()> generation;
    // The configured time-outs.
    std::function<lb::TimeoutSpec()> timeouts;
    // What listings show as size: how many connections the table holds.
    std::uint32_t size = 0;
};

class IpvsCommands {
  public:
    explicit IpvsCommands(IpvsHooks hooks) : hooks_(std::move(hooks)) {}

    // For rates: begin_sample() each RateEstimator::kInterval, then sample_on() in turns of the
    // loop until it returns false.
    void begin_sample();
    bool sample_on();

    // Commands that change the table or its counters. `program` is the name in messages; `input`
    // is what -R reads. Numbers only: names are the client's to resolve.
    [[nodiscard]] ipvs::Output run(const std::vector<std::string>& arguments,
                                   const std::string& program, const std::string& input);

    // What listings are made of: services with their counters since -Z and their rates, time-outs.
    [[nodiscard]] nlohmann::ordered_json listing(const ServicePageRequest& request) const;

  private:
    Status publish(const ipvs::Table& before, const ipvs::Table& after);

    IpvsHooks hooks_;
    ipvs::RateEstimator estimator_;
    bool sampling_ = false;         // a round goes on
    std::uint64_t sampled_to_ = 0;  // the cursor of its next page
    ipvs::CounterBaseline baseline_;
};

}  // namespace pollux::control::api
