// SPDX-License-Identifier: Apache-2.0
#include "control/import/convert.h"

#include <utility>

#include "control/config/values.h"

namespace pollux::control {

namespace {

// The table that "a.b.key" names below `table`, and the key in it.
std::pair<TomlTable*, std::string_view> place_of(TomlTable& table, std::string_view key) {
    TomlTable* result = &table;
    for (std::size_t dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.')) {
        result = &result->table(key.substr(0, dot));
        key = key.substr(dot + 1);
    }
    return {result, key};
}

// How many words after the keyword the reading uses.
std::size_t words_used(Reading reading) {
    switch (reading) {
        case Reading::Flag:
        case Reading::NegatedFlag:
            return 0;
        case Reading::Bool:
        case Reading::Integer:
        case Reading::Seconds:
        case Reading::Text:
        case Reading::Ip:
            return 1;
        case Reading::User:
            return 2;
        case Reading::Command:
        case Reading::Nothing:
        case Reading::Special:
            break;
    }
    return static_cast<std::size_t>(-2);
}

std::string read_ip(ImportContext& context, const Statement& statement) {
    if (is_ip(statement.word(1))) return toml_text(statement.word(1));
    context.log.ignored(statement.place, import_title(context, statement) + " has no address",
                        "keepalived ignores the line");
    return {};
}

std::string read_user(const Statement& statement) {
    std::string user(statement.word(1));
    if (!statement.word(2).empty()) user += ":" + std::string(statement.word(2));
    return toml_text(user);
}

// The value as TOML; empty: reported, nothing to write.
std::string read(ImportContext& context, const Statement& statement, const Keyword& row) {
    switch (row.reading) {
        case Reading::Flag:
            return "true";
        case Reading::NegatedFlag:
            return "false";
        case Reading::Bool: {
            const std::optional<bool> value = read_bool(context, statement);
            return value ? (*value ? "true" : "false") : "";
        }
        case Reading::Integer:
            return read_integer(context, statement, statement.word(1), row.min, row.max);
        case Reading::Seconds:
            return read_seconds(context, statement, statement.word(1));
        case Reading::Text:
            return toml_text(statement.word(1));
        case Reading::Ip:
            return read_ip(context, statement);
        case Reading::Command:
            return read_command(context, statement, 1);
        case Reading::User:
            return read_user(statement);
        case Reading::Nothing:
        case Reading::Special:
            break;
    }
    return {};
}

bool needs_value(Reading reading) {
    return reading == Reading::Integer || reading == Reading::Seconds || reading == Reading::Text ||
           reading == Reading::Ip || reading == Reading::Command || reading == Reading::User;
}

void note_fate(ImportContext& context, const Statement& statement, const Keyword& row) {
    const std::string word = std::string(block_name(row.block)) + ": " + std::string(row.word);
    switch (row.fate) {
        case Fate::Kept:
            return context.log.kept(statement.place, word);
        case Fate::Changed:
            return context.log.changed(statement.place, word, std::string(row.remark));
        case Fate::Dropped:
            return context.log.dropped(statement.place, word, std::string(row.remark));
    }
}

}  // namespace

std::string import_title(const ImportContext& context, const Statement& statement) {
    std::string title = "`" + escaped(statement.word()) + "`";
    if (context.parent != nullptr) title += " in " + escaped(context.parent->text());
    return title;
}

void report_unknown(ImportContext& context, const Statement& statement) {
    const std::string_view word = statement.word();
    std::string remedy;
    if (word.find('|') != std::string_view::npos) {
        remedy = "it lists alternatives: write one of them";
    } else if (const auto near = nearest_keyword(context.block, word); !near.empty()) {
        remedy = "did you mean `" + std::string(near) + "`?";
    } else if (const auto other = other_block_of(word); !other.empty()) {
        remedy = "it is a word of " + std::string(other);
    }
    if (context.block == Block::TcpCheck && word == "nb_get_retry") {
        remedy = "it belongs to HTTP_GET and SSL_GET; meant is `retry`";
    }
    context.log.ignored(statement.place,
                        "unknown word `" + escaped(word) + "` in " +
                            (context.parent == nullptr ? std::string(block_name(context.block))
                                                       : escaped(context.parent->text())) +
                            ": keepalived goes on as if it were not there",
                        remedy);
}

void refuse_more_words(ImportContext& context, const Statement& statement, std::size_t first) {
    if (statement.words.size() <= first) return;
    context.log.ignored(statement.place,
                        import_title(context, statement) + ": keepalived does not look at `" +
                            escaped(statement.text(first)) + "`",
                        "remove it");
}

void convert_statement(ImportContext& context, const Statement& statement, TomlTable& table) {
    const Keyword* row = find_keyword(context.block, statement.word());
    if (row == nullptr) return report_unknown(context, statement);
    if (row->reading == Reading::Special) {
        row->handler(context, statement, table);
        return note_fate(context, statement, *row);
    }
    if (row->reading == Reading::Nothing) return note_fate(context, statement, *row);
    if (needs_value(row->reading) && statement.word(1).empty()) {
        return context.log.ignored(statement.place,
                                   import_title(context, statement) + " has no value",
                                   "keepalived ignores the line");
    }
    refuse_more_words(context, statement, words_used(row->reading) + 1);
    const std::string value = read(context, statement, *row);
    if (value.empty()) return;
    const auto [target, key] = place_of(table, row->key);
    if (target->has(key) && target->value(key) != value) {
        context.log.warning(statement.place, import_title(context, statement) + " is written twice",
                            "keepalived takes this one, the later");
    }
    target->set(key, value, statement.place);
    note_fate(context, statement, *row);
}

void convert_block(ImportContext& context, const Statement& block, Block kind, TomlTable& table) {
    const Statement* const parent = std::exchange(context.parent, &block);
    const Block outer = std::exchange(context.block, kind);
    for (const Statement& statement : block.children) {
        convert_statement(context, statement, table);
    }
    context.parent = parent;
    context.block = outer;
}

}  // namespace pollux::control
