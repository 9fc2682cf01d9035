// SPDX-License-Identifier: Apache-2.0
// Rows of [global], [log] and [api].

#include "control/config/draft.h"
#include "control/config/schema_fields.h"
#include "control/config/schema_tables.h"
#include "control/config/schema_vrrp_rows.h"
#include "control/config/values.h"

namespace pollux::control::schema {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::array<Choice, 3> kTls = {{
    {"none", static_cast<int>(SmtpTls::None)},
    {"starttls", static_cast<int>(SmtpTls::StartTls)},
    {"tls", static_cast<int>(SmtpTls::Tls)},
}};
constexpr std::array<Choice, 4> kTargets = {{
    {"stderr", static_cast<int>(LogTarget::Stderr)},
    {"syslog", static_cast<int>(LogTarget::Syslog)},
    {"journald", static_cast<int>(LogTarget::Journald)},
    {"file", static_cast<int>(LogTarget::File)},
}};
constexpr std::array<Choice, 4> kLevels = {{
    {"debug", static_cast<int>(LogLevel::Debug)},
    {"info", static_cast<int>(LogLevel::Info)},
    {"warning", static_cast<int>(LogLevel::Warning)},
    {"error", static_cast<int>(LogLevel::Error)},
}};
constexpr std::array<Choice, 2> kFormats = {{
    {"logfmt", static_cast<int>(LogFormat::Logfmt)},
    {"json", static_cast<int>(LogFormat::Json)},
}};

constexpr auto kGlobal = &GlobalDraft::config;
constexpr auto kEmail = &GlobalConfig::email;
constexpr auto kScripts = &GlobalConfig::scripts;

Field email_server() {
    Field field;
    field.type = ValueType::HostPort;
    field.store = [](void* object, const Reading& reading) {
        EmailConfig& email = static_cast<GlobalDraft*>(object)->config.email;
        email.server = reading.text;
        if (reading.integer != 0) email.port = static_cast<std::uint16_t>(reading.integer);
    };
    return field;
}

Field metrics_listen() {
    Field field;
    field.type = ValueType::HostPort;
    field.store = [](void* object, const Reading& reading) {
        auto& api = *static_cast<ApiConfig*>(object);
        api.metrics_address = reading.prefix.address;
        api.metrics_port = static_cast<std::uint16_t>(reading.integer);
    };
    return field;
}

const TableSchema* email_table() {
    static const TableSchema table = {
        "global.email",
        false,
        {
            {"to", of_type<kGlobal, kEmail, &EmailConfig::to>(ValueType::TextList), "[]",
             Change::Reload, "recipients of alerts; empty: no mail", false,
             R"(["ops@example.com"])"},
            {"from", text<kGlobal, kEmail, &EmailConfig::from>(), "", Change::Reload,
             "sender; not written: pollux@ROUTER_ID", false, R"("lb01@example.com")"},
            {"server", email_server(), "", Change::Reload, "SMTP server, with or without port (25)",
             false, R"("smtp.example.com:587")"},
            {"connect_timeout",
             duration<kGlobal, kEmail, &EmailConfig::connect_timeout>(seconds(1), seconds(600)),
             R"("30s")", Change::Reload, "limit for reaching the server"},
            {"helo_name", text<kGlobal, kEmail, &EmailConfig::helo_name>(), "", Change::Reload,
             "name in HELO; not written: router_id", false, R"("lb01.example.com")"},
            {"tls", choice<kGlobal, kEmail, &EmailConfig::tls>(kTls), R"("none")", Change::Reload,
             "encryption of the connection"},
            {"verify", boolean<kGlobal, kEmail, &EmailConfig::verify>(), "true", Change::Reload,
             "check the server's certificate"},
            {"user", text<kGlobal, kEmail, &EmailConfig::user>(), "", Change::Reload,
             "account; not written: no authentication", false, R"("lb01")"},
            {"password_file",
             of_type<&GlobalDraft::email_secret, &SecretDraft::file>(ValueType::SecretFile), "",
             Change::Reload, "file whose first line is the password", false,
             R"("${CREDENTIALS_DIRECTORY}/smtp")"},
            {"password", text<&GlobalDraft::email_secret, &SecretDraft::literal>(), "",
             Change::Reload, "the password itself, in a file of mode 0600 only", false,
             R"("secret")"},
            {"digest_interval",
             duration<kGlobal, kEmail, &EmailConfig::digest_interval>(seconds(0), hours(24)),
             R"("0s")", Change::Reload,
             "events of so long in one mail; 0s: what waits when one is sent"},
            {"queue_limit", number<kGlobal, kEmail, &EmailConfig::queue_limit>(1, 100000), "1000",
             Change::Reload, "events kept while the server is away"},
            {"retry_interval",
             duration<kGlobal, kEmail, &EmailConfig::retry_interval>(seconds(1), hours(24)),
             R"("60s")", Change::Reload, "pause before the next attempt"},
            {"smtp_alert", boolean<kGlobal, kEmail, &EmailConfig::smtp_alert>(), "false",
             Change::Reload, "default of smtp_alert everywhere"},
            {"no_email_faults", boolean<kGlobal, kEmail, &EmailConfig::no_email_faults>(), "false",
             Change::Reload, "no mail about FAULT states"},
        },
        {},
        origin<kGlobal, kEmail, &EmailConfig::origin>};
    return &table;
}

const TableSchema* scripts_table() {
    static const TableSchema table = {
        "global.scripts",
        false,
        {
            {"user", name<kGlobal, kScripts, &ScriptsConfig::user>(), R"("nobody")",
             Change::Restart, R"(who runs scripts: "user" or "user:group")"},
            {"enable_script_security",
             boolean<kGlobal, kScripts, &ScriptsConfig::enable_script_security>(), "true",
             Change::Reload, "refuse scripts that others than root can change"},
            {"max_concurrent", number<kGlobal, kScripts, &ScriptsConfig::max_concurrent>(1, 1024),
             "32", Change::Reload, "scripts that run at the same time"},
        },
        {},
        origin<kGlobal, kScripts, &ScriptsConfig::origin>};
    return &table;
}

const TableSchema* vrrp_table() {
    constexpr auto kVrrp = &GlobalConfig::vrrp;
    static const TableSchema table = {
        "global.vrrp",
        false,
        joined(
            {
                {"version",
                 number<kGlobal, kVrrp, &GlobalVrrpConfig::tuning, &VrrpTuning::version>(2, 3), "2",
                 Change::Reload, "of the protocol; IPv6 instances always speak 3"},
                {"mcast_group4",
                 of_type<kGlobal, kVrrp, &GlobalVrrpConfig::mcast_group4>(ValueType::Address),
                 R"("224.0.0.18")", Change::Reload, "destination of IPv4 advertisements"},
                {"mcast_group6",
                 of_type<kGlobal, kVrrp, &GlobalVrrpConfig::mcast_group6>(ValueType::Address),
                 R"("ff02::12")", Change::Reload, "destination of IPv6 advertisements"},
                {"startup_delay",
                 duration<kGlobal, kVrrp, &GlobalVrrpConfig::startup_delay>(seconds(0),
                                                                            seconds(1000)),
                 R"("0s")", Change::Reload, "instances wait so long after the start"},
            },
            tuning_rows<kGlobal, kVrrp, &GlobalVrrpConfig::tuning>()),
        {},
        origin<kGlobal, kVrrp, &GlobalVrrpConfig::origin>};
    return &table;
}

}  // namespace

const TableSchema* global_table() {
    static const TableSchema table = {
        "global",
        false,
        {
            {"router_id", name<kGlobal, &GlobalConfig::router_id>(), "", Change::Reload,
             "name of this node in mail and logs; not written: the host name", false, R"("lb01")"},
            {"include", of_type<&GlobalDraft::include>(ValueType::TextList), "[]", Change::Reload,
             "further files, * and ? allowed, relative to this file", false,
             R"(["conf.d/*.toml"])"},
            {"notify_fifo", of_type<kGlobal, &GlobalConfig::notify_fifo>(ValueType::Path), "",
             Change::Reload, "FIFO that gets a line per VRRP and service event", false,
             R"("/run/pollux/notify")"},
            {"notify_fifo_script",
             of_type<kGlobal, &GlobalConfig::notify_fifo_script>(ValueType::Command), "[]",
             Change::Reload, "reader of notify_fifo, started with the FIFO as last argument"},
            {"vrrp_notify_fifo", of_type<kGlobal, &GlobalConfig::vrrp_notify_fifo>(ValueType::Path),
             "", Change::Reload, "FIFO for VRRP events only", false,
             R"("/run/pollux/notify-vrrp")"},
            {"vrrp_notify_fifo_script",
             of_type<kGlobal, &GlobalConfig::vrrp_notify_fifo_script>(ValueType::Command), "[]",
             Change::Reload, "reader of vrrp_notify_fifo"},
            {"lvs_notify_fifo", of_type<kGlobal, &GlobalConfig::lvs_notify_fifo>(ValueType::Path),
             "", Change::Reload, "FIFO for service events only", false,
             R"("/run/pollux/notify-lvs")"},
            {"lvs_notify_fifo_script",
             of_type<kGlobal, &GlobalConfig::lvs_notify_fifo_script>(ValueType::Command), "[]",
             Change::Reload, "reader of lvs_notify_fifo"},
            {"vrrp_notify_priority_changes",
             boolean<kGlobal, &GlobalConfig::vrrp_notify_priority_changes>(), "false",
             Change::Reload, "a FIFO line for each change of priority too"},
            {"stand_in_ipv4", of_type<kGlobal, &GlobalConfig::stand_in_ipv4>(ValueType::Prefix),
             R"("240.112.0.0/16")", Change::Restart,
             "addresses that only this host sees, for checks with check_via = \"service\""},
            {"stand_in_ipv6", of_type<kGlobal, &GlobalConfig::stand_in_ipv6>(ValueType::Prefix),
             R"("fd70:6f6c:6c75:7801::/64")", Change::Restart, "the same for IPv6 services"},
            {"email", section(email_table), "", Change::Reload, "mail alerts"},
            {"scripts", section(scripts_table), "", Change::Reload, "how scripts run"},
            {"vrrp", section(vrrp_table), "", Change::Reload, "defaults of all VRRP instances"},
        },
        {},
        origin<kGlobal, &GlobalConfig::origin>};
    return &table;
}

const TableSchema* log_table() {
    static const TableSchema table = {
        "log",
        false,
        {
            {"target", choice<&LogConfig::target>(kTargets), R"("stderr")", Change::Restart,
             "where the log goes"},
            {"level", choice<&LogConfig::level>(kLevels), R"("info")", Change::Reload,
             "the least important lines that are kept"},
            {"format", choice<&LogConfig::format>(kFormats), R"("logfmt")", Change::Restart,
             "form of a line"},
            {"file", of_type<&LogConfig::file>(ValueType::Path), "", Change::Restart,
             R"(the log file, with target = "file")", false, R"("/var/log/pollux.log")"},
        },
        {},
        origin<&LogConfig::origin>};
    return &table;
}

const TableSchema* api_table() {
    static const TableSchema table = {
        "api",
        false,
        {
            {"control_socket", of_type<&ApiConfig::control_socket>(ValueType::Path),
             R"("/run/pollux/control.sock")", Change::Restart, "UNIX socket of `pollux`"},
            {"admin_group", name<&ApiConfig::admin_group>(), "", Change::Restart,
             "group that may change things; not written: root only", false, R"("pollux-admin")"},
            {"read_group", name<&ApiConfig::read_group>(), "", Change::Restart,
             "group that may only look; not written: none", false, R"("pollux-ro")"},
            {"metrics_listen", metrics_listen(), "", Change::Restart,
             "address and port of /metrics; not written: off", false, R"("127.0.0.1:9165")"},
            {"metrics_servers", boolean<&ApiConfig::metrics_servers>(), "true", Change::Restart,
             "series of /metrics for each real server, not only for each service"},
            {"status_page", boolean<&ApiConfig::status_page>(), "false", Change::Restart,
             "an HTML page beside /metrics"},
        },
        {},
        origin<&ApiConfig::origin>};
    return &table;
}

}  // namespace pollux::control::schema
