// SPDX-License-Identifier: Apache-2.0
#pragma once

// Document: a TOML file as a plain tree with the place of every key and value, so that only one
// translation unit sees the TOML library. Control thread.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pollux::control {

// Lines and columns count from 1, in characters (UTF-8 code points).
struct Place {
    std::uint32_t file = 0;  // position in Sources
    std::uint32_t line = 0;  // 0: no place
    std::uint32_t column = 0;
    std::uint32_t width = 0;
};

enum class NodeKind : std::uint8_t { Boolean, Integer, Real, Text, DateTime, Array, Table };

struct Entry;

struct Node {
    NodeKind kind = NodeKind::Table;
    Place place;
    bool boolean = false;
    std::int64_t integer = 0;
    double real = 0;
    std::string text;
    std::vector<Node> items;     // Array
    std::vector<Entry> entries;  // Table, in the order of the file
};

struct Entry {
    std::string key;
    Place place;  // of the key
    Node value;
};

// "a string", "a whole number", ... for messages.
std::string_view describe(NodeKind kind);

struct SyntaxError {
    std::string message;
    std::string label;  // beside the caret; may be empty
    Place place;
};

// A key or header of more parts than this is an error, as is deeper nesting of values than 64.
inline constexpr std::size_t kMaxKeyParts = 16;
inline constexpr std::size_t kMaxNesting = 64;

// Parses the text of file number `file`. The root is a table. Only the first syntax error of a file
// is known.
std::variant<Node, SyntaxError> parse_toml(std::string_view text, std::uint32_t file);

}  // namespace pollux::control
