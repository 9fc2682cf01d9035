// SPDX-License-Identifier: Apache-2.0
#pragma once

// TomlTable: a TOML document in the making, each line with the place of the foreign file that it
// comes from. Keys keep the order in which they were set.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/import/import_types.h"

namespace pollux::control {

// "text" with TOML's escapes.
std::string toml_text(std::string_view text);
// ["a", "b"]
std::string toml_texts(std::span<const std::string> texts);

struct TomlLine {
    std::string text;
    SourcePlace place;
};

class TomlTable {
  public:
    // `value` is TOML. A key that is there already gets the new value.
    void set(std::string_view key, std::string value, SourcePlace place = {});
    void set_text(std::string_view key, std::string_view text, SourcePlace place = {}) {
        set(key, toml_text(text), place);
    }
    // A line "# text" above the table's keys.
    void comment(std::string text) { comments_.push_back(std::move(text)); }
    void remove(std::string_view key);
    // The value as TOML, empty if not set.
    [[nodiscard]] std::string_view value(std::string_view key) const;
    [[nodiscard]] bool has(std::string_view key) const { return !value(key).empty(); }

    // [name]: made on first use.
    TomlTable& table(std::string_view name, SourcePlace place = {});
    // [[name]]: one more.
    TomlTable& append(std::string_view name, SourcePlace place = {});
    // Undoes the last append of that name.
    void remove_last(std::string_view name);
    [[nodiscard]] std::size_t count(std::string_view name) const;

    [[nodiscard]] std::vector<TomlLine> lines() const;

  private:
    struct Item {
        std::string key;
        std::string value;
        SourcePlace place;
    };
    struct Child {
        std::string name;
        bool array = false;
        SourcePlace place;
        std::unique_ptr<TomlTable> table;
    };

    TomlTable& add_child(std::string_view name, bool array, SourcePlace place);
    void write(const std::string& path, std::vector<TomlLine>& lines) const;
    [[nodiscard]] bool bare() const { return items_.empty() && comments_.empty(); }

    std::vector<std::string> comments_;
    std::vector<Item> items_;
    std::vector<Child> children_;
};

}  // namespace pollux::control
