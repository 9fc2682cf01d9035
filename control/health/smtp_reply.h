// SPDX-License-Identifier: Apache-2.0
#pragma once

// SmtpReply: one reply of a mail server, maybe of several lines (RFC 5321 section 4.2). Hostile
// input: its size is bounded. Pure.

#include <cstdint>
#include <span>
#include <string>

namespace pollux::control {

class SmtpReply {
  public:
    // All lines of a reply together.
    static constexpr std::size_t kMaxBytes = 4096;

    enum class State : std::uint8_t { NeedsMore, Complete, Malformed };

    // Takes in what came. Bytes after the end of a complete reply are not read.
    State feed(std::span<const char> bytes);

    // Of a complete reply: 200..599.
    [[nodiscard]] int code() const { return code_; }
    // The first line, for messages; may hold anything.
    [[nodiscard]] const std::string& first_line() const { return first_line_; }

  private:
    State take_line();

    std::string line_;
    std::string first_line_;
    std::size_t total_ = 0;
    int code_ = 0;
};

}  // namespace pollux::control
