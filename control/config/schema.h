// SPDX-License-Identifier: Apache-2.0
#pragma once

// The schema: one visible row per key of the configuration. Everything that is known of a key (its
// type, range, default, whether a change needs a restart, what it is for, where its value goes)
// stands in its row; unknown keys, wrong types, ranges, suggestions and the completeness test of
// configs/reference.toml come from the rows. Immutable after start; any thread.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/config_common.h"
#include "dataplane/net/mac_address.h"

namespace pollux::control {

enum class ValueType : std::uint8_t {
    Boolean,
    Integer,
    Real,
    Text,        // any characters but control characters
    Name,        // Text that is not empty
    Path,        // absolute path
    SecretFile,  // path, may start with ${CREDENTIALS_DIRECTORY}
    Time,        // duration with a unit
    Size,
    Choice,      // one of `choices`
    ChoiceList,  // several of `choices`
    Address,
    AddressRange,  // "10.0.0.1" or "10.0.0.1-20"
    Prefix,
    AddressList,
    PrefixList,
    RoutePrefix,  // Prefix, "default" or "default6"
    Mac,
    HostPort,
    Command,  // array of strings, or one string: a path without arguments
    TextList,
    PortRange,    // whole number or "1024-65535"
    Cpus,         // whole number, "2-5,7", or an array of whole numbers
    StatusCodes,  // whole number, "200-299", or an array of these
    Hex,
    Granularity,  // netmask "255.255.255.0", or a prefix length
    Table,        // child table
    TableList,    // array of child tables
};

enum class Change : std::uint8_t { Reload, Restart };

// A value that passed the row's type and range.
struct Reading {
    bool boolean = false;
    std::int64_t integer = 0;  // also the position in `choices`, bytes of a Size
    double real = 0;
    Duration duration{};
    std::string text;
    std::vector<std::string> list;
    std::vector<std::int64_t> integers;  // Cpus; positions of a ChoiceList
    net::IpPrefix prefix;                // Address: host prefix
    net::IpAddress last;                 // end of an AddressRange
    std::vector<net::IpPrefix> prefixes;
    net::MacAddress mac;
    std::vector<NumberRange> ranges;
    std::vector<std::uint8_t> bytes;
};

struct Choice {
    std::string_view name;
    std::int64_t value;
};

struct TableSchema;

// Type, range and target of a value. The builders in schema_fields.h make it.
struct Field {
    ValueType type = ValueType::Text;
    std::int64_t minimum = 0;  // Integer; Time in ns; Text: characters
    std::int64_t maximum = 0;
    double real_minimum = 0;
    double real_maximum = 0;
    std::span<const Choice> choices;
    void (*store)(void* object, const Reading& reading) = nullptr;
    // Table and TableList: the child's schema, and the object of a (further) child in `object`.
    const TableSchema* (*child)() = nullptr;
    void* (*add)(void* object) = nullptr;
};

struct KeyRow {
    std::string_view key;
    Field field;
    std::string_view initial;  // default in TOML words; "" = none
    Change change = Change::Reload;
    std::string_view help;  // one line: what it is for; the unit where the type has none
    bool required = false;
    std::string_view example = {};  // working value for messages if there is no default
};

struct TableSchema {
    std::string_view path;  // "vrrp_instance.virtual_ipaddress"; "" = the root
    bool array = false;     // written [[path]]
    std::vector<KeyRow> rows;
    // Keys whose values tell elements apart in messages: {"name"}, or {"address", "port"}.
    std::vector<std::string_view> label_keys;
    Origin* (*origin)(void* object) = nullptr;
};

// The whole schema; the root object is a Draft (draft.h).
const TableSchema& root_schema();

// Every table, parents first.
std::span<const TableSchema* const> all_tables();

const KeyRow* find_row(const TableSchema& table, std::string_view key);

// "[[vrrp_instance]]", "[global.vrrp]", "the top level".
std::string table_title(const TableSchema& table);

// "a whole number from 1 to 255", "MASTER or BACKUP", ... what the row accepts.
std::string expected_value(const KeyRow& row);

// A working value: the default, else the row's example, else one of the type.
std::string example_value(const KeyRow& row);

}  // namespace pollux::control
