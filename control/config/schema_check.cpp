// SPDX-License-Identifier: Apache-2.0
// Rows of [[virtual_server.real_server.check]].

#include "control/config/draft.h"
#include "control/config/schema_fields.h"
#include "control/config/schema_service_rows.h"
#include "control/config/schema_tables.h"

namespace pollux::control::schema {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr std::array<Choice, 9> kCheckTypes = {{
    {"TCP_CHECK", static_cast<int>(CheckType::Tcp)},
    {"HTTP_GET", static_cast<int>(CheckType::Http)},
    {"SSL_GET", static_cast<int>(CheckType::Ssl)},
    {"SMTP_CHECK", static_cast<int>(CheckType::Smtp)},
    {"MISC_CHECK", static_cast<int>(CheckType::Misc)},
    {"DNS_CHECK", static_cast<int>(CheckType::Dns)},
    {"UDP_CHECK", static_cast<int>(CheckType::Udp)},
    {"PING_CHECK", static_cast<int>(CheckType::Ping)},
    {"FILE_CHECK", static_cast<int>(CheckType::File)},
}};
constexpr std::array<Choice, 2> kVia = {{
    {"direct", static_cast<int>(CheckVia::Direct)},
    {"service", static_cast<int>(CheckVia::Service)},
}};
constexpr std::array<Choice, 3> kHttpProtocols = {{
    {"1.0", static_cast<int>(HttpProtocol::Http10)},
    {"1.0C", static_cast<int>(HttpProtocol::Http10Close)},
    {"1.1", static_cast<int>(HttpProtocol::Http11)},
}};
// keepalived's names of PCRE2 options.
constexpr std::array<Choice, 11> kRegexOptions = {{
    {"caseless", 0},
    {"multiline", 1},
    {"dotall", 2},
    {"extended", 3},
    {"ungreedy", 4},
    {"utf", 5},
    {"ucp", 6},
    {"firstline", 7},
    {"dollar_endonly", 8},
    {"dupnames", 9},
    {"no_auto_capture", 10},
}};

Field regex_options() {
    Field field;
    field.type = ValueType::ChoiceList;
    field.choices = kRegexOptions;
    field.store = [](void* object, const Reading& reading) {
        auto& options = static_cast<UrlConfig*>(object)->regex_options;
        options.clear();
        for (const std::int64_t position : reading.integers) {
            options.emplace_back(kRegexOptions[static_cast<std::size_t>(position)].name);
        }
    };
    return field;
}

const TableSchema* url_table() {
    using U = UrlConfig;
    static const TableSchema table = {
        "virtual_server.real_server.check.url",
        true,
        {
            {"path", name<&U::path>(4096), R"("/")", kReload, "of the page"},
            {"digest", text<&U::digest>(32), "", kReload, "MD5 of the body, 32 hex digits", false,
             R"("640205b7b0fc66c1ea91c463fac6334d")"},
            {"status_code", of_type<&U::status_code>(ValueType::StatusCodes), R"("200-299")",
             kReload, R"(accepted: 200, "200-299" or ["200-299", 302])"},
            {"regex", text<&U::regex>(4096), "", kReload, "PCRE2; must match the body", false,
             R"("^ok")"},
            {"regex_options", regex_options(), "[]", kReload, "options of the regex"},
            {"regex_no_match", boolean<&U::regex_no_match>(), "false", kReload,
             "the regex must not match"},
            {"regex_min_offset", number<&U::regex_min_offset>(0, 4294967295), "0", kReload,
             "bytes of the body to skip"},
            {"regex_max_offset", number<&U::regex_max_offset>(0, 4294967295), "0", kReload,
             "bytes of the body to look at; 0: all"},
            {"virtualhost", text<&U::virtualhost>(), "", kReload,
             "Host header; not written: the check's", false, R"("www.example.com")"},
        },
        {"path"},
        origin<&U::origin>};
    return &table;
}

std::vector<KeyRow> common_rows() {
    using C = CheckConfig;
    constexpr auto kConfig = &CheckDraft::config;
    return {
        {"type", choice<kConfig, &C::type>(kCheckTypes), "", kReload, "how the server is checked",
         true, R"("TCP_CHECK")"},
        {"connect_ip", of_type<kConfig, &C::connect_ip>(ValueType::Address), "", kReload,
         "whom to ask; not written: the server, or the service with check_via = \"service\"", false,
         R"("10.0.0.12")"},
        {"connect_port", number<kConfig, &C::connect_port>(1, 65535), "", kReload,
         "not written: the server's port", false, "8080"},
        {"bindto", of_type<kConfig, &C::bindto>(ValueType::Address), "", kReload,
         "source address of the check", false, R"("10.0.0.1")"},
        {"bind_port", number<kConfig, &C::bind_port>(1, 65535), "", kReload,
         "source port of the check", false, "40000"},
        {"check_via", choice<kConfig, &C::check_via>(kVia), R"("direct")", kReload,
         "direct: to the server's address; service: the way of the service's packets"},
    };
}

std::vector<KeyRow> type_rows() {
    using C = CheckConfig;
    constexpr auto kConfig = &CheckDraft::config;
    return {
        {"http_protocol", choice<kConfig, &C::http_protocol>(kHttpProtocols), R"("1.0")", kReload,
         "HTTP_GET, SSL_GET: version; 1.0C: with Connection: close"},
        {"fast_recovery", boolean<kConfig, &C::fast_recovery>(), "false", kReload,
         "HTTP_GET, SSL_GET: all pages at once when coming back"},
        {"enable_sni", boolean<kConfig, &C::enable_sni>(), "true", kReload,
         "SSL_GET: send the virtualhost as server name"},
        {"verify", boolean<kConfig, &C::verify>(), "true", kReload,
         "SSL_GET: check the certificate's chain and name"},
        {"ca_file", of_type<kConfig, &C::ca_file>(ValueType::Path), "", kReload,
         "SSL_GET: trusted certificates, PEM; not written: the system's", false,
         R"("/etc/ssl/certs/ca.pem")"},
        {"certificate_file", of_type<kConfig, &C::certificate_file>(ValueType::Path), "", kReload,
         "SSL_GET: client certificate, PEM", false, R"("/etc/pollux/client.pem")"},
        {"key_file", of_type<kConfig, &C::key_file>(ValueType::SecretFile), "", kReload,
         "SSL_GET: its key, PEM", false, R"("/etc/pollux/client.key")"},
        {"cert_min_days", number<kConfig, &C::cert_min_days>(0, 3650), "0", kReload,
         "SSL_GET: fail if the certificate ends within so many days; 0: do not look"},
        {"helo_name", text<kConfig, &C::helo_name>(), "", kReload,
         "SMTP_CHECK: name in HELO; not written: router_id", false, R"("lb01.example.com")"},
        {"misc_path", of_type<kConfig, &C::misc_path>(ValueType::Command), "[]", kReload,
         "MISC_CHECK: program and arguments; exit status 0 is success", false,
         R"(["/etc/pollux/check.sh"])"},
        {"misc_timeout", duration<kConfig, &C::misc_timeout>(milliseconds(10), hours(24)), "",
         kReload, "MISC_CHECK: limit of one run; not written: delay_loop", false, R"("2s")"},
        {"misc_dynamic", boolean<kConfig, &C::misc_dynamic>(), "false", kReload,
         "MISC_CHECK: exit status 2 to 255 sets the weight to status - 2"},
        {"user", name<kConfig, &C::user>(), "", kReload,
         R"(MISC_CHECK: "user" or "user:group"; not written: global.scripts.user)", false,
         R"("nobody")"},
        {"dns_type", text<kConfig, &C::dns_type>(16), R"("SOA")", kReload,
         "DNS_CHECK: A, NS, CNAME, SOA, MX, TXT or AAAA"},
        {"dns_name", name<kConfig, &C::dns_name>(255), R"(".")", kReload, "DNS_CHECK: the name"},
        {"payload", of_type<kConfig, &C::payload>(ValueType::Hex), R"("")", kReload,
         "UDP_CHECK: datagram to send, hex digits"},
        {"require_reply", boolean<kConfig, &C::require_reply>(), "false", kReload,
         "UDP_CHECK: fail without an answer"},
        {"min_reply_length", number<kConfig, &C::min_reply_length>(0, 65535), "0", kReload,
         "UDP_CHECK: bytes"},
        {"max_reply_length", number<kConfig, &C::max_reply_length>(0, 65535), "65535", kReload,
         "UDP_CHECK: bytes"},
        {"track_file", name<kConfig, &C::track_file>(), "", kReload,
         "FILE_CHECK: a [[vrrp_track_file]]", false, R"("maintenance")"},
        {"file_weight", number<kConfig, &C::file_weight>(-253, 253), "0", kReload,
         "FILE_CHECK: times the number is added to the weight; 0: a number other than 0 is a "
         "failure"},
        {"url", children<kConfig, &C::url>(url_table), "", kReload, "HTTP_GET, SSL_GET: pages"},
    };
}

}  // namespace

const TableSchema* check_table() {
    static const TableSchema table = {
        "virtual_server.real_server.check",
        true,
        joined(joined(common_rows(), check_default_rows<&CheckDraft::defaults>()), type_rows()),
        {"type"},
        origin<&CheckDraft::config, &CheckConfig::origin>};
    return &table;
}

}  // namespace pollux::control::schema
