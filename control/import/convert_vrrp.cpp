// SPDX-License-Identifier: Apache-2.0
// vrrp_instance.

#include <cstdint>

#include "control/config/suggest.h"
#include "control/config/values.h"
#include "control/import/convert.h"

namespace pollux::control {

namespace {

// What keepalived will make of the instance, which decides what else it ignores.
struct InstanceFacts {
    int version = 2;
    bool strict = false;
    bool master = false;
    bool owner = false;  // priority 255
    bool v6 = false;
};

InstanceFacts facts_of(const ImportContext& context, const Statement& instance) {
    InstanceFacts facts;
    facts.version = context.vrrp_version;
    facts.strict = context.strict;
    if (const Statement* version = instance.find("version")) {
        facts.version = version->word(1) == "3" ? 3 : 2;
    }
    if (const Statement* strict = instance.find("strict_mode")) {
        const std::string_view word = strict->word(1);
        facts.strict = word != "off" && word != "false" && word != "no";
    }
    if (const Statement* state = instance.find("state")) facts.master = state->word(1) == "MASTER";
    if (const Statement* priority = instance.find("priority")) {
        facts.owner = priority->word(1) == "255";
    }
    const Statement* addresses = instance.find("virtual_ipaddress");
    if (addresses != nullptr && !addresses->children.empty()) {
        facts.v6 = addresses->children.front().word().find(':') != std::string_view::npos;
    }
    if (facts.v6) facts.version = 3;
    return facts;
}

}  // namespace

void convert_instance(ImportContext& context, const Statement& statement, TomlTable& root) {
    TomlTable& table = root.append("vrrp_instance", statement.place);
    table.set_text("name", statement.word(1), statement.place);
    convert_block(context, statement, Block::Instance, table);
    const std::string title = "vrrp_instance " + escaped(statement.word(1));
    for (const char* const word : {"interface", "virtual_router_id"}) {
        if (statement.find(word) != nullptr) continue;
        context.log.error(statement.place, title + " has no `" + word + "`",
                          "keepalived does not run it");
    }
    const Statement* addresses = statement.find("virtual_ipaddress");
    if (addresses == nullptr || addresses->children.empty()) {
        context.log.error(statement.place, title + " has no address in virtual_ipaddress",
                          "nothing would move between the nodes");
    }
    const InstanceFacts facts = facts_of(context, statement);
    if (facts.strict && !context.strict) table.set("strict", "true", statement.place);
    if (context.vrrp_alerts && !table.has("smtp_alert")) table.set("smtp_alert", "true");
}

void convert_state(ImportContext& context, const Statement& statement, TomlTable& table) {
    const std::string_view state = statement.word(1);
    const std::string title = import_title(context, statement);
    if (state == "MASTER" || state == "BACKUP") {
        const InstanceFacts facts = facts_of(context, *context.parent);
        if (facts.strict && facts.master != facts.owner) {
            return context.log.ignored(
                statement.place,
                title + ": with vrrp_strict, state MASTER goes with priority 255 and only with it",
                "keepalived starts it as " + std::string(facts.owner ? "MASTER" : "BACKUP"));
        }
        refuse_more_words(context, statement, 2);
        return table.set_text("state", state, statement.place);
    }
    constexpr std::string_view kStates[] = {"MASTER", "BACKUP"};
    const std::string text = title + ": there is no state `" + escaped(state) + "`";
    if (nearest(state, kStates) == "MASTER") {
        return context.log.error(statement.place,
                                 text + ": keepalived starts it as BACKUP, MASTER was meant",
                                 "write one of the two");
    }
    context.log.ignored(statement.place, text,
                        "keepalived starts it as BACKUP, and the priority elects the MASTER");
}

void convert_interface(ImportContext& context, const Statement& statement, TomlTable& table) {
    if (statement.word(1).empty()) {
        return context.log.error(statement.place,
                                 import_title(context, statement) + " names no interface");
    }
    refuse_more_words(context, statement, 2);
    table.set_text("interface", statement.word(1), statement.place);
    context.ports.use(statement.word(1), statement.place);
}

void convert_advert_int(ImportContext& context, const Statement& statement, TomlTable& table) {
    const std::string value = read_seconds(context, statement, statement.word(1));
    if (value.empty()) return;
    const std::string seconds = value.substr(1, value.size() - 2);
    const auto duration = parse_duration(seconds).value_or(Duration::zero());
    const InstanceFacts facts = facts_of(context, *context.parent);
    const std::string title = import_title(context, statement);
    refuse_more_words(context, statement, 2);
    if (facts.version == 2 && duration % std::chrono::seconds(1) != Duration::zero()) {
        return context.log.error(
            statement.place,
            title + ": " + seconds + " is no whole number of seconds, keepalived rounds it",
            "either whole seconds, or version 3 on all nodes");
    }
    if (facts.version == 3 && duration > std::chrono::milliseconds(40950)) {
        return context.log.error(statement.place,
                                 title +
                                     ": version 3 has no interval above 40.95 s, keepalived "
                                     "takes 40.95",
                                 "either 40.95 or less, or version 2 on all nodes");
    }
    if (duration == Duration::zero() || duration > std::chrono::seconds(255)) {
        return context.log.error(statement.place,
                                 title + ": " + seconds + " is outside of 0.01 to 255 seconds",
                                 "keepalived runs with 1 second instead");
    }
    table.set("advert_int", value, statement.place);
}

void convert_authentication(ImportContext& context, const Statement& statement, TomlTable& table) {
    const std::string title = import_title(context, statement);
    const InstanceFacts facts = facts_of(context, *context.parent);
    if (facts.version == 3 || facts.strict) {
        const std::string why = facts.version == 3 ? "VRRP version 3" : "vrrp_strict";
        return context.log.ignored(statement.place, title + ": " + why + " has no authentication",
                                   "keepalived ignores it");
    }
    const Statement* type = statement.find("auth_type");
    const Statement* pass = statement.find("auth_pass");
    if (type == nullptr || pass == nullptr || pass->word(1).empty()) {
        return context.log.ignored(statement.place, title + " lacks auth_type or auth_pass",
                                   "keepalived ignores it");
    }
    if (type->word(1) != "PASS") {
        return context.log.error(
            type->place,
            title + ": there is no `" + escaped(type->word(1)) + "` authentication here",
            "auth_type PASS on all nodes, or none");
    }
    if (pass->word(1).size() > 8) {
        return context.log.error(
            pass->place, title + ": the password is longer than 8 characters",
            "keepalived cuts it: write its first 8 characters, or a shorter one on all nodes");
    }
    TomlTable& auth = table.table("authentication", statement.place);
    convert_block(context, statement, Block::Authentication, auth);
    context.secrets = true;
}

void convert_preempt(ImportContext& context, const Statement& statement, TomlTable& table) {
    const std::string title = import_title(context, statement);
    const InstanceFacts facts = facts_of(context, *context.parent);
    if (statement.word() == "preempt") {
        if (statement.word(1) == "delay") {
            return context.log.ignored(statement.place,
                                       title + ": keepalived does not look at `" +
                                           escaped(statement.text(1)) + "` and takes over at once",
                                       "meant is: preempt_delay " + escaped(statement.word(2)));
        }
        return refuse_more_words(context, statement, 1);  // the default
    }
    if (facts.master) {
        return context.log.ignored(
            statement.place, title + " has no effect with state MASTER: keepalived clears it",
            "state BACKUP on all nodes: the priority elects the first MASTER");
    }
    if (statement.word() == "nopreempt") {
        refuse_more_words(context, statement, 1);
        return table.set("nopreempt", "true", statement.place);
    }
    const std::string delay = read_seconds(context, statement, statement.word(1));
    if (!delay.empty()) table.set("preempt_delay", delay, statement.place);
}

void convert_vmac(ImportContext& context, const Statement& statement, TomlTable& table) {
    const std::string_view last = statement.word(statement.arguments());
    if (statement.arguments() > 0 && last.find(':') != std::string_view::npos) {
        return context.log.ignored(
            statement.place,
            import_title(context, statement) + ": `" + escaped(last) +
                "` is not the virtual router's MAC: that is 00:00:5e:00:01:VRID",
            "write use_vmac alone");
    }
    if (statement.arguments() > 0) {
        context.log.changed(statement.place, "use_vmac " + escaped(statement.text(1)),
                            "the virtual MAC needs no interface");
    }
    table.set("use_vmac", "true", statement.place);
}

void convert_unicast_peer(ImportContext& context, const Statement& statement, TomlTable& table) {
    std::vector<std::string> peers;
    for (const Statement& line : statement.children) {
        for (std::size_t i = 0; i < line.words.size(); ++i) {
            const std::string& word = line.words[i].text;
            if (const Keyword* option = find_keyword(Block::UnicastPeer, word)) {
                context.log.dropped(line.place, "unicast_peer: " + word,
                                    std::string(option->remark));
                ++i;
            } else if (is_ip(word)) {
                peers.push_back(word);
            } else {
                context.log.ignored(
                    line.place,
                    import_title(context, statement) + ": `" + escaped(word) + "` is no address",
                    "keepalived ignores it");
            }
        }
    }
    table.set("unicast_peer", toml_texts(peers), statement.place);
}

}  // namespace pollux::control
