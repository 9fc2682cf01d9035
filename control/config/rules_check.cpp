// SPDX-License-Identifier: Apache-2.0
// Rules of [[virtual_server.real_server.check]].

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "control/config/rules.h"
#include "control/config/values.h"

namespace pollux::control {

namespace {

enum TypeBit : unsigned {
    kHttp = 1U << 0U,
    kSsl = 1U << 1U,
    kSmtp = 1U << 2U,
    kMisc = 1U << 3U,
    kDns = 1U << 4U,
    kUdp = 1U << 5U,
    kFile = 1U << 6U,
    kTcpOrPing = 1U << 7U,
};
constexpr unsigned kNetwork = kHttp | kSsl | kSmtp | kDns | kUdp | kTcpOrPing;

unsigned bit_of(CheckType type) {
    switch (type) {
        case CheckType::Tcp:
        case CheckType::Ping:
            return kTcpOrPing;
        case CheckType::Http:
            return kHttp;
        case CheckType::Ssl:
            return kSsl;
        case CheckType::Smtp:
            return kSmtp;
        case CheckType::Misc:
            return kMisc;
        case CheckType::Dns:
            return kDns;
        case CheckType::Udp:
            return kUdp;
        case CheckType::File:
            return kFile;
    }
    return 0;
}

std::string_view name_of(CheckType type) {
    switch (type) {
        case CheckType::Tcp:
            return "TCP_CHECK";
        case CheckType::Ping:
            return "PING_CHECK";
        case CheckType::Http:
            return "HTTP_GET";
        case CheckType::Ssl:
            return "SSL_GET";
        case CheckType::Smtp:
            return "SMTP_CHECK";
        case CheckType::Misc:
            return "MISC_CHECK";
        case CheckType::Dns:
            return "DNS_CHECK";
        case CheckType::Udp:
            return "UDP_CHECK";
        case CheckType::File:
            return "FILE_CHECK";
    }
    return "";
}

// Keys that only some types understand.
struct KeyOfTypes {
    std::string_view key;
    unsigned types;
    std::string_view names;
};
constexpr KeyOfTypes kKeysOfTypes[] = {
    {"connect_ip", kNetwork, "checks over the network"},
    {"connect_port", kNetwork, "checks over the network"},
    {"connect_timeout", kNetwork, "checks over the network"},
    {"bindto", kNetwork, "checks over the network"},
    {"bind_port", kNetwork, "checks over the network"},
    {"check_via", kNetwork, "checks over the network"},
    {"virtualhost", kHttp | kSsl, "HTTP_GET and SSL_GET"},
    {"http_protocol", kHttp | kSsl, "HTTP_GET and SSL_GET"},
    {"fast_recovery", kHttp | kSsl, "HTTP_GET and SSL_GET"},
    {"enable_sni", kSsl, "SSL_GET"},
    {"verify", kSsl, "SSL_GET"},
    {"ca_file", kSsl, "SSL_GET"},
    {"certificate_file", kSsl, "SSL_GET"},
    {"key_file", kSsl, "SSL_GET"},
    {"cert_min_days", kSsl, "SSL_GET"},
    {"helo_name", kSmtp, "SMTP_CHECK"},
    {"misc_path", kMisc, "MISC_CHECK"},
    {"misc_timeout", kMisc, "MISC_CHECK"},
    {"misc_dynamic", kMisc, "MISC_CHECK"},
    {"user", kMisc, "MISC_CHECK"},
    {"dns_type", kDns, "DNS_CHECK"},
    {"dns_name", kDns, "DNS_CHECK"},
    {"payload", kUdp, "UDP_CHECK"},
    {"require_reply", kUdp, "UDP_CHECK"},
    {"min_reply_length", kUdp, "UDP_CHECK"},
    {"max_reply_length", kUdp, "UDP_CHECK"},
    {"track_file", kFile, "FILE_CHECK"},
    {"file_weight", kFile, "FILE_CHECK"},
};

constexpr std::array<std::string_view, 7> kDnsTypes = {"A",  "NS",  "CNAME", "SOA",
                                                       "MX", "TXT", "AAAA"};

class CheckRules {
  public:
    struct Subject {
        const Config& config;
        const VirtualServerConfig& service;
        const RealServerConfig& server;
        const CheckConfig& check;
    };

    CheckRules(const Subject& subject, Reporter& reporter)
        : config_(subject.config),
          service_(subject.service),
          server_(subject.server),
          check_(subject.check),
          reporter_(reporter),
          sources_(reporter.sources()) {}

    void run() {
        for (const KeyOfTypes& row : kKeysOfTypes) {
            if (!written(row.key) || (row.types & bit_of(check_.type)) != 0) continue;
            reporter_.report("E0218", "`" + std::string(row.key) + "` does not belong to " + name())
                .at(key(row.key), "belongs to " + std::string(row.names))
                .at(value("type"), "the type");
        }
        required();
        connection();
        if (check_.check_via == CheckVia::Service) through_service();
        pages();
        if (check_.type == CheckType::Udp && check_.min_reply_length > check_.max_reply_length) {
            reporter_.report("E0231", "`min_reply_length` is above `max_reply_length`")
                .at(value("min_reply_length"), "no answer could fit")
                .at(value("max_reply_length"), "the upper limit");
        }
        if (check_.type == CheckType::Dns && std::ranges::count(kDnsTypes, check_.dns_type) == 0) {
            reporter_
                .report("E0106", "unknown value `" + escaped(check_.dns_type) + "` for `dns_type`")
                .at(value("dns_type"), "expected A, NS, CNAME, SOA, MX, TXT or AAAA");
        }
    }

  private:
    [[nodiscard]] std::string name() const { return std::string(name_of(check_.type)); }
    [[nodiscard]] bool written(std::string_view key) const {
        return sources_.written(check_.origin, key);
    }
    [[nodiscard]] Place key(std::string_view key) const { return sources_.key(check_.origin, key); }
    [[nodiscard]] Place value(std::string_view key) const {
        return sources_.value(check_.origin, key);
    }

    void required() {
        const auto missing = [this](std::string_view word, const std::string& example) {
            reporter_.report("E0216", name() + " has no `" + std::string(word) + "`")
                .at(value("type"), "`" + std::string(word) + "` is missing")
                .help("for example " + std::string(word) + " = " + example);
        };
        const bool http = check_.type == CheckType::Http || check_.type == CheckType::Ssl;
        if (http && check_.url.empty()) missing("url", "[{ path = \"/\", status_code = 200 }]");
        if (!http && !check_.url.empty()) {
            reporter_.report("E0218", "`url` does not belong to " + name())
                .at(sources_.header(check_.url.front().origin), "belongs to HTTP_GET and SSL_GET")
                .at(value("type"), "the type");
        }
        if (check_.type == CheckType::Misc && check_.misc_path.empty()) {
            missing("misc_path", "[\"/etc/pollux/check.sh\"]");
        }
        if (check_.type == CheckType::File && check_.track_file.empty()) {
            missing("track_file", "\"maintenance\"");
        }
        if (check_.certificate_file.empty() != check_.key_file.empty()) {
            const bool certificate = !check_.certificate_file.empty();
            reporter_.report("E0232", "a client certificate and its key go together")
                .at(key(certificate ? "certificate_file" : "key_file"),
                    certificate ? "`key_file` is missing" : "`certificate_file` is missing");
        }
    }

    void connection() {
        const bool needs_port =
            (bit_of(check_.type) & kNetwork) != 0 && check_.type != CheckType::Ping;
        if (needs_port && check_.connect_port == 0) {
            reporter_.report("E0233", name() + " does not know which port to ask")
                .at(value("type"), "`connect_port` is missing: the server has port 0")
                .help("connect_port = 80");
        }
        if (check_.bindto.family != net::Family::None &&
            check_.connect_ip.family != net::Family::None &&
            check_.bindto.family != check_.connect_ip.family) {
            reporter_.report("E0234", "`bindto` is of the other address family")
                .at(value("bindto"), "the source of the check")
                .at(target(), "the target of the check");
        }
    }

    [[nodiscard]] Place target() const {
        if (written("connect_ip")) return value("connect_ip");
        if (check_.via) return sources_.value(service_.origin, "address");
        return sources_.value(server_.origin, "address");
    }

    // With DR and TUN the check asks a virtual address of the service at this server.
    void through_service() {
        if (written("connect_ip") && !check_.via) {
            const std::string method =
                server_.lvs_method == lb::ForwardingMethod::FullNat ? "FNAT" : "NAT";
            reporter_
                .report("E0111",
                        "`connect_ip` does not go with check_via = \"service\" and " + method)
                .at(key("connect_ip"), "the server's own address is asked, as the method does")
                .at(value("check_via"), "by this");
        }
        if (!check_.via) return;
        if (written("bind_port")) {
            reporter_.report("E0236", "`bind_port` does not go with check_via = \"service\"")
                .at(key("bind_port"), "answers of several servers could not be told apart")
                .at(value("check_via"), "they all come from the virtual address");
        }
        if (check_.connect_ip.family == net::Family::None) {
            reporter_.report("E0237", "this check does not know which virtual address to ask")
                .at(value("check_via"), service_.group.empty()
                                            ? "the service has a mark and no address"
                                            : "the service has the addresses of a group")
                .help("connect_ip = \"10.0.0.100\", an address that the servers have");
        } else if (written("connect_ip") && service_.fwmark == 0 && !is_of_service()) {
            reporter_.report("E0238", "`connect_ip` is no address of the service")
                .at(value("connect_ip"), "is asked through the service's forwarding method")
                .at(value("check_via"), "because of this");
        }
    }

    [[nodiscard]] bool is_of_service() const {
        if (service_.group.empty()) return check_.connect_ip == service_.address;
        for (const VirtualServerGroupConfig& group : config_.virtual_server_groups) {
            if (group.name != service_.group) continue;
            for (const GroupMemberConfig& member : group.member) {
                const bool within = member.address.family == check_.connect_ip.family &&
                                    member.address <= check_.connect_ip &&
                                    check_.connect_ip <= member.address_last;
                if (within || member.fwmark != 0) return true;
            }
        }
        return false;
    }

    void pages() {
        for (const UrlConfig& url : check_.url) {
            if (sources_.broken(url.origin)) continue;
            if (!url.path.starts_with('/')) {
                reporter_.report("E0112", "`path` has a value that cannot be read")
                    .at(sources_.value(url.origin, "path"), "a path starts with \"/\"")
                    .help("for example path = \"/health\"");
            }
            const auto digest = parse_hex(url.digest);
            if (!url.digest.empty() && (!digest || digest->size() != 16)) {
                reporter_.report("E0217", "`digest` is not an MD5 digest")
                    .at(sources_.value(url.origin, "digest"),
                        "expected 32 hex digits, this has " + std::to_string(url.digest.size()) +
                            " characters")
                    .help("curl -s http://SERVER/PATH | md5sum");
            }
            regex(url);
        }
    }

    void regex(const UrlConfig& url) {
        if (url.regex.empty()) return;
        int error = 0;
        PCRE2_SIZE offset = 0;
        const std::unique_ptr<pcre2_code, void (*)(pcre2_code*)> code(
            pcre2_compile(reinterpret_cast<PCRE2_SPTR>(url.regex.data()), url.regex.size(), 0,
                          &error, &offset, nullptr),
            pcre2_code_free);
        if (code) return;
        std::array<PCRE2_UCHAR, 256> text{};
        pcre2_get_error_message(error, text.data(), text.size());
        reporter_.report("E0224", "`regex` is not a regular expression")
            .at(sources_.value(url.origin, "regex"),
                std::string(reinterpret_cast<const char*>(text.data())) + " at character " +
                    std::to_string(offset + 1));
    }

    const Config& config_;
    const VirtualServerConfig& service_;
    const RealServerConfig& server_;
    const CheckConfig& check_;
    Reporter& reporter_;
    const Sources& sources_;
};

// Above this the control core spends most of its time on checks.
constexpr double kManyChecksPerSecond = 20000;

}  // namespace

void check_checks(const Config& config, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    double per_second = 0;
    for (const VirtualServerConfig& service : config.virtual_servers) {
        for (const RealServerConfig& server : service.real_server) {
            for (const CheckConfig& check : server.check) {
                if (sources.broken(check.origin) || sources.broken(server.origin)) continue;
                CheckRules({config, service, server, check}, reporter).run();
                per_second += 1e9 / static_cast<double>(check.delay_loop.count());
            }
        }
    }
    if (per_second > kManyChecksPerSecond) {
        reporter
            .report("W0235", "the file asks for " +
                                 std::to_string(static_cast<std::uint64_t>(per_second)) +
                                 " checks a second")
            .at(sources.header(config.virtual_servers.front().origin),
                "sum over all servers of all services")
            .help("a longer delay_loop");
    }
}

}  // namespace pollux::control
