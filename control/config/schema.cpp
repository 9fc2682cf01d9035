// SPDX-License-Identifier: Apache-2.0
#include "control/config/schema.h"

#include "control/config/draft.h"
#include "control/config/schema_fields.h"
#include "control/config/schema_tables.h"
#include "control/config/values.h"

namespace pollux::control {

namespace {

void collect(const TableSchema& table, std::vector<const TableSchema*>& all) {
    all.push_back(&table);
    for (const KeyRow& row : table.rows) {
        if (row.field.child != nullptr) collect(*row.field.child(), all);
    }
}

std::string listed(std::span<const Choice> choices) {
    std::string text;
    for (std::size_t i = 0; i < choices.size(); ++i) {
        if (i > 0) text += i + 1 == choices.size() ? " or " : ", ";
        text += choices[i].name;
    }
    return text;
}

std::string trimmed(double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
}

std::string expected_range(const Field& field) {
    const auto from_to = [](std::string_view what, const std::string& low,
                            const std::string& high) {
        return std::string(what) + " from " + low + " to " + high;
    };
    const auto quoted = [](const std::string& text) { return "\"" + text + "\""; };
    if (field.type == ValueType::Real) {
        return from_to("a number", trimmed(field.real_minimum), trimmed(field.real_maximum));
    }
    if (field.type == ValueType::Time) {
        return from_to("a duration", quoted(format_duration(Duration(field.minimum))),
                       quoted(format_duration(Duration(field.maximum))));
    }
    if (field.type == ValueType::Size) {
        return from_to("a size", quoted(format_size(static_cast<std::uint64_t>(field.minimum))),
                       quoted(format_size(static_cast<std::uint64_t>(field.maximum))));
    }
    return from_to("a whole number", std::to_string(field.minimum), std::to_string(field.maximum));
}

// A new instance or group starts with what [global] says; the root's rows are read in order.
void inherit(const GlobalConfig& global, InstanceDraft& instance) {
    instance.config.tuning = global.vrrp.tuning;
    instance.config.notify.smtp_alert = global.email.smtp_alert;
}
void inherit(const GlobalConfig& global, VrrpSyncGroupConfig& group) {
    group.notify.smtp_alert = global.email.smtp_alert;
}

template <auto Vector>
Field inheriting(const TableSchema* (*table)()) {
    Field field = schema::children<Vector>(table);
    field.add = [](void* object) -> void* {
        auto& draft = *static_cast<Draft*>(object);
        auto& added = (draft.*Vector).emplace_back();
        inherit(draft.global.config, added);
        return &added;
    };
    return field;
}

}  // namespace

// Order matters: what others inherit from stands first.
const TableSchema& root_schema() {
    using namespace schema;
    constexpr Change kRestart = Change::Restart;
    static const TableSchema table = {
        "",
        false,
        {
            {"schema", number<&Draft::schema>(1, 1), "1", kReload, "version of this format"},
            {"global", child<&Draft::global>(global_table), "", kReload, "this node"},
            {"log", child<&Draft::log>(log_table), "", kRestart, "the log"},
            {"api", child<&Draft::api>(api_table), "", kRestart, "control socket and metrics"},
            {"dpdk", section(dpdk_table), "", kRestart, "CPUs, memory and ports"},
            {"route", children<&Draft::routes>(route_table), "", kReload, "static routes"},
            {"neighbour", children<&Draft::neighbours>(neighbour_table), "", kReload,
             "static neighbours"},
            {"mark", children<&Draft::marks>(mark_table), "", kReload, "firewall marks"},
            {"local_address", children<&Draft::local_addresses>(local_address_table), "", kReload,
             "addresses for FullNAT"},
            {"conntrack", child<&Draft::conntrack>(conntrack_table), "", kReload,
             "connection tracking"},
            {"vrrp_script", children<&Draft::scripts>(vrrp_script_table), "", kReload,
             "scripts to track"},
            {"vrrp_track_process", children<&Draft::processes>(vrrp_track_process_table), "",
             kReload, "processes to track"},
            {"vrrp_track_file", children<&Draft::files>(vrrp_track_file_table), "", kReload,
             "files to track"},
            {"vrrp_sync_group", inheriting<&Draft::groups>(vrrp_sync_group_table), "", kReload,
             "instances that change state together"},
            {"vrrp_instance", inheriting<&Draft::instances>(vrrp_instance_table), "", kReload,
             "virtual routers"},
            {"virtual_server_group", children<&Draft::server_groups>(virtual_server_group_table),
             "", kReload, "addresses of one service"},
            {"virtual_server", children<&Draft::services>(virtual_server_table), "", kReload,
             "services"},
        },
        {},
        origin<&Draft::origin>};
    return table;
}

std::span<const TableSchema* const> all_tables() {
    static const std::vector<const TableSchema*> tables = [] {
        std::vector<const TableSchema*> all;
        collect(root_schema(), all);
        return all;
    }();
    return tables;
}

const KeyRow* find_row(const TableSchema& table, std::string_view key) {
    for (const KeyRow& row : table.rows) {
        if (row.key == key) return &row;
    }
    return nullptr;
}

std::string table_title(const TableSchema& table) {
    if (table.path.empty()) return "the top level";
    const std::string path(table.path);
    return table.array ? "[[" + path + "]]" : "[" + path + "]";
}

std::string expected_value(const KeyRow& row) {
    const Field& field = row.field;
    switch (field.type) {
        case ValueType::Integer:
        case ValueType::Real:
        case ValueType::Time:
        case ValueType::Size:
            return expected_range(field);
        case ValueType::Choice:
            return listed(field.choices);
        case ValueType::ChoiceList:
            return "an array of " + listed(field.choices);
        case ValueType::Text:
        case ValueType::Name:
            return std::string(field.type == ValueType::Name ? "a string that is not empty"
                                                             : "a string") +
                   ", at most " + std::to_string(field.maximum) + " characters";
        case ValueType::Boolean:
            return "true or false";
        case ValueType::Path:
            return "an absolute path";
        case ValueType::SecretFile:
            return "an absolute path, or one that starts with ${CREDENTIALS_DIRECTORY}/";
        case ValueType::Address:
            return "an IPv4 or IPv6 address";
        case ValueType::AddressRange:
            return "an address, or a range like \"10.0.0.1-20\"";
        case ValueType::Prefix:
            return "an address, with or without \"/LENGTH\"";
        case ValueType::AddressList:
            return "an array of addresses";
        case ValueType::PrefixList:
            return "an array of addresses with \"/LENGTH\"";
        case ValueType::RoutePrefix:
            return "a prefix, \"default\" or \"default6\"";
        case ValueType::Mac:
            return "a MAC like \"02:00:5e:10:00:01\"";
        case ValueType::HostPort:
            return "a string \"host:port\"";
        case ValueType::Command:
            return "an array of strings: program, then arguments";
        case ValueType::TextList:
            return "an array of strings";
        case ValueType::PortRange:
            return "a port, or a range like \"1024-65535\"";
        case ValueType::Cpus:
            return "a CPU number, \"2-5,7\", or an array of CPU numbers";
        case ValueType::StatusCodes:
            return "200, \"200-299\", or an array of these";
        case ValueType::Hex:
            return "a string of pairs of hex digits";
        case ValueType::Granularity:
            return "a netmask like \"255.255.255.0\", or a prefix length";
        case ValueType::Table:
            return "a table";
        case ValueType::TableList:
            return "an array of tables";
    }
    return "a value";
}

std::string example_value(const KeyRow& row) {
    return std::string(row.example.empty() ? row.initial : row.example);
}

}  // namespace pollux::control
