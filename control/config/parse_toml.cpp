// SPDX-License-Identifier: Apache-2.0
// The only user of the TOML library.

#include <algorithm>
#include <optional>
#include <string>

#define TOML_HEADER_ONLY 0
#include <toml++/toml.h>

#include "control/config/document.h"

namespace pollux::control {

namespace {

Place place_of(const toml::source_region& region, std::uint32_t file) {
    Place place{file, region.begin.line, region.begin.column, 1};
    if (region.end.line == region.begin.line && region.end.column > region.begin.column) {
        place.width = region.end.column - region.begin.column;
    }
    return place;
}

Node convert(const toml::node& source, std::uint32_t file);

void convert_table(const toml::table& table, std::uint32_t file, Node& node) {
    node.kind = NodeKind::Table;
    node.entries.reserve(table.size());
    for (auto&& [key, value] : table) {
        node.entries.push_back(
            {std::string(key.str()), place_of(key.source(), file), convert(value, file)});
    }
    std::sort(node.entries.begin(), node.entries.end(), [](const Entry& a, const Entry& b) {
        return a.place.line != b.place.line ? a.place.line < b.place.line
                                            : a.place.column < b.place.column;
    });
}

Node convert(const toml::node& source, std::uint32_t file) {
    Node node;
    node.place = place_of(source.source(), file);
    if (const auto* table = source.as_table()) {
        convert_table(*table, file, node);
    } else if (const auto* array = source.as_array()) {
        node.kind = NodeKind::Array;
        node.items.reserve(array->size());
        for (const toml::node& item : *array) node.items.push_back(convert(item, file));
    } else if (const auto* text = source.as_string()) {
        node.kind = NodeKind::Text;
        node.text = text->get();
    } else if (const auto* integer = source.as_integer()) {
        node.kind = NodeKind::Integer;
        node.integer = integer->get();
    } else if (const auto* real = source.as_floating_point()) {
        node.kind = NodeKind::Real;
        node.real = real->get();
    } else if (const auto* boolean = source.as_boolean()) {
        node.kind = NodeKind::Boolean;
        node.boolean = boolean->get();
    } else {
        node.kind = NodeKind::DateTime;
    }
    return node;
}

// The library's parser and its trees recurse by nesting and by key parts. This pass over the raw
// text bounds both before it sees the text: strings and comments are skipped, dots of one dotted
// key and open brackets are counted.
class DepthGuard {
  public:
    explicit DepthGuard(std::string_view text) : text_(text) {}

    std::optional<SyntaxError> run(std::uint32_t file) {
        while (at_ < text_.size()) {
            step();
            if (dots_ < kMaxKeyParts && open_ <= kMaxNesting) continue;
            const bool key = dots_ >= kMaxKeyParts;
            const std::string limit = std::to_string(key ? kMaxKeyParts : kMaxNesting);
            return SyntaxError{key ? "a key has more than " + limit + " parts"
                                   : "values are nested more than " + limit + " deep",
                               "", Place{file, line_, column(), 1}};
        }
        return std::nullopt;
    }

  private:
    void step() {
        const char c = text_[at_];
        if (c == '#') {
            at_ = std::min(text_.find('\n', at_), text_.size());
        } else if (c == '"' || c == '\'') {
            skip_string(c);
        } else {
            if (c == '.') ++dots_;
            if (c == '=' || c == ',' || c == '\n' || c == '{') dots_ = 0;
            if (c == '[' || c == '{') ++open_;
            if ((c == ']' || c == '}') && open_ > 0) --open_;
            ++at_;
            if (c == '\n') new_line();
        }
    }

    void skip_string(char quote) {
        const std::string_view rest = text_.substr(at_);
        const bool multi = rest.size() >= 3 && rest[1] == quote && rest[2] == quote;
        at_ += multi ? 3 : 1;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '\\' && quote == '"') {
                at_ = std::min(at_ + 1, text_.size());
                if (at_ == text_.size()) return;
            } else if (c == '\n' && !multi) {
                return;
            } else if (c == quote && (!multi || text_.substr(at_, 3) == std::string(3, quote))) {
                at_ += multi ? 3 : 1;
                return;
            }
            if (text_[at_] == '\n') {
                ++at_;
                new_line();
            } else {
                ++at_;
            }
        }
    }

    void new_line() {
        ++line_;
        line_start_ = at_;
    }

    [[nodiscard]] std::uint32_t column() const {
        return static_cast<std::uint32_t>(at_ - line_start_);
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_start_ = 0;
    std::uint32_t line_ = 1;
    std::size_t dots_ = 0;
    std::size_t open_ = 0;
};

// The place of `name` at the start of its line, where the library points behind it.
Place place_of_key(std::string_view text, const Place& place, std::string_view name) {
    for (std::uint32_t line = 1; line < place.line; ++line) {
        text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    }
    text = text.substr(0, text.find('\n'));
    const std::size_t at = text.find(name);
    if (at == std::string_view::npos || text.find_first_not_of(" \t[") < at) return place;
    return {place.file, place.line, static_cast<std::uint32_t>(at + 1),
            static_cast<std::uint32_t>(name.size())};
}

// The library's words, in ours.
SyntaxError translate(const toml::parse_error& error, std::string_view text, std::uint32_t file) {
    std::string message(error.description());
    const Place place = place_of(error.source(), file);
    if (const auto colon = message.find(": ");
        message.starts_with("Error while parsing ") && colon != std::string::npos) {
        message.erase(0, colon + 2);
    }
    if (message.find("unescaped control characters") != std::string::npos) {
        return {"a string is not closed on its line, or holds a control character",
                "the string ends here", place};
    }
    if (message.starts_with("cannot redefine existing ")) {
        const auto open = message.find('\'');
        const auto close = message.rfind('\'');
        const std::string name = open == close ? "" : message.substr(open + 1, close - open - 1);
        return {"defined twice: `" + name + "`", "already defined above",
                place_of_key(text, place, name)};
    }
    if (message.find("TOML_MAX_NESTED_VALUES") != std::string::npos) {
        return {"values are nested too deep", "", place};
    }
    return {"not valid TOML: " + message, "", place};
}

}  // namespace

std::string_view describe(NodeKind kind) {
    switch (kind) {
        case NodeKind::Boolean:
            return "true or false";
        case NodeKind::Integer:
            return "a whole number";
        case NodeKind::Real:
            return "a decimal number";
        case NodeKind::Text:
            return "a string";
        case NodeKind::DateTime:
            return "a date or time";
        case NodeKind::Array:
            return "an array";
        case NodeKind::Table:
            return "a table";
    }
    return "a value";
}

std::variant<Node, SyntaxError> parse_toml(std::string_view text, std::uint32_t file) {
    if (auto too_deep = DepthGuard(text).run(file)) return *too_deep;
    try {
        const toml::table table = toml::parse(text, std::string_view{});
        return convert(table, file);
    } catch (const toml::parse_error& error) {
        return translate(error, text, file);
    }
}

}  // namespace pollux::control
