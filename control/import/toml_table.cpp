// SPDX-License-Identifier: Apache-2.0
#include "control/import/toml_table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "control/config/values.h"

namespace pollux::control {

std::string toml_text(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            result += '\\';
            result += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            std::array<char, 8> escape{};
            std::snprintf(escape.data(), escape.size(), "\\u%04X", byte);
            result += escape.data();
        } else {
            result += c;
        }
    }
    return result + '"';
}

std::string toml_texts(std::span<const std::string> texts) {
    std::string result = "[";
    for (const std::string& text : texts) {
        if (result.size() > 1) result += ", ";
        result += toml_text(text);
    }
    return result + "]";
}

void TomlTable::set(std::string_view key, std::string value, SourcePlace place) {
    const auto found = std::ranges::find(items_, key, &Item::key);
    if (found == items_.end()) {
        items_.push_back({std::string(key), std::move(value), place});
    } else {
        found->value = std::move(value);
        found->place = place;
    }
}

void TomlTable::remove(std::string_view key) {
    std::erase_if(items_, [key](const Item& item) { return item.key == key; });
}

std::string_view TomlTable::value(std::string_view key) const {
    const auto found = std::ranges::find(items_, key, &Item::key);
    return found == items_.end() ? std::string_view() : std::string_view(found->value);
}

TomlTable& TomlTable::table(std::string_view name, SourcePlace place) {
    const auto found = std::ranges::find(children_, name, &Child::name);
    return found == children_.end() ? add_child(name, false, place) : *found->table;
}

TomlTable& TomlTable::append(std::string_view name, SourcePlace place) {
    return add_child(name, true, place);
}

void TomlTable::remove_last(std::string_view name) {
    for (auto child = children_.rbegin(); child != children_.rend(); ++child) {
        if (child->name != name) continue;
        children_.erase(std::next(child).base());
        return;
    }
}

std::size_t TomlTable::count(std::string_view name) const {
    return static_cast<std::size_t>(std::ranges::count(children_, name, &Child::name));
}

TomlTable& TomlTable::add_child(std::string_view name, bool array, SourcePlace place) {
    children_.push_back({std::string(name), array, place, std::make_unique<TomlTable>()});
    return *children_.back().table;
}

std::vector<TomlLine> TomlTable::lines() const {
    std::vector<TomlLine> lines;
    write("", lines);
    return lines;
}

void TomlTable::write(const std::string& path, std::vector<TomlLine>& lines) const {
    for (const std::string& comment : comments_) lines.push_back({"# " + comment, {}});
    for (const Item& item : items_) lines.push_back({item.key + " = " + item.value, item.place});
    for (const Child& child : children_) {
        const std::string name = path.empty() ? child.name : path + "." + child.name;
        // An empty [table] says nothing; an empty [[element]] is an element.
        if (child.array || !child.table->bare()) {
            if (!lines.empty()) lines.push_back({"", {}});
            lines.push_back({child.array ? "[[" + name + "]]" : "[" + name + "]", child.place});
        }
        child.table->write(name, lines);
    }
}

}  // namespace pollux::control
