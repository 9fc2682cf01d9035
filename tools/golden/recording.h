// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the three kinds of recordings have in common: the JSON form and the outcome of a replay.

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace pollux::golden {

using Json = nlohmann::ordered_json;

// The replay of one file ends early: a difference, an operation that the runner does not know, or
// a file that is not a recording.
class Difference : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// The file needs a kernel; thrown before anything is replayed.
class NeedsKernel : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Seconds by which timers of two runs of the kernel differ.
inline constexpr long long kTimerTolerance = 2;

struct Replayed {
    unsigned steps = 0;
    unsigned deliberate = 0;  // steps where Pollux differs on purpose, docs/lvs-compatibility.md
};

// Compares what came out at step `index`; throws Difference with both sides when they differ.
void expect_same(std::size_t index, const Json& step, const std::string& expected,
                 const std::string& actual);

// sched/*.json: scheduler choices, persistence, states, listings.
[[nodiscard]] Replayed replay_scenario(const Json& recording);
// states/states.json: the measured state machines.
[[nodiscard]] Replayed replay_states(const Json& recording);
// packets/*.json with the frames of the .pcap beside it.
[[nodiscard]] Replayed replay_packets(const Json& recording, const std::string& pcap_path);

}  // namespace pollux::golden
