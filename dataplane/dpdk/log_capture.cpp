// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/log_capture.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <rte_log.h>
#include <sys/mman.h>
#include <unistd.h>

namespace pollux::dpdk {
namespace {

// For the signal handler, which can reach nothing else.
int held_output = -1;
std::array<int, 2> real_output{-1, -1};  // of file descriptors 1 and 2
struct sigaction previous_abort;

// Async-signal-safe.
void restore_output() {
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; ++fd) {
        int& real = real_output[static_cast<std::size_t>(fd - STDOUT_FILENO)];
        if (real < 0) continue;
        dup2(real, fd);
        close(real);
        real = -1;
    }
}

// Async-signal-safe: prints what was held, as it is the only trace of the end.
void print_held(int signal) {
    restore_output();
    lseek(held_output, 0, SEEK_SET);
    std::array<char, 512> chunk;
    for (ssize_t size = 0; (size = read(held_output, chunk.data(), chunk.size())) > 0;) {
        if (write(STDERR_FILENO, chunk.data(), static_cast<std::size_t>(size)) < 0) break;
    }
    sigaction(SIGABRT, &previous_abort, nullptr);
    raise(signal);
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

LogCapture::LogCapture() {
    cookie_io_functions_t functions{};
    functions.write = &LogCapture::write;
    stream_ = fopencookie(this, "w", functions);
    if (stream_ == nullptr) return;
    std::setvbuf(stream_, nullptr, _IOLBF, BUFSIZ);
    rte_openlog_stream(stream_);
}

LogCapture::~LogCapture() {
    rte_openlog_stream(nullptr);
    if (stream_ != nullptr) std::fclose(stream_);
}

std::string LogCapture::errors() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string_view> errors;
    for (const Line& line : lines_) {
        if (line.level <= RTE_LOG_ERR) errors.emplace_back(line.text);
    }
    std::string text;
    for (std::size_t i = errors.size() > 3 ? errors.size() - 3 : 0; i < errors.size(); ++i) {
        if (!text.empty()) text += "; ";
        text += errors[i];
    }
    return text;
}

void LogCapture::forget() {
    const std::lock_guard lock(mutex_);
    lines_.clear();
}

void LogCapture::warn(std::string_view text) {
    append(RTE_LOG_WARNING, text);
}

std::vector<std::string> LogCapture::take_warnings() {
    const std::lock_guard lock(mutex_);
    return std::exchange(warnings_, {});
}

ssize_t LogCapture::write(void* self, const char* bytes, std::size_t size) {
    const auto level = static_cast<std::uint32_t>(rte_log_cur_msg_loglevel());
    std::string_view text(bytes, size);
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (const std::string_view line = trimmed(text.substr(0, end)); !line.empty()) {
            static_cast<LogCapture*>(self)->append(level, line);
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return static_cast<ssize_t>(size);
}

void LogCapture::append(std::uint32_t level, std::string_view text) {
    const std::lock_guard lock(mutex_);
    if (lines_.size() == kMaxLines) lines_.pop_front();
    lines_.push_back({level, std::string(text)});
    if (level <= RTE_LOG_WARNING && warnings_.size() < kMaxLines) warnings_.emplace_back(text);
}

OutputDiversion::OutputDiversion() {
    std::fflush(nullptr);
    held_output = memfd_create("pollux-output", MFD_CLOEXEC);
    if (held_output < 0) return;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; ++fd) {
        int& real = real_output[static_cast<std::size_t>(fd - STDOUT_FILENO)];
        real = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (real >= 0) dup2(held_output, fd);
    }
    struct sigaction action {};
    action.sa_handler = &print_held;
    sigaction(SIGABRT, &action, &previous_abort);
}

OutputDiversion::~OutputDiversion() {
    if (held_output < 0) return;
    std::fflush(nullptr);
    sigaction(SIGABRT, &previous_abort, nullptr);
    restore_output();
    close(held_output);
    held_output = -1;
}

}  // namespace pollux::dpdk
