// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the importers take and give. Pure: files are read through the caller's functions, so that
// tests and fuzzers need no disk.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pollux::control {

// Where something was written: position in ImportResult::files, line from 1 (0: the whole file).
struct SourcePlace {
    std::uint32_t file = 0;
    std::uint32_t line = 0;
};

// Error: nothing was imported. Warning: a mistake that was left out (--lenient). The other three
// tell what became of a keyword.
enum class ImportVerdict : std::uint8_t { Error, Warning, Dropped, Changed, Kept };

struct ImportNote {
    ImportVerdict verdict = ImportVerdict::Kept;
    SourcePlace place;
    std::string text;
    std::string remedy;  // what was probably meant, or what to do; may be empty
};

// --port NAME=DEVICE and --address NAME=ADDRESS/LENGTH.
struct PortSetting {
    std::string name;
    std::string value;
};

struct ImportOptions {
    bool lenient = false;   // leave out what keepalived ignores too, with a warning
    std::string config_id;  // of `@id` lines; empty: not said
    std::vector<PortSetting> devices;
    std::vector<PortSetting> addresses;
};

// How the importers see the disk.
struct ImportHost {
    // The text of a file; nullopt if it cannot be read.
    std::function<std::optional<std::string>(const std::string& path)> read;
    // Files that match a pattern with * and ?, sorted.
    std::function<std::vector<std::string>(const std::string& pattern)> list;
    // Absolute path of a program as PATH finds it; empty: not there.
    std::function<std::string(const std::string& program)> find_program;
};

struct ImportResult {
    std::string toml;                // empty after an error
    std::vector<std::string> files;  // read, in order
    std::vector<ImportNote> notes;   // by file and line, see ImportLog::kMaxNotes
    std::size_t errors = 0;
    std::size_t warnings = 0;
    bool unreadable = false;  // a file on the command line could not be read
    bool secrets = false;     // the text holds a password: its file must have mode 0600
};

}  // namespace pollux::control
