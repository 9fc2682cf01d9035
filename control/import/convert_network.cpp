// SPDX-License-Identifier: Apache-2.0
// Addresses, routes and rules: a line each.

#include <functional>

#include "control/config/values.h"
#include "control/import/convert.h"
#include "dataplane/net/ip_address.h"

namespace pollux::control {

namespace {

bool is_flag(std::string_view word) {
    for (const std::string_view flag :
         {"home",   "-nodad", "mngtmpaddr",    "autojoin",  "no_track",    "use_vmac",
          "onlink", "inet",   "inet6",         "add",       "append",      "l3mdev",
          "not",    "nat",    "noprefixroute", "blackhole", "unreachable", "prohibit",
          "throw",  "local",  "broadcast"}) {
        if (word == flag) return true;
    }
    return false;
}

// An address or prefix with a length that fits its family; else a report.
bool check_prefix(ImportContext& context, const std::string& title, SourcePlace place,
                  std::string_view text) {
    if (net::IpPrefix::parse(text).has_value()) return true;
    const std::size_t slash = text.find('/');
    if (slash != std::string_view::npos && is_ip(text.substr(0, slash))) {
        const bool v6 = text.find(':') != std::string_view::npos;
        context.log.error(place, title + ": `" + escaped(text) + "` has an impossible length",
                          std::string("keepalived takes /") + (v6 ? "128" : "32") +
                              ": write the length that you mean");
        return false;
    }
    context.log.ignored(place, title + ": `" + escaped(text) + "` is no address",
                        "keepalived leaves it out");
    return false;
}

// The words of a line from `first` on: `set` gets each kept one with its value. False: the line
// cannot be expressed.
bool walk_options(ImportContext& context, const Statement& line, std::size_t first, Block block,
                  const std::function<void(const Keyword&, std::string_view)>& set) {
    for (std::size_t i = first; i < line.words.size(); ++i) {
        const std::string& word = line.words[i].text;
        const Keyword* row = find_keyword(block, word);
        if (row == nullptr) {
            context.log.ignored(
                line.place,
                "unknown word `" + escaped(word) + "` in " + std::string(block_name(block)),
                "keepalived goes on as if it were not there");
            continue;
        }
        const bool flag = is_flag(word) && !(block == Block::Address && word == "broadcast");
        const std::string_view value = flag ? std::string_view() : line.word(i + 1);
        if (!flag) ++i;
        if (row->fate == Fate::Dropped) {
            context.log.dropped(line.place, std::string(block_name(block)) + ": " + word,
                                std::string(row->remark));
        } else {
            set(*row, value);
        }
    }
    return true;
}

// "dev label eth1:1": the device is missing.
bool device_missing(ImportContext& context, const Statement& line, std::size_t i) {
    if (line.word(i) != "dev" || find_keyword(Block::Address, line.word(i + 1)) == nullptr) {
        return false;
    }
    context.log.ignored(
        line.place,
        "`dev` names no interface: keepalived takes `" + escaped(line.word(i + 1)) + "` for one",
        "meant is: dev INTERFACE " + escaped(line.text(i + 1)));
    return true;
}

void convert_address_line(ImportContext& context, const Statement& line, TomlTable& element) {
    Statement options = line;
    for (std::size_t i = 1; i < options.words.size(); ++i) {
        if (!device_missing(context, options, i)) continue;
        options.words.resize(i);
    }
    walk_options(context, options, 1, Block::Address,
                 [&](const Keyword& row, std::string_view value) {
                     const std::string_view key = row.key;
                     if (row.reading == Reading::Flag) {
                         element.set(key, "true", line.place);
                     } else if (key == "broadcast" && (value == "-" || value == "+")) {
                         context.log.dropped(line.place, "an address: brd " + std::string(value),
                                             "no broadcast address is the default");
                     } else {
                         element.set_text(key, value, line.place);
                         if (key == "dev") context.ports.use(value, line.place);
                     }
                 });
}

// A number, else a report.
void set_number(ImportContext& context, const Statement& line, TomlTable& element,
                std::string_view key, std::string_view value) {
    const std::string number = read_integer(context, line, value, 0, 4294967295L);
    if (!number.empty()) element.set(key, number, line.place);
}

bool leads_nowhere(std::string_view word) {
    return word == "blackhole" || word == "unreachable" || word == "prohibit" || word == "throw" ||
           word == "local" || word == "broadcast";
}

void convert_route_line(ImportContext& context, const Statement& line, TomlTable& element) {
    std::size_t first = 0;
    if (find_keyword(Block::Route, line.word()) == nullptr) {
        std::string to(line.word());
        if (to == "default" || to == "0.0.0.0/0") to = "default";
        if (to == "::/0") to = "default6";
        if (!to.starts_with("default") && to.find('/') == std::string::npos) {
            to += to.find(':') == std::string::npos ? "/32" : "/128";
        }
        if (to.starts_with("default") || check_prefix(context, "a route", line.place, to)) {
            element.set_text("to", to, line.place);
        }
        first = 1;
    }
    walk_options(context, line, first, Block::Route,
                 [&](const Keyword& row, std::string_view value) {
                     if (row.key == "metric" || row.key == "mtu" || row.key == "table") {
                         return set_number(context, line, element, row.key, value);
                     }
                     element.set_text(row.key, value, line.place);
                     if (row.key == "dev") context.ports.use(value, line.place);
                 });
}

}  // namespace

void convert_addresses(ImportContext& context, const Statement& statement, TomlTable& table) {
    const std::string title = import_title(context, statement);
    bool first = true;
    bool first_v6 = false;
    for (const Statement& line : statement.children) {
        if (!check_prefix(context, title, line.place, line.word())) continue;
        const bool v6 = line.word().find(':') != std::string_view::npos;
        if (first) first_v6 = v6;
        first = false;
        if (v6 != first_v6 && statement.word() == "virtual_ipaddress") {
            context.log.ignored(line.place,
                                title + ": `" + escaped(line.word()) +
                                    "` is of the other family than the first address",
                                "keepalived ignores it: a second instance, or "
                                "virtual_ipaddress_excluded");
            continue;
        }
        TomlTable& element = table.append(statement.word(), line.place);
        element.set_text("address", line.word(), line.place);
        convert_address_line(context, line, element);
    }
}

void convert_routes(ImportContext& context, const Statement& statement, TomlTable& table) {
    const std::string_view name =
        context.block == Block::Top ? std::string_view("route") : std::string_view("virtual_route");
    for (const Statement& line : statement.children) {
        if (leads_nowhere(line.word())) {
            context.log.dropped(line.place, "a route: " + escaped(line.text()),
                                "routes lead somewhere");
            continue;
        }
        convert_route_line(context, line, table.append(name, line.place));
    }
}

void convert_static_routes(ImportContext& context, const Statement& statement, TomlTable& root) {
    convert_routes(context, statement, root);
}

void convert_rules(ImportContext& context, const Statement& statement, TomlTable& table) {
    for (const Statement& line : statement.children) {
        TomlTable& element = table.append("virtual_rule", line.place);
        walk_options(context, line, 0, Block::Rule,
                     [&](const Keyword& row, std::string_view value) {
                         const bool number =
                             row.key == "table" || row.key == "priority" || row.key == "fwmark";
                         if (number) return set_number(context, line, element, row.key, value);
                         element.set_text(row.key, value, line.place);
                         if (row.key == "iif") context.ports.use(value, line.place);
                     });
    }
}

void convert_static_addresses(ImportContext& context, const Statement& statement, TomlTable&) {
    for (const Statement& line : statement.children) {
        if (!check_prefix(context, "static_ipaddress", line.place, line.word())) continue;
        std::string device = context.default_interface;
        walk_options(context, line, 1, Block::Address,
                     [&device](const Keyword& row, std::string_view value) {
                         if (row.key == "dev") device = value;
                     });
        context.ports.add_address(device, std::string(line.word()), line.place);
    }
}

}  // namespace pollux::control
