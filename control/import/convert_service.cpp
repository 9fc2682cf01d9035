// SPDX-License-Identifier: Apache-2.0
// virtual_server_group, virtual_server, real_server.

#include <algorithm>
#include <array>
#include <utility>

#include "control/config/suggest.h"
#include "control/config/values.h"
#include "control/import/convert.h"

namespace pollux::control {

namespace {

constexpr std::array<std::string_view, 14> kSchedulers = {
    "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos"};
constexpr std::array<std::string_view, 3> kMethods = {"NAT", "DR", "TUN"};
constexpr std::array<std::string_view, 3> kProtocols = {"TCP", "UDP", "SCTP"};

// A word of a list: itself, or a report that says what keepalived runs instead.
std::string choose(ImportContext& context, const Statement& statement,
                   std::span<const std::string_view> words, std::string_view otherwise) {
    const std::string_view word = statement.word(1);
    if (std::ranges::find(words, word) != words.end()) return toml_text(word);
    const std::string text = import_title(context, statement) + ": `" + escaped(word) +
                             "` is not known, keepalived runs " + std::string(otherwise);
    const std::string_view meant = nearest(word, words);
    if (!meant.empty() && meant != otherwise) {
        context.log.error(statement.place, text + "; meant is probably " + std::string(meant),
                          "write one of the two");
    } else {
        context.log.ignored(statement.place, text,
                            word.find('|') == std::string_view::npos
                                ? ""
                                : "it lists alternatives: write one of them");
    }
    return {};
}

// IP and PORT at `first`; false with a report.
bool write_endpoint(ImportContext& context, const Statement& statement, std::size_t first,
                    TomlTable& table) {
    const std::string_view ip = statement.word(first);
    const std::string title = escaped(statement.text());
    if (!is_ip(ip)) {
        context.log.error(statement.place, title + ": `" + escaped(ip) + "` is no address",
                          "keepalived leaves the block out; a port stands after a blank");
        return false;
    }
    table.set_text("address", ip, statement.place);
    const std::string_view port = statement.word(first + 1);
    if (port.empty()) return true;
    const std::string value = read_integer(context, statement, port, 0, 65535);
    if (!value.empty()) table.set("port", value, statement.place);
    return !value.empty();
}

// False with a report if the server of the statement is not another machine.
bool is_elsewhere(ImportContext& context, const Statement& statement) {
    const auto address = net::IpAddress::parse(statement.word(1));
    if (!address) return true;  // write_endpoint says so
    const auto service = net::IpAddress::parse(context.service->word(1));
    const std::string why =
        why_no_server(context.own, *address, service.value_or(net::IpAddress{}));
    if (why.empty()) return true;
    context.log.error(statement.place, escaped(statement.text()) + " " + why,
                      std::string(no_server_remedy()));
    return false;
}

std::string_view port_of(const Statement& statement, std::size_t position) {
    const std::string_view port = statement.word(position);
    return port.empty() ? "0" : port;
}

// "DR", "TUN", "NAT" of a statement lvs_method or lb_kind, empty if there is none.
std::string_view method_of(const Statement& block) {
    const Statement* method = block.find("lvs_method");
    const Statement* old = block.find("lb_kind");
    if (method == nullptr) method = old;
    return method == nullptr ? std::string_view() : method->word(1);
}

bool port_differs(const Statement& service, std::string_view method, std::string_view port) {
    const bool by_address = is_ip(service.word(1));
    const bool fixed = method == "DR" || method == "TUN";
    return by_address && fixed && port != port_of(service, 2);
}

void report_port(ImportContext& context, const Statement& statement, std::string_view method,
                 std::string_view port) {
    const std::string_view service_port = port_of(*context.service, 2);
    context.log.error(statement.place,
                      escaped(statement.text()) + ": " + std::string(method) +
                          " cannot change the port, keepalived uses " + std::string(service_port),
                      "either port " + std::string(service_port) + ", or lvs_method NAT for port " +
                          escaped(port));
}

void require_choices(ImportContext& context, const Statement& statement, TomlTable& table) {
    const std::string title = escaped(statement.text());
    const bool scheduler = statement.find("lvs_sched") || statement.find("lb_algo");
    if (!scheduler) {
        context.log.ignored(statement.place, title + " has no lvs_sched", "keepalived runs wlc");
    }
    if (!table.has("lvs_sched")) table.set("lvs_sched", "\"wlc\"", statement.place);
    if (!statement.find("lvs_method") && !statement.find("lb_kind")) {
        const bool own = std::ranges::all_of(statement.children, [](const Statement& child) {
            return child.word() != "real_server" || child.find("lvs_method") != nullptr;
        });
        if (!own) {
            context.log.ignored(statement.place, title + " has no lvs_method",
                                "keepalived runs NAT");
        }
    }
    if (!table.has("lvs_method")) table.set("lvs_method", "\"NAT\"", statement.place);
    if (statement.word(1) != "fwmark" && !statement.find("protocol")) {
        context.log.error(statement.place,
                          title + " has no protocol: keepalived balances UDP, not TCP",
                          "write protocol TCP, or protocol UDP if that is meant");
    }
}

}  // namespace

void convert_virtual_server_group(ImportContext& context, const Statement& statement,
                                  TomlTable& root) {
    TomlTable& table = root.append("virtual_server_group", statement.place);
    table.set_text("name", statement.word(1), statement.place);
    for (const Statement& line : statement.children) {
        TomlTable& member = table.append("member", line.place);
        if (line.word() == "fwmark") {
            const std::string mark = read_integer(context, line, line.word(1), 1, 4294967295L);
            if (!mark.empty()) member.set("fwmark", mark, line.place);
            if (line.word(2) == "inet6") member.set("family", "\"ipv6\"", line.place);
            continue;
        }
        // A range "10.0.0.1-20" is written the same way.
        member.set_text("address", line.word(), line.place);
        const std::string port = read_integer(context, line, port_of(line, 1), 0, 65535);
        if (!port.empty()) member.set("port", port, line.place);
        refuse_more_words(context, line, 2);
    }
}

void convert_virtual_server(ImportContext& context, const Statement& statement, TomlTable& root) {
    TomlTable& table = root.append("virtual_server", statement.place);
    const std::string_view kind = statement.word(1);
    if (kind == "fwmark") {
        const std::string mark =
            read_integer(context, statement, statement.word(2), 1, 4294967295L);
        if (!mark.empty()) table.set("fwmark", mark, statement.place);
        refuse_more_words(context, statement, 3);
    } else if (kind == "group") {
        table.set_text("group", statement.word(2), statement.place);
        refuse_more_words(context, statement, 3);
    } else {
        if (!write_endpoint(context, statement, 1, table)) return;
        if (statement.word(2).empty()) table.set("port", "0", statement.place);
        refuse_more_words(context, statement, 3);
    }
    context.service = &statement;
    convert_block(context, statement, Block::VirtualServer, table);
    context.service = nullptr;
    require_choices(context, statement, table);
    if (context.checker_alerts && !table.has("smtp_alert")) table.set("smtp_alert", "true");
    if (context.rs_init_notifies) table.set("rs_init_notifies", "true");
    if (context.log_all_failures && !table.has("log_all_failures")) {
        table.set("log_all_failures", "true");
    }
}

void convert_scheduler(ImportContext& context, const Statement& statement, TomlTable& table) {
    const std::string value = choose(context, statement, kSchedulers, "wlc");
    refuse_more_words(context, statement, 2);
    if (!value.empty()) table.set("lvs_sched", value, statement.place);
}

// "lvs_method TUN type gue port 6080 csum"
void convert_method(ImportContext& context, const Statement& statement, TomlTable& table) {
    const std::string value = choose(context, statement, kMethods, "NAT");
    if (value.empty()) return;
    table.set("lvs_method", value, statement.place);
    if (statement.words.size() == 2) return;
    if (statement.word(1) != "TUN") return refuse_more_words(context, statement, 2);
    TomlTable& tunnel = table.table("tunnel", statement.place);
    for (std::size_t i = 2; i < statement.words.size(); ++i) {
        const std::string_view word = statement.word(i);
        if (word == "type" && i + 1 < statement.words.size()) {
            tunnel.set_text("type", statement.word(++i), statement.place);
        } else if (word == "port" && i + 1 < statement.words.size()) {
            const std::string port =
                read_integer(context, statement, statement.word(++i), 1, 65535);
            if (!port.empty()) tunnel.set("port", port, statement.place);
        } else if (word == "csum") {
            tunnel.set("checksum", "true", statement.place);
        } else if (word == "remcsum") {
            context.log.error(statement.place,
                              import_title(context, statement) + ": remcsum is not there",
                              "csum or nocsum");
        } else if (word != "nocsum") {
            context.log.ignored(
                statement.place,
                import_title(context, statement) + ": unknown word `" + escaped(word) + "`",
                "keepalived ignores it");
        }
    }
}

void convert_protocol(ImportContext& context, const Statement& statement, TomlTable& table) {
    std::string word(statement.word(1));
    // keepalived takes tcp for TCP.
    std::ranges::transform(word, word.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    if (std::ranges::find(kProtocols, word) == kProtocols.end()) {
        return context.log.error(statement.place,
                                 import_title(context, statement) + ": `" +
                                     escaped(statement.word(1)) +
                                     "` is not known, keepalived balances UDP",
                                 "write TCP, UDP or SCTP");
    }
    refuse_more_words(context, statement, 2);
    table.set_text("protocol", word, statement.place);
}

void convert_scheduler_flag(ImportContext& context, const Statement& statement, TomlTable& table) {
    const Statement* scheduler = context.parent->find("lvs_sched");
    if (scheduler == nullptr) scheduler = context.parent->find("lb_algo");
    const bool mh = scheduler != nullptr && scheduler->word(1) == "mh";
    std::string flag(statement.word());
    if (flag == "flag-1") flag = mh ? "mh-fallback" : "sh-fallback";
    if (flag == "flag-2") flag = mh ? "mh-port" : "sh-port";
    if (flag == "flag-3" || flag == "hashed") {
        return context.log.dropped(statement.place, "virtual_server: " + flag,
                                   "no scheduler has a meaning for it");
    }
    const std::string_view written = table.value("sched_flags");
    std::string flags = written.empty() ? "[" : std::string(written.substr(0, written.size() - 1));
    if (flags.size() > 1) flags += ", ";
    table.set("sched_flags", flags + toml_text(flag) + "]", statement.place);
}

void convert_persistence(ImportContext& context, const Statement& statement, TomlTable& table) {
    const std::string seconds =
        statement.word(1).empty()
            ? "360"
            : read_integer(context, statement, statement.word(1), 1, 31L * 86400);
    refuse_more_words(context, statement, 2);
    if (!seconds.empty()) {
        table.set("persistence_timeout", toml_text(seconds + "s"), statement.place);
    }
}

void convert_granularity(ImportContext& context, const Statement& statement, TomlTable& table) {
    const std::string_view word = statement.word(1);
    refuse_more_words(context, statement, 2);
    if (word.find('.') != std::string_view::npos) {
        return table.set_text("persistence_granularity", word, statement.place);
    }
    const std::string length = read_integer(context, statement, word, 1, 128);
    if (!length.empty()) table.set("persistence_granularity", length, statement.place);
}

// A word that keepalived itself no longer knows.
void convert_gone(ImportContext& context, const Statement& statement, TomlTable&) {
    context.log.ignored(statement.place,
                        import_title(context, statement) + " is gone from keepalived",
                        "it has had no effect for long: remove it");
}

void convert_family(ImportContext& context, const Statement& statement, TomlTable& table) {
    const std::string_view word = statement.word(1);
    if (word != "inet" && word != "inet6") {
        return context.log.ignored(statement.place,
                                   import_title(context, statement) + ": inet or inet6 is known",
                                   "keepalived ignores the line");
    }
    if (context.parent->word(1) != "fwmark") return;  // the family is that of the address
    table.set("family", word == "inet6" ? "\"ipv6\"" : "\"ipv4\"", statement.place);
}

void convert_sorry_server(ImportContext& context, const Statement& statement, TomlTable& table) {
    if (!is_elsewhere(context, statement)) return;
    TomlTable& sorry = table.table("sorry_server", statement.place);
    if (!write_endpoint(context, statement, 1, sorry)) return;
    refuse_more_words(context, statement, 3);
    const Statement* own = context.parent->find("sorry_server_lvs_method");
    const std::string_view method = own != nullptr ? own->word(1) : method_of(*context.parent);
    const std::string_view port = statement.word(2);
    if (!port.empty() && port_differs(*context.service, method, port)) {
        report_port(context, statement, method, port);
    }
}

void convert_sorry_method(ImportContext& context, const Statement& statement, TomlTable& table) {
    convert_method(context, statement, table.table("sorry_server"));
}

void convert_sorry_inhibit(ImportContext&, const Statement& statement, TomlTable& table) {
    table.table("sorry_server").set("inhibit_on_failure", "true", statement.place);
}

void convert_real_server(ImportContext& context, const Statement& statement, TomlTable& table) {
    if (!is_elsewhere(context, statement)) return;
    TomlTable& server = table.append("real_server", statement.place);
    if (!write_endpoint(context, statement, 1, server)) return;
    refuse_more_words(context, statement, 3);
    convert_block(context, statement, Block::RealServer, server);
    const std::string_view own = method_of(statement);
    const std::string_view method = own.empty() ? method_of(*context.parent) : own;
    const std::string_view port = statement.word(2);
    if (!port.empty() && port_differs(*context.service, method, port)) {
        report_port(context, statement, method, port);
    }
}

}  // namespace pollux::control
