// SPDX-License-Identifier: Apache-2.0
#include "control/scripts/script_job.h"

#include <cstring>

namespace pollux::control {
namespace {

class Writer {
  public:
    void number(std::uint64_t value) {
        text_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void string(std::string_view value) {
        number(value.size());
        text_ += value;
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    std::string text_;
};

class Reader {
  public:
    explicit Reader(std::string_view text) : text_(text) {}

    std::uint64_t number() {
        std::uint64_t value = 0;
        if (text_.size() < sizeof value) {
            good_ = false;
            return 0;
        }
        std::memcpy(&value, text_.data(), sizeof value);
        text_.remove_prefix(sizeof value);
        return value;
    }
    std::string string() {
        const std::uint64_t size = number();
        if (size > text_.size()) {
            good_ = false;
            return {};
        }
        std::string value(text_.substr(0, size));
        text_.remove_prefix(size);
        return value;
    }
    // Everything was there, and nothing more.
    [[nodiscard]] bool complete() const { return good_ && text_.empty(); }
    [[nodiscard]] bool good() const { return good_; }

  private:
    std::string_view text_;
    bool good_ = true;
};

}  // namespace

std::string describe(const ScriptResult& result) {
    switch (result.end) {
        case ScriptEnd::Exited:
            return "exit status " + std::to_string(result.code);
        case ScriptEnd::Signalled:
            return "killed by signal " + std::to_string(result.code);
        case ScriptEnd::TimedOut:
            return "timed out";
        case ScriptEnd::Refused:
            return "not run: " + result.output;
    }
    return "unknown";
}

std::string encode(const ScriptJob& job) {
    Writer writer;
    writer.number(job.id);
    writer.number(static_cast<std::uint64_t>(job.kind));
    writer.number(static_cast<std::uint64_t>(job.timeout.count()));
    writer.number(job.secure ? 1 : 0);
    writer.string(job.user);
    for (const std::string& argument : job.argv) writer.string(argument);
    return writer.take();
}

std::string encode(const ScriptResult& result) {
    Writer writer;
    writer.number(result.id);
    writer.number(static_cast<std::uint64_t>(result.end));
    writer.number(static_cast<std::uint64_t>(static_cast<std::int64_t>(result.code)));
    writer.string(result.output);
    return writer.take();
}

std::optional<ScriptJob> decode_job(std::string_view message) {
    Reader reader(message);
    ScriptJob job;
    job.id = reader.number();
    const std::uint64_t kind = reader.number();
    job.kind = static_cast<ScriptKind>(kind);
    job.timeout = std::chrono::nanoseconds(static_cast<std::int64_t>(reader.number()));
    job.secure = reader.number() != 0;
    job.user = reader.string();
    while (reader.good() && !reader.complete()) job.argv.push_back(reader.string());
    const bool valid = reader.complete() && !job.argv.empty() &&
                       kind <= static_cast<std::uint64_t>(ScriptKind::Observe);
    return valid ? std::optional(std::move(job)) : std::nullopt;
}

std::optional<ScriptResult> decode_result(std::string_view message) {
    Reader reader(message);
    ScriptResult result;
    result.id = reader.number();
    const std::uint64_t end = reader.number();
    result.end = static_cast<ScriptEnd>(end);
    result.code = static_cast<int>(static_cast<std::int64_t>(reader.number()));
    result.output = reader.string();
    const bool valid = reader.complete() && end <= static_cast<std::uint64_t>(ScriptEnd::Refused);
    return valid ? std::optional(std::move(result)) : std::nullopt;
}

}  // namespace pollux::control
