// SPDX-License-Identifier: Apache-2.0
#pragma once

// `pollux ipvs ARGUMENTS`, and what the program does under the name "ipvsadm": ipvsadm's command
// line, texts and exit statuses. Names are looked up here, never in the daemon.

#include <functional>
#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "control/ipvs/command.h"
#include "control/ipvs/format.h"
#include "dataplane/net/result.h"
#include "tools/pollux/service_pages.h"

namespace pollux::cli {

using Json = nlohmann::ordered_json;

struct IpvsCall {
    std::vector<std::string> arguments;
    std::string program = "ipvsadm";  // the name in messages
    std::istream* input = nullptr;    // what -R reads
    control::ipvs::NameResolver resolver;
    control::ipvs::Names names;
};

// `connect` is called when the daemon is needed: not for help and wrong lines. Returns ipvsadm's
// exit status: 0, 1 (no such service to list), 2 (wrong line, no daemon), 255 (refused).
int run_ipvs(const IpvsCall& call, const std::function<Result<Ask>()>& connect, std::ostream& out,
             std::ostream& err);

}  // namespace pollux::cli
