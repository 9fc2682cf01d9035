// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/config/judge.h"

#include <gtest/gtest.h>

#include "control/config/render.h"

namespace pollux::control::testing {

std::vector<std::string> judge_alone(std::string_view toml) {
    LoadOptions options;
    options.check_secret_permissions = false;
    options.require_secrets = false;
    const LoadResult result = load_config_text(toml, "pollux.toml", options);
    std::vector<std::string> lines;
    for (const Diagnostic& diagnostic : result.diagnostics) {
        std::string line = diagnostic.code;
        if (!diagnostic.labels.empty()) {
            const Label& label = diagnostic.labels.front();
            line += " " + std::to_string(label.line) + ":" + std::to_string(label.column);
        }
        line += " " + diagnostic.title;
        if (!diagnostic.labels.empty()) line += " | " + diagnostic.labels.front().message;
        lines.push_back(line);
    }
    EXPECT_EQ(result.config.has_value(), result.errors == 0);
    return lines;
}

std::vector<std::string> judge(std::string_view toml) {
    return judge_alone(std::string(toml) + std::string(kPorts));
}

Config good(std::string_view toml, const std::string& node) {
    LoadOptions options;
    options.check_secret_permissions = false;
    options.node = node;
    const LoadResult result =
        load_config_text(std::string(toml) + std::string(kPorts), "pollux.toml", options);
    EXPECT_TRUE(result.config) << render_all(result);
    return result.config.value_or(Config{});
}

std::ostream& operator<<(std::ostream& out, const Case& value) {
    return out << value.name;
}

std::string case_name(const ::testing::TestParamInfo<Case>& parameter) {
    return parameter.param.name;
}

std::vector<std::string> judge_case(const Case& row) {
    return row.toml.find("[dpdk]") == std::string::npos ? judge(row.toml) : judge_alone(row.toml);
}

}  // namespace pollux::control::testing
