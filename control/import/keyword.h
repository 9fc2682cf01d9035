// SPDX-License-Identifier: Apache-2.0
#pragma once

// What becomes of each of keepalived's keywords: one row each, by block (decision D16). The rows
// are in keywords_*.cpp; keywords with Reading::Special have a function in convert_*.cpp.

#include <cstdint>
#include <span>
#include <string_view>

#include "control/import/statement.h"
#include "control/import/toml_table.h"

namespace pollux::control {

struct ImportContext;

enum class Block : std::uint8_t {
    Top,
    GlobalDefs,
    VrrpScript,
    TrackFile,
    TrackProcess,
    SyncGroup,
    GarpGroup,
    BfdInstance,
    Instance,
    Authentication,
    Tracked,      // words after a name in track_script { } and its like
    Address,      // words of a line of virtual_ipaddress { }
    Route,        // words of a line of virtual_routes { }
    Rule,         // words of a line of virtual_rules { }
    UnicastPeer,  // words after an address
    Ssl,
    VirtualServer,
    RealServer,
    NetworkCheck,  // what all checks over the network share
    TcpCheck,
    HttpGet,
    SslGet,
    Url,
    SmtpCheck,
    SmtpHost,
    DnsCheck,
    MiscCheck,
    BfdCheck,
    PingCheck,
    UdpCheck,
    FileCheck,
};

enum class Fate : std::uint8_t { Kept, Changed, Dropped };

// How the words after a keyword are read.
enum class Reading : std::uint8_t {
    Nothing,      // dropped: not looked at
    Flag,         // none: true
    NegatedFlag,  // none: false
    Bool,         // on, off, true, false, yes, no; none: true
    Integer,
    Seconds,  // decimal -> duration
    Text,
    Ip,
    Command,  // a command line, perhaps user and group
    User,     // user, perhaps group
    Special,  // `handler`
};

using KeywordHandler = void (*)(ImportContext&, const Statement&, TomlTable&);

struct Keyword {
    Block block = Block::Top;
    std::string_view word;
    Fate fate = Fate::Kept;
    Reading reading = Reading::Nothing;
    std::string_view key;     // in the block's table; "a.b": in its sub-table a
    std::string_view remark;  // why it was changed or dropped
    long min = 0;             // of Integer: outside of it keepalived takes something else
    long max = 0;
    KeywordHandler handler = nullptr;
};

std::span<const Keyword> global_keywords();
std::span<const Keyword> vrrp_keywords();
std::span<const Keyword> network_keywords();
std::span<const Keyword> service_keywords();

// The row of a word, for checks also that of all checks; nullptr: keepalived does not know it.
const Keyword* find_keyword(Block block, std::string_view word);
// The nearest word of the block, empty if none is near.
std::string_view nearest_keyword(Block block, std::string_view word);
// The name of a block in which `word` is known, empty if in none.
std::string_view other_block_of(std::string_view word);
// As it is written in keepalived.conf, for messages and lists.
std::string_view block_name(Block block);

}  // namespace pollux::control
