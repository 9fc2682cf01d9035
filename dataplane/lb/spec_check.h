// SPDX-License-Identifier: Apache-2.0
#pragma once

// The last gate before a DataPlaneSpec becomes a Snapshot: everything that the packet path takes
// for granted is checked here, so that it need not look again. Control thread.

#include <string>

#include "dataplane/lb/data_plane.h"
#include "dataplane/lb/spec.h"
#include "dataplane/net/result.h"

namespace pollux::lb {

[[nodiscard]] Status check_limits(const DataPlaneLimits& limits);

// The first violation found, in words that name the offending service, server or rule.
[[nodiscard]] Status check_spec(const DataPlaneSpec& spec, const DataPlaneLimits& limits);

// For messages: "tcp 10.1.0.10:80", "fwmark 7".
[[nodiscard]] std::string describe(const ServiceSpec& service);

}  // namespace pollux::lb
