// SPDX-License-Identifier: Apache-2.0
// global_defs, and what else stands at the top level beside VRRP and services.

#include "control/config/values.h"
#include "control/import/convert.h"

namespace pollux::control {

void convert_global_defs(ImportContext& context, const Statement& statement, TomlTable& root) {
    convert_block(context, statement, Block::GlobalDefs, root.table("global", statement.place));
}

void convert_notification_email(ImportContext& context, const Statement& statement,
                                TomlTable& global) {
    if (!statement.block) {
        return context.log.ignored(
            statement.place,
            "`notification_email` has no braces: keepalived takes the words up to the next closing "
            "brace for addresses, and all that follows for unknown words",
            "meant is: notification_email { ops@example.com }");
    }
    std::vector<std::string> addresses;
    for (const Statement& line : statement.children) {
        for (const Word& word : line.words) addresses.push_back(word.text);
    }
    global.table("email").set("to", toml_texts(addresses), statement.place);
}

void convert_smtp_server(ImportContext& context, const Statement& statement, TomlTable& global) {
    std::string server(statement.word(1));
    if (server.empty()) {
        return context.log.ignored(statement.place, "`smtp_server` names no server",
                                   "keepalived ignores the line");
    }
    if (const std::string_view port = statement.word(2); !port.empty()) {
        if (read_integer(context, statement, port, 1, 65535).empty()) return;
        const bool v6 = server.find(':') != std::string::npos;
        server = (v6 ? "[" + server + "]" : server) + ":" + std::string(port);
    }
    refuse_more_words(context, statement, 3);
    global.table("email").set_text("server", server, statement.place);
}

void convert_smtp_alert(ImportContext& context, const Statement& statement, TomlTable& global) {
    const std::optional<bool> value = read_bool(context, statement);
    if (!value) return;
    if (statement.word() == "smtp_alert") {
        global.table("email").set("smtp_alert", *value ? "true" : "false", statement.place);
    } else if (statement.word() == "smtp_alert_vrrp") {
        context.vrrp_alerts = *value;
    } else {
        context.checker_alerts = *value;
    }
}

void convert_service_default(ImportContext& context, const Statement& statement, TomlTable&) {
    const std::optional<bool> value = read_bool(context, statement);
    if (!value) return;
    bool& target = statement.word() == "rs_init_notifies" ? context.rs_init_notifies
                                                          : context.log_all_failures;
    target = *value;
}

void convert_lvs_timeouts(ImportContext& context, const Statement& statement, TomlTable&) {
    TomlTable& timeouts = context.root.table("conntrack").table("timeout");
    for (std::size_t i = 1; i + 1 < statement.words.size(); i += 2) {
        const std::string_view word = statement.word(i);
        std::string_view key;
        if (word == "tcp") key = "tcp_established";
        if (word == "tcpfin") key = "tcp_fin_wait";
        if (word == "udp") key = "udp";
        if (key.empty()) {
            context.log.ignored(statement.place,
                                "`lvs_timeouts`: unknown word `" + escaped(word) + "`",
                                "tcp, tcpfin and udp are known");
            continue;
        }
        const std::string value = read_seconds(context, statement, statement.word(i + 1));
        if (!value.empty()) timeouts.set(key, value, statement.place);
    }
}

void convert_min_garp(ImportContext& context, const Statement& statement, TomlTable& global) {
    const std::optional<bool> value = read_bool(context, statement);
    if (!value || !*value) return;
    TomlTable& vrrp = global.table("vrrp");
    vrrp.set("garp_master_repeat", "1", statement.place);
    vrrp.set("garp_master_delay", "\"0s\"", statement.place);
}

void convert_vrrp_version(ImportContext& context, const Statement& statement, TomlTable& global) {
    const std::string value = read_integer(context, statement, statement.word(1), 2, 3);
    if (!value.empty()) global.table("vrrp").set("version", value, statement.place);
}

void convert_fifo(ImportContext& context, const Statement& statement, TomlTable& global) {
    if (statement.word(1).empty()) {
        return context.log.ignored(statement.place,
                                   import_title(context, statement) + " has no value",
                                   "keepalived ignores the line");
    }
    global.set_text(statement.word(), statement.word(1), statement.place);
    if (statement.arguments() > 1) {
        context.log.warning(statement.place, import_title(context, statement) +
                                                 ": the FIFO belongs to polluxd's "
                                                 "user, not to " +
                                                 escaped(statement.text(2)));
    }
}

void convert_garp_group(ImportContext& context, const Statement& statement, TomlTable& root) {
    convert_block(context, statement, Block::GarpGroup, root.table("global").table("vrrp"));
}

void convert_ssl(ImportContext& context, const Statement& statement, TomlTable&) {
    context.ssl = &statement;
}

}  // namespace pollux::control
