// SPDX-License-Identifier: Apache-2.0
#pragma once

// ipvsadm's recorded texts (tests/golden/formats) and a fixture that runs their command lines:
// every refusal with its message and exit status, every listing. What the recordings hold of the
// kernel's synchronisation daemon and of persistence engines is left out: Pollux has neither
// (docs/lvs-compatibility.md).

#include <array>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "control/ipvs/console.h"

namespace pollux::control::ipvs::testing {

// One "$ command" of a recording with what it printed.
struct Recorded {
    std::string title, command, out, err;
    int exit_status = 0;
};

[[nodiscard]] std::vector<Recorded> read_recording(const std::string& name);
// The text without lines that contain one of the marks.
[[nodiscard]] std::string without_lines(const std::string& text, std::vector<std::string> marks);
[[nodiscard]] std::string without_engines(const std::string& text);

// A derived fixture says what runs a command line.
class RecordedTexts : public ::testing::Test {
  protected:
    // One line of a recording; "ipvsadm A; ipvsadm B" runs both, "printf X | ipvsadm -R" feeds X.
    Output run(const std::string& line);
    // `words` without the program's name.
    virtual Output run_words(const std::vector<std::string>& words, const std::string& input) = 0;

    void set_up_as_recorded();
    // The comparisons; each returns how many command lines it compared.
    unsigned compare_empty();
    unsigned compare_populated();
    // `skipped`: titles of steps in which this fixture differs deliberately.
    unsigned compare_errors(const std::vector<std::string>& skipped);

    // The names that the recording machine had.
    static Names recorded_names();
    // Gives the views the counts of the recording, in place of traffic.
    void set_counts(std::vector<lb::ServiceView>& views) const;

  private:
    Output run_one(const std::string& line);

    // active, inactive, persistent, connections, packets, bytes by "service>server".
    std::map<std::string, std::array<std::uint64_t, 6>> counts_ = {
        {"10.1.0.10:80>10.2.0.1", {0, 1, 0, 1, 2, 80}},
        {"10.1.0.10:80>10.2.0.2", {0, 1, 0, 1, 2, 80}},
        {"10.1.0.10:80>10.2.0.3", {6, 1, 0, 3, 6, 240}},
        {"10.1.0.10:443>10.2.0.1", {9, 0, 9, 5, 10, 400}},
        {"10.1.0.10:53>10.2.0.2", {0, 0, 0, 1, 1, 29}},
        {"10.1.0.10:53>10.2.0.3", {0, 0, 0, 1, 1, 29}},
        {"10.1.0.10:53>10.2.0.4", {0, 0, 0, 1, 1, 29}},
        {"10.1.0.10:53>10.2.0.5", {0, 0, 0, 1, 1, 29}},
        {"10.1.0.10:53>10.2.0.6", {0, 0, 0, 1, 1, 29}},
        {"10.1.0.10:36412>10.2.0.1", {0, 1, 0, 0, 0, 0}},
        {"fd00:a::10:80>10.2.0.9", {1, 0, 1, 0, 0, 0}},
    };
};

}  // namespace pollux::control::ipvs::testing
