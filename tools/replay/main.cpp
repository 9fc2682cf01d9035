// SPDX-License-Identifier: Apache-2.0
// pollux-replay: what would my balancer do with this capture?

#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/config/load.h"
#include "control/config/render.h"
#include "control/spec/spec_builder.h"
#include "tools/replay/decision_json.h"
#include "tools/replay/static_network.h"

namespace pollux::replay {
namespace {

namespace options = boost::program_options;

constexpr int kExitOk = 0;
constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

constexpr const char* kUsage =
    "usage: pollux-replay --config FILE --in PORT=CAPTURE [--out PORT=CAPTURE] [--json FILE]\n"
    "\n"
    "Runs the data plane of FILE on captures: no root, no network card, time from the captures.\n"
    "The same input gives the same output, byte for byte. --json - writes to standard output.\n";

struct Arguments {
    std::string config;
    std::string node;
    std::map<std::string, std::string> in;
    std::map<std::string, std::string> out;
    std::map<std::string, net::MacAddress> macs;
    std::optional<std::string> json;
};

int fail(const Error& error, int status = kExitFailure) {
    std::cerr << "error: " << error.message << '\n';
    if (!error.remedy.empty()) std::cerr << "  help: " << error.remedy << '\n';
    return status;
}

using Assignments = std::map<std::string, std::string>;

Result<Assignments> split_assignments(const std::vector<std::string>& texts, const char* option) {
    Assignments result;
    for (const std::string& text : texts) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
            return Error{std::string(option) + " " + text + " is not PORT=VALUE",
                         "name the port as in [[dpdk.port]], for example wan=clients.pcap"};
        }
        if (!result.emplace(text.substr(0, equals), text.substr(equals + 1)).second) {
            return Error{std::string(option) + " names port " + text.substr(0, equals) + " twice",
                         "merge captures of one port with mergecap"};
        }
    }
    return result;
}

Result<std::map<std::string, net::MacAddress>> parse_macs(const Assignments& texts) {
    std::map<std::string, net::MacAddress> macs;
    for (const auto& [port, text] : texts) {
        const auto mac = net::MacAddress::parse(text);
        if (!mac) {
            return Error{"--mac " + port + "=" + text + " is not a MAC address",
                         "write it as 02:00:00:00:00:01"};
        }
        macs[port] = *mac;
    }
    return macs;
}

Result<Arguments> parse_arguments(int argc, char** argv, bool& help) {
    std::vector<std::string> in, out, mac;
    std::string json;
    Arguments arguments;
    options::options_description description("options");
    auto add = description.add_options();
    add("config", options::value(&arguments.config), "configuration file");
    add("node", options::value(&arguments.node), "read the file as this node does");
    add("in", options::value(&in), "PORT=FILE: frames that the port receives");
    add("out", options::value(&out), "PORT=FILE: frames that the port sends");
    add("mac", options::value(&mac), "PORT=MAC: the port's address (default: from the capture)");
    add("json", options::value(&json), "one decision per frame, one JSON object per line");
    add("help,h", "this text");
    options::variables_map map;
    try {
        options::store(options::parse_command_line(argc, argv, description), map);
        options::notify(map);
    } catch (const options::error& error) {
        return Error{error.what(), "pollux-replay --help lists the options"};
    }
    help = map.count("help") != 0;
    if (help) {
        std::cout << kUsage << '\n' << description;
        return arguments;
    }
    if (arguments.config.empty() || in.empty()) {
        return Error{"--config and at least one --in are needed", "pollux-replay --help"};
    }
    if (map.count("json") != 0) arguments.json = json;
    for (const auto& [texts, option, target] :
         {std::tuple{&in, "--in", &arguments.in}, std::tuple{&out, "--out", &arguments.out}}) {
        auto split = split_assignments(*texts, option);
        if (!split) return split.error();
        *target = *split;
    }
    auto mac_texts = split_assignments(mac, "--mac");
    if (!mac_texts) return mac_texts.error();
    auto macs = parse_macs(*mac_texts);
    if (!macs) return macs.error();
    arguments.macs = *macs;
    return arguments;
}

Status check_port_names(const control::Config& config, const Arguments& arguments) {
    std::vector<std::string> names;
    for (const auto& [name, unused] : arguments.in) names.push_back(name);
    for (const auto& [name, unused] : arguments.out) names.push_back(name);
    for (const auto& [name, unused] : arguments.macs) names.push_back(name);
    std::string known;
    for (const control::PortConfig& port : config.ports) {
        known += (known.empty() ? "" : ", ") + port.name;
    }
    for (const std::string& name : names) {
        const auto same = [&](const control::PortConfig& port) { return port.name == name; };
        if (std::none_of(config.ports.begin(), config.ports.end(), same)) {
            return Error{"the configuration has no port " + name, "its ports are: " + known};
        }
    }
    return ok_status();
}

// All frames in order of time; frames of one instant in order of ports.
Result<std::vector<InputFrame>> read_captures(const control::Config& config,
                                              const Arguments& arguments) {
    std::vector<InputFrame> frames;
    for (std::size_t i = 0; i < config.ports.size(); ++i) {
        const auto path = arguments.in.find(config.ports[i].name);
        if (path == arguments.in.end()) continue;
        auto reader = PcapReader::open(path->second);
        if (!reader) return reader.error();
        while (auto frame = reader->next()) {
            frames.push_back({static_cast<lb::PortId>(i), std::move(*frame)});
        }
        if (!reader->damage().empty()) {
            return Error{path->second + " is damaged: " + reader->damage(),
                         "repair it, for example with editcap, or capture again"};
        }
    }
    std::stable_sort(frames.begin(), frames.end(), [](const auto& a, const auto& b) {
        return a.frame.nanoseconds < b.frame.nanoseconds;
    });
    return frames;
}

struct Totals {
    std::uint64_t frames = 0, transmitted = 0, punted = 0, dropped = 0, sent = 0;
    std::map<std::string_view, std::uint64_t> reasons;

    void add(const Decision& decision) {
        ++frames;
        transmitted += decision.verdict == lb::Verdict::Transmit ? 1 : 0;
        punted += decision.verdict == lb::Verdict::Punt ? 1 : 0;
        sent += decision.sent.size();
        if (decision.verdict == lb::Verdict::Drop) {
            ++dropped;
            ++reasons[lb::to_string(decision.drop_reason)];
        }
    }

    void print() const {
        std::fprintf(
            stderr, "%llu frames: %llu transmitted, %llu punted, %llu dropped\n",
            static_cast<unsigned long long>(frames), static_cast<unsigned long long>(transmitted),
            static_cast<unsigned long long>(punted), static_cast<unsigned long long>(dropped));
        for (const auto& [reason, count] : reasons) {
            std::fprintf(stderr, "  %-24s %llu\n", std::string(reason).c_str(),
                         static_cast<unsigned long long>(count));
        }
    }
};

class Outputs {
  public:
    Status open(const control::Config& config, const Arguments& arguments) {
        writers_.resize(config.ports.size());
        for (std::size_t i = 0; i < config.ports.size(); ++i) {
            names_.push_back(config.ports[i].name);
            const auto path = arguments.out.find(config.ports[i].name);
            if (path == arguments.out.end()) continue;
            auto writer = PcapWriter::create(path->second);
            if (!writer) return writer.error();
            writers_[i] = std::move(writer).value();
        }
        if (arguments.json && *arguments.json != "-") {
            json_file_.open(*arguments.json);
            if (!json_file_) {
                return Error{"cannot write " + *arguments.json, "give a path in a writable folder"};
            }
        }
        want_json_ = arguments.json.has_value();
        return ok_status();
    }

    void take(const Decision& decision, const InputFrame& input) {
        for (const OutputFrame& frame : decision.sent) {
            const auto port = static_cast<std::size_t>(frame.port);
            if (port < writers_.size() && writers_[port]) {
                writers_[port]->write(decision.nanoseconds, frame.bytes);
            }
        }
        if (want_json_) json() << to_json_line(decision, input, names_) << '\n';
    }

    Status finish() {
        for (auto& writer : writers_) {
            if (!writer) continue;
            if (Status status = writer->finish(); !status) return status;
        }
        if (want_json_ && !json().flush()) {
            return Error{"writing the decisions failed", "check the free space of the disk"};
        }
        return ok_status();
    }

  private:
    std::ostream& json() { return json_file_.is_open() ? json_file_ : std::cout; }

    std::vector<std::optional<PcapWriter>> writers_;
    std::vector<std::string> names_;
    std::ofstream json_file_;
    bool want_json_ = false;
};

// VIPs of VRRP instances count as held: a replay is about the node that is MASTER.
std::vector<lb::OwnedAddressSpec> held_vips(const control::Config& config,
                                            const StaticNetwork& network) {
    std::vector<lb::OwnedAddressSpec> vips;
    for (const control::VrrpInstanceConfig& instance : config.vrrp_instances) {
        for (const auto* list :
             {&instance.virtual_ipaddress, &instance.virtual_ipaddress_excluded}) {
            for (const auto& vip : *list) {
                const std::string& device = vip.dev.empty() ? instance.interface : vip.dev;
                if (const control::ControlPort* port = network.ports.find(device)) {
                    vips.push_back({vip.address.address, port->id, port->mac});
                }
            }
        }
    }
    return vips;
}

int run(const Arguments& arguments) {
    control::LoadOptions load;
    load.node = arguments.node;
    control::LoadResult loaded = control::load_config(arguments.config, load);
    if (!loaded.config) {
        std::cerr << control::render_all(loaded);
        return kExitFailure;
    }
    const control::Config& config = *loaded.config;
    if (Status known = check_port_names(config, arguments); !known) return fail(known.error());
    auto frames = read_captures(config, arguments);
    if (!frames) return fail(frames.error());
    const StaticNetwork network = make_network(config, arguments.macs, *frames);
    const control::ServerStates servers;
    const lb::DataPlaneSpec spec = control::build_spec(
        {config, network.ports, network.kernel, servers, held_vips(config, network)});
    auto replay = Replay::create(spec, control::build_limits(config));
    if (!replay) return fail(replay.error());
    Outputs outputs;
    if (Status opened = outputs.open(config, arguments); !opened) return fail(opened.error());
    Totals totals;
    for (const InputFrame& frame : *frames) {
        const Decision decision = (*replay)->process(frame);
        totals.add(decision);
        outputs.take(decision, frame);
    }
    if (Status finished = outputs.finish(); !finished) return fail(finished.error());
    totals.print();
    return kExitOk;
}

}  // namespace
}  // namespace pollux::replay

int main(int argc, char** argv) {
    bool help = false;
    auto arguments = pollux::replay::parse_arguments(argc, argv, help);
    if (!arguments) return pollux::replay::fail(arguments.error(), pollux::replay::kExitUsage);
    return help ? pollux::replay::kExitOk : pollux::replay::run(*arguments);
}
