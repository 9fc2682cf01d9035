// SPDX-License-Identifier: Apache-2.0
// What instances track: scripts, files, processes, interfaces.

#include "control/config/values.h"
#include "control/import/convert.h"

namespace pollux::control {

namespace {

// "track_script { a b }" may also stand on one line: each word that is no option begins a new item.
struct TrackedItem {
    std::string name;
    std::vector<Word> options;
    SourcePlace place;
};

std::vector<TrackedItem> tracked_items(const Statement& statement) {
    std::vector<TrackedItem> items;
    for (const Statement& line : statement.children) {
        for (std::size_t i = 0; i < line.words.size(); ++i) {
            const bool option =
                i > 0 && find_keyword(Block::Tracked, line.words[i].text) != nullptr;
            if (option) {
                items.back().options.push_back(line.words[i]);
                if (line.words[i].text == "weight" && i + 1 < line.words.size()) {
                    items.back().options.push_back(line.words[++i]);
                }
            } else {
                items.push_back({line.words[i].text, {}, line.place});
            }
        }
    }
    return items;
}

bool is_defined(const ImportContext& context, std::string_view list, const std::string& name) {
    if (list == "track_script") return context.names.scripts.contains(name);
    if (list == "track_file") return context.names.files.contains(name);
    if (list == "track_process") return context.names.processes.contains(name);
    return true;
}

void require_block(ImportContext& context, const Statement& statement) {
    if (statement.block) return;
    context.log.ignored(statement.place, import_title(context, statement) + " has no braces",
                        "meant is: " + std::string(statement.word()) + " { ... }");
}

}  // namespace

void convert_vrrp_script(ImportContext& context, const Statement& statement, TomlTable& root) {
    const std::string name(statement.word(1));
    TomlTable& table = root.append("vrrp_script", statement.place);
    table.set_text("name", name, statement.place);
    convert_block(context, statement, Block::VrrpScript, table);
    if (table.has("script")) {
        context.names.scripts.insert(name);
        return;
    }
    root.remove_last("vrrp_script");
    if (statement.find("script") != nullptr) return;  // it was said why it cannot run
    context.log.ignored(statement.place, "`vrrp_script " + escaped(name) + "` has no script",
                        "keepalived leaves it out, and whoever tracks it is not watched");
}

// Only the first word counts for keepalived.
void convert_script_line(ImportContext& context, const Statement& statement, TomlTable& table) {
    if (statement.words.size() > 2) {
        return context.log.error(
            statement.place,
            import_title(context, statement) + ": keepalived runs `" + escaped(statement.word(1)) +
                "` without arguments and does not look at `" + escaped(statement.text(2)) + "`",
            "either that, or quotes: " + std::string(statement.word()) + " \"" +
                escaped(statement.text(1)) + "\"");
    }
    const std::string command = read_command(context, statement, 1);
    if (!command.empty()) table.set(statement.word(), command, statement.place);
}

void convert_weight(ImportContext& context, const Statement& statement, TomlTable& table) {
    const bool file = context.block == Block::TrackFile;
    const long most = file || context.block == Block::TrackProcess ? 254 : 253;
    const std::string weight = read_integer(context, statement, statement.word(1), -most, most);
    const std::string_view key = context.block == Block::FileCheck ? "file_weight" : "weight";
    if (!weight.empty()) table.set(key, weight, statement.place);
    if (statement.word(2) == "reverse") {
        context.names.reversed.insert(std::string(context.parent->word(1)));
    } else {
        refuse_more_words(context, statement, 2);
    }
}

void convert_track_file(ImportContext& context, const Statement& statement, TomlTable& root) {
    TomlTable& table = root.append("vrrp_track_file", statement.place);
    table.set_text("name", statement.word(1), statement.place);
    context.names.files.insert(std::string(statement.word(1)));
    convert_block(context, statement, Block::TrackFile, table);
}

void convert_track_process(ImportContext& context, const Statement& statement, TomlTable& root) {
    TomlTable& table = root.append("vrrp_track_process", statement.place);
    table.set_text("name", statement.word(1), statement.place);
    context.names.processes.insert(std::string(statement.word(1)));
    convert_block(context, statement, Block::TrackProcess, table);
}

void convert_process(ImportContext&, const Statement& statement, TomlTable& table) {
    std::vector<std::string> words;
    for (std::size_t i = 1; i < statement.words.size(); ++i) {
        words.push_back(statement.words[i].text);
    }
    table.set("process", toml_texts(words), statement.place);
}

void convert_tracked(ImportContext& context, const Statement& statement, TomlTable& table) {
    require_block(context, statement);
    for (const TrackedItem& item : tracked_items(statement)) {
        if (!is_defined(context, statement.word(), item.name)) {
            context.log.ignored(item.place,
                                import_title(context, statement) + " names `" + escaped(item.name) +
                                    "`, which is not defined",
                                "keepalived does not watch it");
            continue;
        }
        TomlTable& element = table.append(statement.word(), item.place);
        element.set_text("name", item.name, item.place);
        if (statement.word() == "track_interface") context.ports.use(item.name, item.place);
        bool reverse = context.names.reversed.contains(item.name);
        for (std::size_t i = 0; i < item.options.size(); ++i) {
            const std::string& word = item.options[i].text;
            if (word == "weight") {
                Statement line{{{"weight"}}, {}, false, item.place, item.place};
                const std::string text =
                    i + 1 < item.options.size() ? item.options[++i].text : std::string();
                const std::string value = read_integer(context, line, text, -254, 254);
                if (!value.empty()) element.set("weight", value, item.place);
            } else {
                reverse = word == "reverse";
            }
        }
        if (reverse) element.set("reverse", "true", item.place);
    }
}

void convert_sync_group(ImportContext& context, const Statement& statement, TomlTable& root) {
    TomlTable& table = root.append("vrrp_sync_group", statement.place);
    table.set_text("name", statement.word(1), statement.place);
    convert_block(context, statement, Block::SyncGroup, table);
    if (context.vrrp_alerts && !table.has("smtp_alert")) table.set("smtp_alert", "true");
}

void convert_group(ImportContext& context, const Statement& statement, TomlTable& table) {
    require_block(context, statement);
    std::vector<std::string> names;
    for (const Statement& line : statement.children) {
        for (const Word& word : line.words) {
            if (context.names.instances.contains(word.text)) {
                names.push_back(word.text);
            } else {
                context.log.ignored(line.place,
                                    import_title(context, statement) + " names `" +
                                        escaped(word.text) + "`, which is no vrrp_instance",
                                    "keepalived leaves it out");
            }
        }
    }
    table.set("group", toml_texts(names), statement.place);
}

}  // namespace pollux::control
