// SPDX-License-Identifier: Apache-2.0
#pragma once

// Diagnostic: one message about the configuration, with the places it points at. Rendering is in
// render.h. Control thread.

#include <cstdint>
#include <string>
#include <vector>

namespace pollux::control {

enum class Severity : std::uint8_t { Error, Warning };

// A place in a file with its text, so that a message outlives the files.
struct Label {
    std::string file;          // path as the operator gave it or an include found it
    std::uint32_t line = 0;    // 1-based; 0: the file as a whole
    std::uint32_t column = 0;  // 1-based, in characters
    std::uint32_t width = 0;   // characters to underline; 0: none
    std::string source_line;   // text of the line
    std::string message;       // beside the underline; may be empty

    bool operator==(const Label&) const = default;
};

struct Diagnostic {
    Severity severity = Severity::Error;
    std::string code;                // "E0107", "W0412": stable
    std::string title;               // lower case, names the thing
    std::vector<Label> labels;       // the first is where the message belongs; others explain
    std::vector<std::string> notes;  // why
    std::vector<std::string> helps;  // what to write instead

    bool operator==(const Diagnostic&) const = default;
};

}  // namespace pollux::control
