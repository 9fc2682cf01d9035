// SPDX-License-Identifier: Apache-2.0
#pragma once

// Text tables for people: columns as wide as their widest cell, numbers to the right. Pure.

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace pollux::cli {

enum class Align : unsigned char { Left, Right };

struct Column {
    std::string_view title;
    Align align = Align::Left;
};

class Table {
  public:
    Table(std::initializer_list<Column> columns) : columns_(columns) {}

    // As many cells as columns.
    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    // Title line and rows, without trailing blanks; "none\n" without rows.
    [[nodiscard]] std::string render() const;

  private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

// Control characters become "\xNN", so that a hostile name cannot steer the terminal.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace pollux::cli
