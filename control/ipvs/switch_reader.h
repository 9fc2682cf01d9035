// SPDX-License-Identifier: Apache-2.0
#pragma once

// SwitchReader: takes a command line apart into switches with their arguments, as popt does for
// ipvsadm: "-Ln", "-w5", "-w=5", "--weight 5", "--weight=5", "--". Single use, one thread.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "control/ipvs/options.h"

namespace pollux::control::ipvs {

// Thrown and caught inside this folder only, to leave the middle of a command line.
struct Refused {
    Refusal refusal;
};
[[noreturn]] void refuse(std::string message, int exit_status = 2);

struct Word {
    const Switch* what = nullptr;
    std::string text;  // "-t" or "--tcp-service", for messages
    std::optional<std::string> argument;
};

class SwitchReader {
  public:
    explicit SwitchReader(std::span<const std::string> words) : words_(words) {}

    // The next switch, nothing at the end. Throws Refused for an unknown one or one that lacks its
    // argument.
    std::optional<Word> next();

    // Words that were no switches, in order; complete after next() returned nothing.
    [[nodiscard]] const std::vector<std::string>& loose() const { return loose_; }

  private:
    Word short_switch();
    Word long_switch(const std::string& text);
    void take_argument(Word& word, const std::optional<std::string>& attached);

    std::span<const std::string> words_;
    std::size_t at_ = 0;
    std::string bundle_;  // letters of "-Ln" still to come
    std::vector<std::string> loose_;
    bool only_loose_ = false;
};

}  // namespace pollux::control::ipvs
