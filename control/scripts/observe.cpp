// SPDX-License-Identifier: Apache-2.0
#include "control/scripts/observe.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace pollux::control {
namespace {

std::string read_all(const std::string& path, std::size_t limit) {
    std::ifstream file(path, std::ios::binary);
    std::string text(limit, '\0');
    file.read(text.data(), static_cast<std::streamsize>(limit));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    return text;
}

std::vector<std::string> split_zero(const std::string& text) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, '\0');) parts.push_back(part);
    return parts;
}

bool is_number(const std::string& text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// The kernel cuts names after 15 characters.
std::string command_name(const std::string& name) {
    const std::string base = name.substr(name.find_last_of('/') + 1);
    return base.substr(0, 15);
}

struct Process {
    std::string comm;
    std::vector<std::string> command_line;
};

bool matches(const ProcessQuery& query, const Process& process) {
    const std::vector<std::string>& line = process.command_line;
    if (query.full_command) {
        if (line.empty() || line.front() != query.name) return false;
    } else if (process.comm != command_name(query.name)) {
        return false;
    }
    if (query.arguments.empty()) return true;
    if (line.size() < query.arguments.size() + 1) return false;
    return std::equal(query.arguments.begin(), query.arguments.end(), line.begin() + 1);
}

// A zombie has no command line and does not run.
std::optional<Process> read_process(const std::string& folder) {
    Process process;
    process.comm = read_all(folder + "/comm", 64);
    if (!process.comm.empty() && process.comm.back() == '\n') process.comm.pop_back();
    process.command_line = split_zero(read_all(folder + "/cmdline", 16384));
    if (process.comm.empty() || process.command_line.empty()) return std::nullopt;
    return process;
}

std::optional<std::int64_t> read_number(const std::string& path) {
    const std::string text = read_all(path, 64);
    const std::size_t start = text.find_first_not_of(" \t\n");
    if (start == std::string::npos) return std::nullopt;
    std::int64_t value = 0;
    const char* first = text.data() + start + (text[start] == '+' ? 1 : 0);
    const auto result = std::from_chars(first, text.data() + text.size(), value);
    return result.ec == std::errc() ? std::optional(value) : std::nullopt;
}

}  // namespace

std::vector<std::string> to_arguments(const ObserveQuery& query) {
    std::vector<std::string> arguments{"observe"};
    for (const ProcessQuery& process : query.processes) {
        arguments.push_back(process.full_command ? "full" : "process");
        arguments.push_back(std::to_string(process.arguments.size()));
        arguments.push_back(process.name);
        arguments.insert(arguments.end(), process.arguments.begin(), process.arguments.end());
    }
    for (const std::string& file : query.files) {
        arguments.emplace_back("file");
        arguments.push_back(file);
    }
    return arguments;
}

ObserveQuery from_arguments(const std::vector<std::string>& arguments) {
    ObserveQuery query;
    std::size_t i = 1;
    const auto next = [&] { return i < arguments.size() ? arguments[i++] : std::string(); };
    while (i < arguments.size()) {
        const std::string word = next();
        if (word == "file") {
            query.files.push_back(next());
            continue;
        }
        ProcessQuery process;
        process.full_command = word == "full";
        const std::string count = next();
        process.name = next();
        for (unsigned long k = is_number(count) ? std::stoul(count) : 0; k > 0; --k) {
            process.arguments.push_back(next());
        }
        query.processes.push_back(std::move(process));
    }
    return query;
}

Observation observe(const ObserveQuery& query, const std::string& proc,
                    const std::function<void()>& wait_for_writers) {
    Observation result;
    result.processes.assign(query.processes.size(), 0);
    std::error_code error;
    if (!query.processes.empty()) {
        for (const auto& entry : std::filesystem::directory_iterator(proc, error)) {
            const std::string name = entry.path().filename().string();
            if (!is_number(name)) continue;
            const auto process = read_process(entry.path().string());
            if (!process) continue;
            for (std::size_t i = 0; i < query.processes.size(); ++i) {
                if (matches(query.processes[i], *process)) ++result.processes[i];
            }
        }
    }
    for (const std::string& file : query.files) result.files.push_back(read_number(file));
    const auto has_number = [](const auto& value) { return value.has_value(); };
    if (std::ranges::all_of(result.files, has_number)) return result;
    wait_for_writers();
    for (std::size_t i = 0; i < query.files.size(); ++i) {
        if (!result.files[i]) result.files[i] = read_number(query.files[i]);
    }
    return result;
}

std::string to_text(const Observation& observation) {
    std::string text;
    for (const std::uint32_t count : observation.processes) text += std::to_string(count) + "\n";
    for (const auto& value : observation.files) {
        text += (value ? std::to_string(*value) : std::string("-")) + "\n";
    }
    return text;
}

std::optional<Observation> parse_observation(const std::string& text, const ObserveQuery& query) {
    Observation result;
    std::istringstream stream(text);
    std::string line;
    while (std::getline(stream, line)) {
        std::int64_t value = 0;
        const auto parsed = std::from_chars(line.data(), line.data() + line.size(), value);
        const bool good = parsed.ec == std::errc();
        if (result.processes.size() < query.processes.size()) {
            if (!good) return std::nullopt;
            result.processes.push_back(static_cast<std::uint32_t>(value));
        } else {
            result.files.push_back(good ? std::optional(value) : std::nullopt);
        }
    }
    const bool complete = result.processes.size() == query.processes.size() &&
                          result.files.size() == query.files.size();
    return complete ? std::optional(std::move(result)) : std::nullopt;
}

}  // namespace pollux::control
