// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keeps what DPDK logs instead of printing it: the last errors become part of our own error text,
// later warnings go to the control core's log. Written by any thread, read by the control thread.

#include <cstdint>
#include <cstdio>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace pollux::dpdk {

class LogCapture {
  public:
    static constexpr std::size_t kMaxLines = 128;  // older lines are forgotten

    LogCapture();   // from here on DPDK logs into this object
    ~LogCapture();  // DPDK logs to stderr again
    LogCapture(const LogCapture&) = delete;
    LogCapture& operator=(const LogCapture&) = delete;

    // The errors since the last call of forget(), joined by "; ", at most the last three.
    [[nodiscard]] std::string errors() const;
    void forget();
    // Adds a warning of our own.
    void warn(std::string_view text);
    // Warnings and errors that were not taken before, in order.
    std::vector<std::string> take_warnings();

  private:
    struct Line {
        std::uint32_t level = 0;  // syslog's: 4 = error, 5 = warning (DPDK counts from 1)
        std::string text;
    };

    static ssize_t write(void* self, const char* bytes, std::size_t size);
    void append(std::uint32_t level, std::string_view text);

    mutable std::mutex mutex_;  // DPDK's own threads log, too; workers do not while they forward
    std::deque<Line> lines_;
    std::vector<std::string> warnings_;
    std::FILE* stream_ = nullptr;
};

// Diverts standard output and error while it lives: EAL prints its usage and its last words there
// besides logging them. If EAL aborts the process, they are printed after all.
class OutputDiversion {
  public:
    OutputDiversion();
    ~OutputDiversion();
    OutputDiversion(const OutputDiversion&) = delete;
    OutputDiversion& operator=(const OutputDiversion&) = delete;
};

}  // namespace pollux::dpdk
