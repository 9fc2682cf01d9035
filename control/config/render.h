// SPDX-License-Identifier: Apache-2.0
#pragma once

// Diagnostics as text for people and as JSON for programs. Control characters of names and source
// lines come out escaped. Control thread.

#include <cstddef>
#include <string>

#include "control/config/diagnostic.h"
#include "control/config/load.h"

namespace pollux::control {

struct RenderOptions {
    bool colour = false;  // ANSI; only for a terminal
};

// "no errors", "1 error", "2 errors". Any thread.
std::string counted(std::size_t count, const std::string& word);

// One message, ending in a newline.
std::string render(const Diagnostic& diagnostic, const RenderOptions& options = {});

// All messages with an empty line between them, then "2 errors, 1 warning in 2 files (a, b)".
std::string render_all(const LoadResult& result, const RenderOptions& options = {});

// {"schema": 1, "errors": N, "warnings": N, "files": [...], "diagnostics": [{severity, code, title,
// labels: [{file, line, column, width, message}], notes, helps}]}, ending in a newline.
std::string render_json(const LoadResult& result);

}  // namespace pollux::control
