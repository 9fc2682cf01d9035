// SPDX-License-Identifier: Apache-2.0
// `pollux ipvs`: the LVS table in ipvsadm's words.

#include <nlohmann/json.hpp>

#include "control/api/commands.h"
#include "control/api/ipvs_commands.h"

namespace pollux::control::api {

Result<Json> ipvs_command(CommandContext& context, const Json& args) {
    const Json words = args.value("arguments", Json());
    const auto is_text = [](const Json& word) { return word.is_string(); };
    if (!words.is_array() || !std::all_of(words.begin(), words.end(), is_text)) {
        return Error{"argument arguments is not an array of strings", ""};
    }
    const auto program = text_argument(args, "program");
    if (!program) return program.error();
    const auto input = text_argument(args, "input");
    if (!input) return input.error();
    const ipvs::Output output = context.ipvs.run(words.get<std::vector<std::string>>(),
                                                 program->empty() ? "ipvsadm" : *program, *input);
    return Json{{"out", output.out}, {"err", output.err}, {"exit_status", output.exit_status}};
}

Result<Json> ipvs_listing(CommandContext& context, const Json& args) {
    const auto request = service_page_request(args);
    if (!request) return request.error();
    return context.ipvs.listing(*request);
}

}  // namespace pollux::control::api
