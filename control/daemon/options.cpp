// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/options.h"

#include <array>
#include <boost/program_options.hpp>
#include <sstream>

namespace pollux::control {
namespace {

namespace po = boost::program_options;

po::options_description describe() {
    po::options_description description("polluxd: layer-4 load balancer\n\nOptions");
    description.add_options()  //
        ("config,c", po::value<std::string>(),
         "configuration file (default: /etc/pollux/pollux.toml)")                            //
        ("check", "check the configuration and exit: 0 good, 1 errors, 3 not readable")      //
        ("node", po::value<std::string>(), "name of this node for `when = { node = ... }`")  //
        ("log-level", po::value<std::string>(), "debug, info, warning or error")             //
        ("foreground", "stay in the foreground (it always does)")                            //
        ("version", "print the version and exit")                                            //
        ("help,h", "print this and exit");
    return description;
}

std::optional<log::Level> parse_level(const std::string& name) {
    struct Row {
        std::string_view name;
        log::Level level;
    };
    constexpr std::array kRows = {Row{"debug", log::Level::Debug}, Row{"info", log::Level::Info},
                                  Row{"warning", log::Level::Warning},
                                  Row{"error", log::Level::Error}};
    for (const Row& row : kRows) {
        if (row.name == name) return row.level;
    }
    return std::nullopt;
}

ParsedOptions misuse(const std::string& message) {
    return {{}, EarlyExit{1, "polluxd: " + message + "\nsee: polluxd --help\n"}};
}

}  // namespace

ParsedOptions parse_options(int argc, const char* const* argv) {
    const po::options_description description = describe();
    po::variables_map values;
    po::positional_options_description positional;
    positional.add("config", 1);
    try {
        po::store(
            po::command_line_parser(argc, argv).options(description).positional(positional).run(),
            values);
    } catch (const po::error& error) {
        return misuse(error.what());
    }
    ParsedOptions parsed;
    if (values.count("help") != 0) {
        std::ostringstream text;
        text << description;
        parsed.exit = EarlyExit{0, text.str()};
        return parsed;
    }
    if (values.count("version") != 0) {
        parsed.exit = EarlyExit{0, "polluxd " POLLUX_VERSION "\n"};
        return parsed;
    }
    if (values.count("config") != 0) parsed.options.config = values["config"].as<std::string>();
    if (values.count("node") != 0) parsed.options.node = values["node"].as<std::string>();
    parsed.options.check = values.count("check") != 0;
    if (values.count("log-level") != 0) {
        const std::string name = values["log-level"].as<std::string>();
        parsed.options.log_level = parse_level(name);
        if (!parsed.options.log_level) return misuse("unknown log level " + name);
    }
    return parsed;
}

}  // namespace pollux::control
