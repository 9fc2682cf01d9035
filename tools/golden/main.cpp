// SPDX-License-Identifier: Apache-2.0

// pollux-golden PATH...: replays recordings of the kernel's IPVS (files, or folders of them)
// through the real data plane in virtual time. One line per file, the first difference of each; the
// exit status is 0 only if every file passed or needs a kernel.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tools/golden/recording.h"

namespace pollux::golden {
namespace {

namespace fs = std::filesystem;

enum class Kind : std::uint8_t { Scenario, Packets, States };

struct Totals {
    unsigned passed = 0, failed = 0, skipped = 0, steps = 0, deliberate = 0;
};

// All recordings below `path`, in order of their names.
std::vector<fs::path> files_of(const fs::path& path) {
    if (!fs::is_directory(path)) return {path};
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
        if (entry.is_regular_file() && entry.path().extension() == ".json") {
            files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

Json read(const fs::path& path) {
    std::ifstream file(path);
    if (!file) throw Difference("cannot read the file");
    return Json::parse(file);
}

bool is_machine(const Json& value) {
    return value.is_object() && value.contains("table") && value.contains("reached_by");
}

Kind kind_of(const Json& recording) {
    if (recording.is_object()) {
        if (recording.contains("group") && recording.contains("ipvsadm")) return Kind::Packets;
        if (recording.contains("steps")) return Kind::Scenario;
        if (std::any_of(recording.begin(), recording.end(), is_machine)) return Kind::States;
    }
    throw Difference("not a recording: neither a scenario, packets nor states");
}

Replayed replay(const fs::path& path) {
    const Json recording = read(path);
    switch (kind_of(recording)) {
        case Kind::Scenario:
            return replay_scenario(recording);
        case Kind::Packets: {
            fs::path pcap = path;
            return replay_packets(recording, pcap.replace_extension(".pcap"));
        }
        case Kind::States:
            break;
    }
    return replay_states(recording);
}

void run_file(const fs::path& path, Totals& totals) {
    const std::string name = path.string();
    try {
        const Replayed replayed = replay(path);
        ++totals.passed;
        totals.steps += replayed.steps;
        totals.deliberate += replayed.deliberate;
        std::printf("ok       %-48s %5u steps", name.c_str(), replayed.steps);
        if (replayed.deliberate != 0) {
            std::printf(", %u differ on purpose", replayed.deliberate);
        }
        std::printf("\n");
    } catch (const NeedsKernel& reason) {
        ++totals.skipped;
        std::printf("skipped  %-48s %s\n", name.c_str(), reason.what());
    } catch (const Difference& difference) {
        ++totals.failed;
        std::printf("FAILED   %s\n%s\n", name.c_str(), difference.what());
    } catch (const std::exception& error) {
        ++totals.failed;
        std::printf("FAILED   %s\nnot a well-formed recording: %s\n", name.c_str(), error.what());
    }
}

int usage() {
    std::fprintf(stderr,
                 "usage: pollux-golden PATH...\n"
                 "Replays recordings of kernel IPVS (*.json, or folders of them) through the data\n"
                 "plane and compares every step. Exit status 0: all passed; 1: a difference or an\n"
                 "unknown operation; 2: nothing to replay.\n");
    return 2;
}

int run(const std::vector<std::string>& arguments) {
    if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") return usage();
    Totals totals;
    for (const std::string& argument : arguments) {
        if (!fs::exists(argument)) {
            std::fprintf(stderr, "pollux-golden: %s does not exist\n", argument.c_str());
            return 2;
        }
        for (const fs::path& path : files_of(argument)) run_file(path, totals);
    }
    std::printf("%u files passed, %u failed, %u skipped; %u steps, %u of them differ on purpose\n",
                totals.passed, totals.failed, totals.skipped, totals.steps, totals.deliberate);
    if (totals.passed + totals.failed + totals.skipped == 0) {
        std::fprintf(stderr, "pollux-golden: no recordings found\n");
        return 2;
    }
    return totals.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace pollux::golden

int main(int argc, char** argv) {
    return pollux::golden::run({argv + 1, argv + argc});
}
