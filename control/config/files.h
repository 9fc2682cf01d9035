// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads the configuration file and its includes into documents. Control thread.

#include <string>
#include <string_view>
#include <vector>

#include "control/config/document.h"
#include "control/config/report.h"

namespace pollux::control {

inline constexpr std::size_t kMaxFileSize = std::size_t{32} << 20U;
inline constexpr std::size_t kMaxFiles = 1000;

struct FileSet {
    std::vector<Node> documents;  // in order of reading; files with a syntax error are left out
    bool unreadable = false;      // the first file could not be read
};

// `only_regular`: of the first file; includes must be regular always.
FileSet read_files(const std::string& path, bool only_regular, Reporter& reporter);

// The same when the first file's text is given.
FileSet read_files_of_text(std::string_view text, const std::string& name, Reporter& reporter);

}  // namespace pollux::control
