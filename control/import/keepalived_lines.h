// SPDX-License-Identifier: Apache-2.0
#pragma once

// First stage of the keepalived importer: files -> lines, as keepalived.conf(5) describes it.
// Comments are gone, continued lines joined, includes read, `@id` lines chosen, $PARAMETERs,
// ~SEQ and ~LST replaced.

#include <string>
#include <vector>

#include "control/import/import_log.h"
#include "control/import/import_types.h"

namespace pollux::control {

struct SourceLine {
    std::string text;
    SourcePlace place;  // of an included line: in the included file
};

struct SourceText {
    std::vector<SourceLine> lines;
    std::vector<std::string> files;
    bool unreadable = false;
};

// Limits against files that include themselves or multiply without end.
inline constexpr std::size_t kMaxImportDepth = 16;
inline constexpr std::size_t kMaxImportFiles = 1000;
inline constexpr std::size_t kMaxImportLines = 1'000'000;
inline constexpr std::size_t kMaxImportBytes = std::size_t{64} << 20U;

// The lines of `paths` and what they include, parameters not yet replaced.
SourceText read_source(const std::vector<std::string>& paths, const ImportHost& host,
                       ImportLog& log);

// Chooses `@id` lines and replaces parameters, sequences and lists.
std::vector<SourceLine> expand_source(const SourceText& source, const ImportOptions& options,
                                      ImportLog& log);

}  // namespace pollux::control
