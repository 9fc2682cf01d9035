// SPDX-License-Identifier: Apache-2.0
#include "control/config/read.h"

#include <algorithm>
#include <utility>

#include "control/config/old_names.h"
#include "control/config/read_value.h"
#include "control/config/schema.h"
#include "control/config/suggest.h"
#include "control/config/values.h"

namespace pollux::control {

namespace {

constexpr std::string_view kWhen = "when";

const Entry* find_entry(const Node& table, std::string_view key) {
    for (const Entry& entry : table.entries) {
        if (entry.key == key) return &entry;
    }
    return nullptr;
}

std::string shown(std::string_view text) {
    return escaped(text.substr(0, 64));
}

class Reader {
  public:
    Reader(const ReadTarget& target, const ReadOptions& options, std::set<std::string>& nodes,
           Reporter& reporter)
        : target_(target),
          options_(options),
          nodes_(nodes),
          reporter_(reporter),
          sources_(reporter.sources()) {}

    void run(std::span<const Node> documents) {
        const TableSchema& root = target_.root;
        Origin& origin = target_.origin;
        for (const Node& document : documents) report_unknown_keys(root, document);
        for (const KeyRow& row : root.rows) {
            for (const Node& document : documents) {
                const Entry* entry = find_entry(document, row.key);
                if (entry == nullptr) continue;
                if (row.field.child != nullptr) {
                    read_children(row, *entry, target_.object);
                } else if (origin.element == 0 || !sources_.written(origin, row.key)) {
                    if (origin.element == 0) origin = sources_.add_element(document.place);
                    read_scalar(row, *entry, target_.object, origin);
                }
            }
        }
    }

  private:
    // Fills `object` from `node`; the element's origin is new or, for a table that goes on in
    // another file, the first one's.
    void read_table(const TableSchema& table, const Node& node, void* object) {
        Origin& origin = *table.origin(object);
        if (origin.element == 0) origin = sources_.add_element(node.place);
        // The address of the element may change while siblings are added: keep a copy.
        const Origin element = origin;
        report_unknown_keys(table, node);
        for (const Entry& entry : node.entries) {
            const KeyRow* row = find_row(table, entry.key);
            if (row == nullptr) continue;
            if (row->field.child != nullptr) {
                read_children(*row, entry, object);
            } else {
                read_scalar(*row, entry, object, element);
            }
        }
        for (const KeyRow& row : table.rows) {
            if (row.required && find_entry(node, row.key) == nullptr) {
                report_missing(table, node, row);
                sources_.mark_broken(element);
            }
        }
    }

    void read_scalar(const KeyRow& row, const Entry& entry, void* object, const Origin& element) {
        if (sources_.written(element, row.key)) {
            reporter_.report("E0113", "`" + std::string(row.key) + "` is defined twice")
                .at(entry.place, "again here")
                .at(sources_.key(element, row.key), "first here");
            return;
        }
        sources_.add_key(element, row.key, entry.place, entry.value.place);
        Reading reading;
        if (const auto error = read_value(row, entry.value, reading)) {
            auto message =
                reporter_.report(error->code, error->title).at(error->place, error->label);
            if (!error->help.empty()) message.help(error->help);
            sources_.mark_broken(element);
            return;
        }
        row.field.store(object, reading);
    }

    void read_children(const KeyRow& row, const Entry& entry, void* object) {
        const TableSchema& child = *row.field.child();
        const bool list = row.field.type == ValueType::TableList;
        if (!list) {
            if (entry.value.kind != NodeKind::Table) return report_not_a_table(child, entry);
            read_table(child, entry.value, row.field.add(object));
            return;
        }
        if (entry.value.kind != NodeKind::Array) return report_not_a_table(child, entry);
        for (const Node& item : entry.value.items) {
            if (item.kind != NodeKind::Table) {
                report_not_a_table(child, {entry.key, item.place, item});
            } else if (selected(item)) {
                read_table(child, item, row.field.add(object));
            }
        }
    }

    // Whether `when` lets the element in on this node.
    bool selected(const Node& element) {
        const Entry* when = find_entry(element, kWhen);
        if (when == nullptr) return true;
        if (when->value.kind != NodeKind::Table || when->value.entries.size() != 1) {
            report_when(when->value.place);
            return true;
        }
        const Entry& condition = when->value.entries.front();
        const bool negative = condition.key == "not_node";
        std::vector<std::string> names;
        if (condition.value.kind == NodeKind::Text) {
            names.push_back(condition.value.text);
        } else if (condition.value.kind == NodeKind::Array) {
            for (const Node& item : condition.value.items) names.push_back(item.text);
        }
        const bool empty = names.empty() || std::ranges::count(names, std::string()) > 0;
        if ((!negative && condition.key != "node") || empty) {
            report_when(condition.place);
            return true;
        }
        nodes_.insert(names.begin(), names.end());
        return (std::ranges::count(names, options_.node) > 0) != negative;
    }

    void report_when(const Place& place) {
        reporter_.report("E0120", "`when` has an unknown form")
            .at(place, "expected { node = ... } or { not_node = ... }")
            .help(R"(for example when = { node = "lb01" } or { node = ["lb01", "lb02"] })");
    }

    void report_not_a_table(const TableSchema& child, const Entry& entry) {
        const std::string title = table_title(child);
        if (child.array && entry.value.kind == NodeKind::Table) {
            reporter_.report("E0119", "[" + std::string(child.path) + "] must be written " + title)
                .at(entry.place, "two brackets: there may be several of these")
                .help(title);
            return;
        }
        reporter_
            .report("E0103", "`" + shown(entry.key) + "` cannot be " +
                                 std::string(describe(entry.value.kind)))
            .at(entry.value.place,
                child.array ? "expected tables, written " + title : "expected the table " + title);
    }

    void report_missing(const TableSchema& table, const Node& node, const KeyRow& row) {
        reporter_
            .report("E0109", element_title(table, node) + " has no `" + std::string(row.key) + "`")
            .at(node.place, "`" + std::string(row.key) + "` is missing: " + std::string(row.help))
            .help("for example " + std::string(row.key) + " = " + example_value(row));
    }

    void report_unknown_keys(const TableSchema& table, const Node& node) {
        for (const Entry& entry : node.entries) {
            if (find_row(table, entry.key) != nullptr) continue;
            if (table.array && entry.key == kWhen) continue;
            report_unknown_key(table, node, entry);
        }
    }

    void report_unknown_key(const TableSchema& table, const Node& node, const Entry& entry) {
        const std::string place_title =
            table.path.empty() ? "at the top level" : "in " + element_title(table, node);
        const bool is_table = entry.value.kind == NodeKind::Table ||
                              (entry.value.kind == NodeKind::Array && !entry.value.items.empty() &&
                               entry.value.items.front().kind == NodeKind::Table);
        const std::string title = std::string(is_table ? "unknown table `" : "unknown key `") +
                                  shown(entry.key) + "` " + place_title;
        if (const OldName* old = find_old_name(table.path, entry.key)) {
            const bool here = find_row(table, old->now) != nullptr;
            reporter_.report("E0110", title)
                .at(entry.place,
                    here ? "write `" + std::string(old->now) + "`" : std::string(old->remark))
                .note(here ? std::string(old->remark)
                           : "unknown keys are errors, nothing was applied");
            return;
        }
        auto message = reporter_.report(is_table ? "E0108" : "E0107", title);
        message.at(entry.place, reporter_.full() ? "" : suggestion(table, entry.key));
        message.note("unknown keys are errors, nothing was applied");
    }

    // "did you mean", first in this table, then among keepalived's old names and other tables.
    [[nodiscard]] std::string suggestion(const TableSchema& table, std::string_view key) const {
        std::vector<std::string_view> candidates;
        for (const KeyRow& row : table.rows) candidates.push_back(row.key);
        if (table.array) candidates.push_back(kWhen);
        const std::string_view near = nearest(key, candidates);
        if (!near.empty()) return "did you mean `" + std::string(near) + "`?";
        for (const TableSchema* other : target_.tables) {
            const KeyRow* row = find_row(*other, key);
            if (row != nullptr) return "`" + shown(key) + "` is a key of " + table_title(*other);
        }
        candidates.clear();
        for (const OldName& old : old_names()) {
            if (old.table.empty() || old.table == table.path) candidates.push_back(old.name);
        }
        const std::string_view old_near = nearest(key, candidates);
        if (!old_near.empty()) {
            const OldName* old = find_old_name(table.path, old_near);
            if (old != nullptr && !old->now.empty()) {
                return "did you mean keepalived's `" + std::string(old_near) + "`? write `" +
                       std::string(old->now) + "`";
            }
        }
        return suggestion_elsewhere(key);
    }

    [[nodiscard]] std::string suggestion_elsewhere(std::string_view key) const {
        std::string_view best;
        const TableSchema* where = nullptr;
        std::size_t best_distance = 3;
        for (const TableSchema* other : target_.tables) {
            for (const KeyRow& row : other->rows) {
                if (row.key.size() <= 4) continue;
                const std::size_t distance = edit_distance(key, row.key, 2);
                if (distance >= best_distance) continue;
                best_distance = distance;
                best = row.key;
                where = other;
            }
        }
        if (where == nullptr) return "not a key of this table";
        return "did you mean `" + std::string(best) + "` of " + table_title(*where) + "?";
    }

    const ReadTarget& target_;
    const ReadOptions& options_;
    std::set<std::string>& nodes_;
    Reporter& reporter_;
    Sources& sources_;
};

}  // namespace

ReadResult read_documents(std::span<const Node> documents, const ReadOptions& options,
                          Reporter& reporter) {
    ReadResult result;
    Draft& draft = result.draft;
    read_into(documents, {root_schema(), all_tables(), &draft, draft.origin}, options, result.nodes,
              reporter);
    return result;
}

void read_into(std::span<const Node> documents, const ReadTarget& target,
               const ReadOptions& options, std::set<std::string>& nodes, Reporter& reporter) {
    Reader(target, options, nodes, reporter).run(documents);
}

std::string element_title(const TableSchema& table, const Node& node) {
    std::string title = table_title(table);
    std::string label;
    for (const std::string_view key : table.label_keys) {
        const Entry* entry = find_entry(node, key);
        if (entry == nullptr) continue;
        const bool text = entry->value.kind == NodeKind::Text;
        if (!text && entry->value.kind != NodeKind::Integer) continue;
        const std::string value =
            text ? shown(entry->value.text) : std::to_string(entry->value.integer);
        if (!label.empty()) label += ":";
        label += key == "name" ? "\"" + value + "\"" : value;
    }
    return label.empty() ? title : title + " " + label;
}

}  // namespace pollux::control
