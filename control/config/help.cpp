// SPDX-License-Identifier: Apache-2.0
#include "control/config/help.h"

#include <ostream>

#include "control/config/suggest.h"
#include "control/config/values.h"

namespace pollux::control {

namespace {

bool is_table(const KeyRow& row) {
    return row.field.child != nullptr;
}

void print_row(const KeyRow& row, std::ostream& out) {
    for (const std::string& line : row_comment(row)) out << "# " << line << "\n";
    if (is_table(row)) {
        out << table_title(*row.field.child()) << "\n";
    } else {
        out << row.key << " = " << example_value(row) << "\n";
    }
}

void print_table(const TableSchema& table, std::ostream& out) {
    out << table_title(table) << "\n";
    for (const KeyRow& row : table.rows) {
        out << "\n";
        print_row(row, out);
    }
}

}  // namespace

std::vector<std::string> row_comment(const KeyRow& row) {
    std::string second;
    if (is_table(row)) {
        second = expected_value(row);
    } else {
        second = expected_value(row) + "; ";
        if (row.required) {
            second += "must be written";
        } else if (row.initial.empty()) {
            second += "no default";
        } else {
            second += "default " + std::string(row.initial);
        }
        second += row.change == Change::Reload ? "; reload" : "; restart";
    }
    return {std::string(row.help), second};
}

int run_config_help(std::span<const std::string> args, std::ostream& out, std::ostream& err) {
    if (args.empty()) {
        for (const TableSchema* table : all_tables()) {
            if (!table->path.empty()) out << table_title(*table) << "\n";
        }
        return 0;
    }
    const std::string& name = args.front();
    for (const TableSchema* table : all_tables()) {
        if (table->path != name || name.empty()) continue;
        print_table(*table, out);
        return 0;
    }
    std::vector<std::string_view> known;
    bool found = false;
    for (const TableSchema* table : all_tables()) {
        known.push_back(table->path);
        for (const KeyRow& row : table->rows) {
            known.push_back(row.key);
            const std::string full = std::string(table->path) + "." + std::string(row.key);
            if (row.key != name && full != name) continue;
            out << (found ? "\n" : "") << table_title(*table) << "\n";
            print_row(row, out);
            found = true;
        }
    }
    if (found) return 0;
    const std::string_view near = nearest(name, known);
    err << "no table or key is called \"" << escaped(name) << "\"";
    if (!near.empty()) err << "; did you mean \"" << near << "\"?";
    err << "\n";
    return 1;
}

}  // namespace pollux::control
