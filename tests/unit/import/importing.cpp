// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/import/importing.h"

namespace pollux::control::testing {

namespace {

std::string line_of(const ImportNote& note, const std::string& verdict) {
    std::string line = std::to_string(note.place.line) + " " + verdict + ": " + note.text;
    if (!note.remedy.empty()) line += " | " + note.remedy;
    return line;
}

}  // namespace

ImportHost host_of(const Disk& disk) {
    ImportHost host;
    host.read = [&disk](const std::string& path) -> std::optional<std::string> {
        const auto found = disk.find(path);
        return found == disk.end() ? std::nullopt : std::optional<std::string>(found->second);
    };
    host.list = [&disk](const std::string& pattern) {
        std::vector<std::string> names;
        const std::string start = pattern.substr(0, pattern.find('*'));
        const bool wild = start.size() != pattern.size();
        for (const auto& [name, text] : disk) {
            if (wild ? name.starts_with(start) : name == pattern) names.push_back(name);
        }
        return names;
    };
    host.find_program = [](const std::string& program) -> std::string {
        return program == "killall" || program == "curl" ? "/usr/bin/" + program : "";
    };
    return host;
}

ImportResult import_text(const std::string& text, const ImportOptions& options) {
    const Disk disk = {{"k.conf", text}};
    return import_keepalived({"k.conf"}, options, host_of(disk));
}

std::vector<std::string> mistakes(const ImportResult& result) {
    std::vector<std::string> lines;
    for (const ImportNote& note : result.notes) {
        if (note.verdict == ImportVerdict::Error) lines.push_back(line_of(note, "error"));
        if (note.verdict == ImportVerdict::Warning) lines.push_back(line_of(note, "warning"));
    }
    return lines;
}

std::vector<std::string> fates(const ImportResult& result) {
    std::vector<std::string> lines;
    for (const ImportNote& note : result.notes) {
        if (note.verdict == ImportVerdict::Dropped) lines.push_back(line_of(note, "dropped"));
        if (note.verdict == ImportVerdict::Changed) lines.push_back(line_of(note, "changed"));
    }
    return lines;
}

}  // namespace pollux::control::testing
