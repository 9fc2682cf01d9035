// SPDX-License-Identifier: Apache-2.0

#include "control/ipvs/options.h"

#include <string>

namespace pollux::control::ipvs {

namespace {

constexpr std::array<std::string_view, kOptionCount> kOptionNames{"numeric",
                                                                  "connection",
                                                                  "service-address",
                                                                  "scheduler",
                                                                  "persistent",
                                                                  "netmask",
                                                                  "real-server",
                                                                  "forwarding-method",
                                                                  "weight",
                                                                  "u-threshold",
                                                                  "l-threshold",
                                                                  "mcast-interface",
                                                                  "timeout",
                                                                  "daemon",
                                                                  "stats",
                                                                  "rate",
                                                                  "thresholds",
                                                                  "persistent-conn",
                                                                  "nosort",
                                                                  "syncid",
                                                                  "exact",
                                                                  "ops",
                                                                  "pe",
                                                                  "sched-flags",
                                                                  "sync-maxlen",
                                                                  "mcast-group",
                                                                  "mcast-port",
                                                                  "mcast-ttl",
                                                                  "tun-info",
                                                                  "tun-type",
                                                                  "tun-port",
                                                                  "tun-nocsum",
                                                                  "tun-csum",
                                                                  "tun-remcsum"};

using enum Option;

constexpr OptionSet kOfService{Scheduler, Persistent,        Netmask,
                               OnePacket, PersistenceEngine, SchedFlags};
constexpr OptionSet kOfServer{Forward,    Weight,       UpperThreshold, LowerThreshold, TunnelType,
                              TunnelPort, TunnelNoCsum, TunnelCsum,     TunnelRemCsum};
constexpr OptionSet kOfListing{Numeric,        Stats,  Rate,  Thresholds,
                               PersistentConn, NoSort, Exact, TunnelInfo};
constexpr OptionSet kOfDaemon{McastInterface, SyncId, SyncMaxlen, McastGroup, McastPort, McastTtl};

// What a command does with its options; those that no list has are refused. One row per Verb.
struct Rule {
    std::string_view name;
    OptionSet needed;
    OptionSet allowed;
    OptionSet exclusive;    // allowed one at a time
    bool anything = false;  // takes every option and ignores it
};
constexpr std::array kRules = {
    Rule{"add-service", {Service}, kOfService, {}},
    Rule{"edit-service", {Service}, kOfService, {}},
    Rule{"delete-service", {Service}, {}, {}},
    Rule{"flush", {}, {}, {}},
    Rule{"list", {}, kOfListing, {Connection, Service, Timeout, Daemon}},
    Rule{"add-server", {Service, Server}, kOfServer, {}},
    Rule{"delete-server", {Service, Server}, {}, {}},
    Rule{"edit-server", {Service, Server}, kOfServer, {}},
    Rule{"set", {}, {}, {}},
    Rule{"start-daemon", {}, kOfDaemon, {}},
    Rule{"stop-daemon", {}, {SyncId}, {}},
    Rule{"restore", {}, {}, {}},
    Rule{"save", {}, {Numeric}, {}},
    Rule{"zero", {}, {Service}, {}},
    Rule{"help", {}, {}, {}, true},
    Rule{"version", {}, {}, {}, true},
};
static_assert(kRules.size() == static_cast<std::size_t>(Verb::Version) + 1);

using enum Argument;

constexpr std::array kSwitches = {
    Switch{'A', "add-service", None, Verb::AddService, {}},
    Switch{'E', "edit-service", None, Verb::EditService, {}},
    Switch{'D', "delete-service", None, Verb::DeleteService, {}},
    Switch{'C', "clear", None, Verb::Clear, {}},
    Switch{'L', "list", None, Verb::List, {}},
    Switch{'l', "list", None, Verb::List, {}},
    Switch{'Z', "zero", None, Verb::Zero, {}},
    Switch{'a', "add-server", None, Verb::AddServer, {}},
    Switch{'e', "edit-server", None, Verb::EditServer, {}},
    Switch{'d', "delete-server", None, Verb::DeleteServer, {}},
    Switch{'\0', "set", None, Verb::SetTimeouts, {}},
    Switch{'h', "help", None, Verb::Help, {}},
    Switch{'v', "version", None, Verb::Version, {}},
    Switch{'R', "restore", None, Verb::Restore, {}},
    Switch{'S', "save", None, Verb::Save, {}},
    Switch{'\0', "start-daemon", Required, Verb::StartDaemon, {}},
    Switch{'\0', "stop-daemon", Required, Verb::StopDaemon, {}},
    Switch{'t', "tcp-service", Required, {}, Option::Service},
    Switch{'u', "udp-service", Required, {}, Option::Service},
    Switch{'\0', "sctp-service", Required, {}, Option::Service},
    Switch{'f', "fwmark-service", Required, {}, Option::Service},
    Switch{'s', "scheduler", Required, {}, Option::Scheduler},
    Switch{'p', "persistent", Optional, {}, Option::Persistent},
    Switch{'M', "netmask", Required, {}, Option::Netmask},
    Switch{'r', "real-server", Required, {}, Option::Server},
    Switch{'m', "masquerading", None, {}, Option::Forward},
    Switch{'i', "ipip", None, {}, Option::Forward},
    Switch{'g', "gatewaying", None, {}, Option::Forward},
    Switch{'\0', "fullnat", None, {}, Option::Forward},  // Pollux's own
    Switch{'w', "weight", Required, {}, Option::Weight},
    Switch{'x', "u-threshold", Required, {}, Option::UpperThreshold},
    Switch{'y', "l-threshold", Required, {}, Option::LowerThreshold},
    Switch{'n', "numeric", None, {}, Option::Numeric},
    Switch{'c', "connection", None, {}, Option::Connection},
    Switch{'\0', "mcast-interface", Required, {}, Option::McastInterface},
    Switch{'\0', "syncid", Required, {}, Option::SyncId},
    Switch{'\0', "timeout", None, {}, Option::Timeout},
    Switch{'\0', "daemon", None, {}, Option::Daemon},
    Switch{'\0', "stats", None, {}, Option::Stats},
    Switch{'\0', "rate", None, {}, Option::Rate},
    Switch{'\0', "thresholds", None, {}, Option::Thresholds},
    Switch{'\0', "persistent-conn", None, {}, Option::PersistentConn},
    Switch{'\0', "nosort", None, {}, Option::NoSort},
    Switch{'\0', "sort", None, {}, {}},
    Switch{'X', "exact", None, {}, Option::Exact},
    Switch{'6', "ipv6", None, {}, {}},
    Switch{'o', "ops", None, {}, Option::OnePacket},
    Switch{'\0', "pe", Required, {}, Option::PersistenceEngine},
    Switch{'b', "sched-flags", Required, {}, Option::SchedFlags},
    Switch{'\0', "sync-maxlen", Required, {}, Option::SyncMaxlen},
    Switch{'\0', "mcast-group", Required, {}, Option::McastGroup},
    Switch{'\0', "mcast-port", Required, {}, Option::McastPort},
    Switch{'\0', "mcast-ttl", Required, {}, Option::McastTtl},
    Switch{'\0', "tun-info", None, {}, Option::TunnelInfo},
    Switch{'\0', "tun-type", Required, {}, Option::TunnelType},
    Switch{'\0', "tun-port", Required, {}, Option::TunnelPort},
    Switch{'\0', "tun-nocsum", None, {}, Option::TunnelNoCsum},
    Switch{'\0', "tun-csum", None, {}, Option::TunnelCsum},
    Switch{'\0', "tun-remcsum", None, {}, Option::TunnelRemCsum},
};

std::string quoted(std::string_view text) {
    return "'" + std::string(text) + "'";
}

}  // namespace

std::string_view name_of(Option option) {
    return kOptionNames[static_cast<std::size_t>(option)];
}
std::string_view name_of(Verb verb) {
    return kRules[static_cast<std::size_t>(verb)].name;
}

const Switch* find_switch(char letter) {
    for (const Switch& entry : kSwitches) {
        if (entry.letter == letter && letter != '\0') return &entry;
    }
    return nullptr;
}

const Switch* find_switch(std::string_view name) {
    for (const Switch& entry : kSwitches) {
        if (entry.name == name) return &entry;
    }
    return nullptr;
}

std::optional<Refusal> check_options(Verb verb, const OptionSet& given) {
    const Rule& rule = kRules[static_cast<std::size_t>(verb)];
    const std::string command = " option with the " + quoted(rule.name) + " command";
    std::optional<Option> first;
    for (unsigned at = 0; at < kOptionCount; ++at) {
        const auto option = static_cast<Option>(at);
        const std::string name = quoted(name_of(option));
        const bool alone = rule.exclusive.has(option);
        if (!given.has(option)) {
            if (!rule.needed.has(option)) continue;
            return Refusal{"You need to supply the " + name + " option for the " +
                           quoted(rule.name) + " command"};
        }
        if (!(rule.anything || alone || rule.needed.has(option) || rule.allowed.has(option))) {
            return Refusal{"Illegal " + name + command};
        }
        if (!alone) continue;
        if (first) {
            return Refusal{"The option " + name + " conflicts with the " + quoted(name_of(*first)) +
                           " option in the " + quoted(rule.name) + " command"};
        }
        first = option;
    }
    return std::nullopt;
}

std::optional<Refusal> check_tunnel_options(lb::TunnelKind kind, const OptionSet& given) {
    struct TunnelRule {
        std::string_view name;
        OptionSet needed;
        OptionSet allowed;
    };
    static constexpr std::array kTunnelRules = {
        TunnelRule{"ipip", {}, {}},
        TunnelRule{"gue", {TunnelPort}, {TunnelNoCsum, TunnelCsum, TunnelRemCsum}},
        TunnelRule{"gre", {}, {TunnelNoCsum, TunnelCsum}},
    };
    const TunnelRule& rule = kTunnelRules[static_cast<std::size_t>(kind)];
    for (const Option option : {TunnelPort, TunnelNoCsum, TunnelCsum, TunnelRemCsum}) {
        const std::string name = quoted(name_of(option));
        const std::string type = " the " + quoted(rule.name) + " tunnel type";
        if (!given.has(option) && rule.needed.has(option)) {
            return Refusal{"You need to supply the " + name + " option for" + type};
        }
        if (given.has(option) && !rule.needed.has(option) && !rule.allowed.has(option)) {
            return Refusal{"Illegal " + name + " option with" + type};
        }
    }
    return std::nullopt;
}

}  // namespace pollux::control::ipvs
