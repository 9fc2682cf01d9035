// SPDX-License-Identifier: Apache-2.0
// The checks of a real_server.

#include <algorithm>
#include <array>
#include <utility>

#include "control/config/values.h"
#include "control/import/convert.h"

namespace pollux::control {

namespace {

struct CheckRow {
    std::string_view word;
    Block block;
    std::string_view needs;  // a statement without which keepalived leaves the check out
};

constexpr std::array<CheckRow, 9> kChecks = {{
    {"TCP_CHECK", Block::TcpCheck, ""},
    {"HTTP_GET", Block::HttpGet, "url"},
    {"SSL_GET", Block::SslGet, "url"},
    {"SMTP_CHECK", Block::SmtpCheck, ""},
    {"DNS_CHECK", Block::DnsCheck, ""},
    {"MISC_CHECK", Block::MiscCheck, "misc_path"},
    {"PING_CHECK", Block::PingCheck, ""},
    {"UDP_CHECK", Block::UdpCheck, ""},
    {"FILE_CHECK", Block::FileCheck, "track_file"},
}};

// keepalived looks at no certificate. SSL { } holds for all checks.
void add_tls(ImportContext& context, const Statement& statement, TomlTable& check) {
    check.set("verify", "false", statement.place);
    if (!check.has("enable_sni")) check.set("enable_sni", "false", statement.place);
    context.log.changed(statement.place, "SSL_GET",
                        "verify = false, as keepalived looks at no certificate: remove it when the "
                        "servers' certificates are good");
    if (context.ssl == nullptr) return;
    TomlTable keys;
    convert_block(context, *context.ssl, Block::Ssl, keys);
    for (const std::string_view key : {"ca_file", "certificate_file", "key_file"}) {
        if (keys.has(key)) check.set(key, std::string(keys.value(key)), statement.place);
    }
}

std::string hex_of(std::string_view text, bool& any) {
    std::string hex;
    std::string group;
    const auto flush = [&hex, &group] {
        // "f" is 0f: keepalived pads each group of digits to whole bytes.
        if (group.size() % 2 == 1) group.insert(group.begin(), '0');
        hex += group;
        group.clear();
    };
    for (const char c : text) {
        if (c == ' ') {
            flush();
        } else {
            any = any || c == 'x' || c == 'X';
            group += c;
        }
    }
    flush();
    return hex;
}

bool is_host(const Statement& statement) {
    return statement.word() == "host" && statement.block;
}

// SMTP_CHECK with several host { }: as many checks, each with what the others share.
std::vector<Statement> one_host_each(const Statement& check) {
    const auto hosts = std::ranges::count_if(check.children, is_host);
    if (check.word() != "SMTP_CHECK" || hosts < 2) return {check};
    std::vector<Statement> checks;
    for (const Statement& host : check.children) {
        if (!is_host(host)) continue;
        Statement one = check;
        std::erase_if(one.children, is_host);
        one.children.push_back(host);
        checks.push_back(std::move(one));
    }
    return checks;
}

}  // namespace

void convert_check(ImportContext& context, const Statement& statement, TomlTable& server) {
    const auto row = std::ranges::find(kChecks, statement.word(), &CheckRow::word);
    if (row == kChecks.end()) return report_unknown(context, statement);
    if (!row->needs.empty() && statement.find(row->needs) == nullptr) {
        return context.log.ignored(
            statement.place,
            import_title(context, statement) + " has no " + std::string(row->needs),
            "keepalived leaves the check out: the server is not checked");
    }
    for (const Statement& each : one_host_each(statement)) {
        TomlTable& check = server.append("check", each.place);
        check.set_text("type", each.word(), each.place);
        convert_block(context, each, row->block, check);
        if (row->block == Block::SslGet) add_tls(context, each, check);
        const bool lost = row->block == Block::MiscCheck && !check.has("misc_path");
        if (lost) server.remove_last("check");
    }
}

void convert_url(ImportContext& context, const Statement& statement, TomlTable& check) {
    convert_block(context, statement, Block::Url, check.append("url", statement.place));
}

// "status_code 200 302 400-404"
void convert_status_code(ImportContext& context, const Statement& statement, TomlTable& url) {
    std::string list;
    for (std::size_t i = 1; i < statement.words.size(); ++i) {
        const std::string_view word = statement.word(i);
        const auto range = parse_range(word);
        if (!range || range->first < 100 || range->last > 599) {
            context.log.error(
                statement.place,
                import_title(context, statement) + ": `" + escaped(word) + "` is no HTTP status",
                "keepalived takes 200-299 instead: write 100 to 599, or a range");
            return;
        }
        if (!list.empty()) list += ", ";
        list += word.find('-') == std::string_view::npos ? std::string(word) : toml_text(word);
    }
    if (list.empty()) return;
    url.set("status_code", statement.arguments() > 1 ? "[" + list + "]" : list, statement.place);
}

void convert_digest(ImportContext& context, const Statement& statement, TomlTable& url) {
    const std::string_view digest = statement.word(1);
    const bool good =
        digest.size() == 32 && std::ranges::all_of(digest, [](char c) {
            return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        });
    if (!good) {
        return context.log.error(statement.place,
                                 import_title(context, statement) + ": `" + escaped(digest) +
                                     "` is no MD5 digest of 32 hex digits",
                                 "keepalived compares no page: make one with md5sum, or remove it");
    }
    refuse_more_words(context, statement, 2);
    url.set_text("digest", digest, statement.place);
}

void convert_regex_options(ImportContext&, const Statement& statement, TomlTable& url) {
    std::vector<std::string> options;
    for (std::size_t i = 1; i < statement.words.size(); ++i) {
        options.push_back(statement.words[i].text);
    }
    url.set("regex_options", toml_texts(options), statement.place);
}

void convert_http_protocol(ImportContext& context, const Statement& statement, TomlTable& check) {
    std::string version(statement.word(1));
    if (version.starts_with("HTTP/")) version.erase(0, 5);
    if (version == "1.0c" || version == "1.0K" || version == "1.0k") version = "1.0C";
    refuse_more_words(context, statement, 2);
    check.set_text("http_protocol", version, statement.place);
}

void convert_smtp_host(ImportContext& context, const Statement& statement, TomlTable& check) {
    convert_block(context, statement, Block::SmtpHost, check);
}

void convert_payload(ImportContext& context, const Statement& statement, TomlTable& check) {
    bool any = false;
    const std::string hex = hex_of(statement.text(1), any);
    if (any || !parse_hex(hex)) {
        return context.log.error(statement.place,
                                 import_title(context, statement) + " has no hex digits",
                                 "for example: payload 00 01 ff");
    }
    check.set_text("payload", hex, statement.place);
}

void convert_require_reply(ImportContext& context, const Statement& statement, TomlTable& check) {
    if (statement.arguments() > 0) {
        return context.log.error(
            statement.place,
            import_title(context, statement) + ": the content of the answer cannot be compared",
            "require_reply alone asks for any answer");
    }
    check.set("require_reply", "true", statement.place);
}

void convert_dns_type(ImportContext&, const Statement& statement, TomlTable& check) {
    std::string type(statement.word(1));
    std::ranges::transform(type, type.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    check.set_text("dns_type", type, statement.place);
}

}  // namespace pollux::control
