// SPDX-License-Identifier: Apache-2.0
#pragma once

// Asks for services, which the daemon gives in pages, until they are all there.

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "dataplane/net/result.h"

namespace pollux::cli {

using Json = nlohmann::ordered_json;

// Sends a command to the daemon and gives its answer.
using Ask = std::function<Result<Json>(const std::string& command, const Json& arguments)>;

// How often a reading is begun when the daemon's table changes between its pages. The last one is
// completed whatever comes in between.
inline constexpr unsigned kReadings = 5;

// The answer with all `services`, those that came in pieces joined, and without `next`. If the
// table changed during every reading, the data has a true `changed_meanwhile`.
Result<Json> ask_services(const Ask& ask, const std::string& command, const Json& arguments);

// What to tell the operator about such an answer's data; empty: nothing.
[[nodiscard]] std::string changed_meanwhile_note(const Json& data);

}  // namespace pollux::cli
