// SPDX-License-Identifier: Apache-2.0
#include "tools/pollux/table.h"

#include <algorithm>

namespace pollux::cli {
namespace {

void append_cell(std::string& line, std::string_view text, std::size_t width, Align align) {
    const std::size_t padding = width - text.size();
    if (align == Align::Right) line.append(padding, ' ');
    line += text;
    if (align == Align::Left) line.append(padding, ' ');
}

}  // namespace

std::string Table::render() const {
    if (rows_.empty()) return "none\n";
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::size_t width = columns_[i].title.size();
        for (const auto& row : rows_) width = std::max(width, row.at(i).size());
        widths.push_back(width);
    }
    std::string text;
    const auto add_line = [&](const auto& cell_of) {
        std::string line;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (i > 0) line += "  ";
            append_cell(line, cell_of(i), widths[i], columns_[i].align);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    };
    add_line([&](std::size_t i) { return columns_[i].title; });
    for (const auto& row : rows_) add_line([&](std::size_t i) { return std::string_view(row[i]); });
    return text;
}

std::string printable(std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f) {
            out += c;
            continue;
        }
        out += "\\x";
        out += kHex[byte >> 4U];
        out += kHex[byte & 0xfU];
    }
    return out;
}

}  // namespace pollux::cli
