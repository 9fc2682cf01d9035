// SPDX-License-Identifier: Apache-2.0
#pragma once

// Second stage of the keepalived importer: lines -> statements. A statement is a line's words and,
// where braces follow, a block of further statements.

#include <string>
#include <string_view>
#include <vector>

#include "control/import/keepalived_lines.h"

namespace pollux::control {

struct Word {
    std::string text;
    bool quoted = false;  // at least a part of it
};

struct Statement {
    std::vector<Word> words;  // may be empty in a file of mistakes
    std::vector<Statement> children;
    bool block = false;  // braces were written
    SourcePlace place;
    SourcePlace open;  // of the opening brace

    [[nodiscard]] std::string_view word(std::size_t i = 0) const {
        return i < words.size() ? std::string_view(words[i].text) : std::string_view();
    }
    [[nodiscard]] std::size_t arguments() const { return words.empty() ? 0 : words.size() - 1; }
    // The last child that begins with `name`, as keepalived's last word counts; nullptr: none.
    [[nodiscard]] const Statement* find(std::string_view name) const;
    // "a b c" from word `from` on, for messages.
    [[nodiscard]] std::string text(std::size_t from = 0) const;
};

inline constexpr std::size_t kMaxBlockDepth = 32;

// The words of a line with quotes and escapes resolved; braces outside of quotes are words of their
// own. Reports a quote that does not end.
std::vector<Word> split_words(const SourceLine& line, ImportLog& log);

// Reports braces that do not pair, with the line of the opening one.
std::vector<Statement> parse_statements(const std::vector<SourceLine>& lines, ImportLog& log);

}  // namespace pollux::control
