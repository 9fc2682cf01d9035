// SPDX-License-Identifier: Apache-2.0

#include "control/ipvs/command.h"

#include <algorithm>
#include <limits>

#include "control/ipvs/endpoint.h"
#include "control/ipvs/options.h"
#include "control/ipvs/switch_reader.h"
#include "dataplane/lb/schedulers.h"

namespace pollux::control::ipvs {

namespace {

constexpr std::uint32_t kMaxTimeoutSeconds = 86400 * 31;
constexpr std::uint32_t kDefaultPersistenceSeconds = 360;
constexpr std::int64_t kMaxWeight = 65535;
constexpr std::int64_t kMaxThreshold = std::numeric_limits<std::int32_t>::max();

std::uint32_t seconds(const std::string& text, std::uint32_t min) {
    const auto value = parse_number(text, min, kMaxTimeoutSeconds);
    if (!value) refuse("invalid timeout value `" + text + "' specified");
    return static_cast<std::uint32_t>(*value);
}

// A number within bounds, or "illegal NAME specified".
std::int64_t number(const std::string& text, std::int64_t min, std::int64_t max, const char* name) {
    const auto value = parse_number(text, min, max);
    if (!value) refuse("illegal " + std::string(name) + " specified");
    return *value;
}

// What the options of one line add up to.
struct Line {
    Command command;
    OptionSet given;
    std::optional<std::uint32_t> persistence_seconds;
    std::uint8_t prefix = 32;  // persistence granularity
    std::string flags;
    const NameResolver* resolver = nullptr;

    [[nodiscard]] bool is_v6() const { return command.service.address.is_v6(); }
};

void take_address(Line& line, const Word& word) {
    lb::ServiceSpec& service = line.command.service;
    service.protocol = word.what->letter == 't'   ? lb::Protocol::Tcp
                       : word.what->letter == 'u' ? lb::Protocol::Udp
                                                  : lb::Protocol::Sctp;
    const auto endpoint = parse_endpoint(*word.argument, service.protocol, *line.resolver);
    if (!endpoint) refuse("illegal virtual server address[:port] specified");
    service.address = endpoint->address;
    service.port = endpoint->port.value_or(0);
    if (service.address.is_v6()) line.prefix = 128;
}

void take_service(Line& line, const Word& word) {
    line.command.has_service = true;
    if (word.what->letter != 'f') return take_address(line, word);
    const auto mark = parse_number(*word.argument, 1, std::numeric_limits<std::uint32_t>::max());
    if (!mark) refuse("invalid fwmark value `" + *word.argument + "' specified");
    line.command.service.fwmark = static_cast<std::uint32_t>(*mark);
    line.command.service.protocol = lb::Protocol::None;
    line.command.service.address = net::IpAddress::from_v4({});
}

void take_ipv6(Line& line) {
    if (line.command.service.fwmark == 0) refuse("-6 used before -f\n");
    line.command.service.address = net::IpAddress::from_v6({});
    line.prefix = 128;
}

void take_netmask(Line& line, const Word& word) {
    if (line.is_v6()) {
        const auto length = parse_number(*word.argument, 1, 128);
        if (!length) refuse("illegal ipv6 netmask specified");
        line.prefix = static_cast<std::uint8_t>(*length);
        return;
    }
    const auto prefix = parse_netmask(*word.argument);
    if (!prefix) refuse("illegal virtual server persistent mask specified");
    line.prefix = *prefix;
}

void take_server(Line& line, const Word& word) {
    Command& command = line.command;
    const auto endpoint = parse_endpoint(*word.argument, command.service.protocol, *line.resolver);
    if (!endpoint) refuse("illegal real server address[:port] specified");
    command.server.address = endpoint->address;
    command.server_port_given = endpoint->port.has_value();
    command.server.port = endpoint->port.value_or(command.service.port);
}

void take_forward(Line& line, const Word& word) {
    line.command.server.method = word.what->letter == 'm'   ? lb::ForwardingMethod::Nat
                                 : word.what->letter == 'i' ? lb::ForwardingMethod::Tunnel
                                 : word.what->letter == 'g' ? lb::ForwardingMethod::DirectRouting
                                                            : lb::ForwardingMethod::FullNat;
}

void take_tunnel_type(Line& line, const Word& word) {
    lb::TunnelSpec& tunnel = line.command.server.tunnel;
    if (*word.argument == "ipip") {
        tunnel.kind = lb::TunnelKind::Ipip;
    } else if (*word.argument == "gue") {
        tunnel.kind = lb::TunnelKind::Gue;
    } else if (*word.argument == "gre") {
        tunnel.kind = lb::TunnelKind::Gre;
    } else {
        refuse("illegal tunnel type specified");
    }
}

// What each option does with a line. Options of the synchronisation daemon are only checked: its
// commands are refused as a whole.
struct Action {
    Option option;
    void (*take)(Line&, const Word&);
};
constexpr std::array<Action, kOptionCount> kActions{{
    {Option::Numeric, [](Line& l, const Word&) { l.command.listing.numeric = true; }},
    {Option::Connection, [](Line& l, const Word&) { l.command.listing.connections = true; }},
    {Option::Service, take_service},
    {Option::Scheduler, [](Line& l, const Word& w) { l.command.scheduler = *w.argument; }},
    {Option::Persistent,
     [](Line& l, const Word& w) {
         l.persistence_seconds = w.argument ? seconds(*w.argument, 1) : kDefaultPersistenceSeconds;
     }},
    {Option::Netmask, take_netmask},
    {Option::Server, take_server},
    {Option::Forward, take_forward},
    {Option::Weight,
     [](Line& l, const Word& w) {
         l.command.server.weight =
             static_cast<std::uint16_t>(number(*w.argument, 0, kMaxWeight, "weight"));
     }},
    {Option::UpperThreshold,
     [](Line& l, const Word& w) {
         l.command.server.upper_threshold =
             static_cast<std::uint32_t>(number(*w.argument, 0, kMaxThreshold, "u_threshold"));
     }},
    {Option::LowerThreshold,
     [](Line& l, const Word& w) {
         l.command.server.lower_threshold =
             static_cast<std::uint32_t>(number(*w.argument, 0, kMaxThreshold, "l_threshold"));
     }},
    {Option::McastInterface, [](Line&, const Word&) {}},
    {Option::Timeout, [](Line& l, const Word&) { l.command.listing.timeouts = true; }},
    {Option::Daemon, [](Line& l, const Word&) { l.command.listing.daemon = true; }},
    {Option::Stats, [](Line& l, const Word&) { l.command.listing.stats = true; }},
    {Option::Rate, [](Line& l, const Word&) { l.command.listing.rate = true; }},
    {Option::Thresholds, [](Line& l, const Word&) { l.command.listing.thresholds = true; }},
    {Option::PersistentConn,
     [](Line& l, const Word&) { l.command.listing.persistent_conn = true; }},
    {Option::NoSort, [](Line& l, const Word&) { l.command.listing.sorted = false; }},
    {Option::SyncId, [](Line&, const Word& w) { number(*w.argument, 0, 255, "syncid"); }},
    {Option::Exact, [](Line& l, const Word&) { l.command.listing.exact = true; }},
    {Option::OnePacket, [](Line& l, const Word&) { l.command.service.one_packet = true; }},
    {Option::PersistenceEngine,
     [](Line& l, const Word& w) { l.command.persistence_engine = *w.argument; }},
    {Option::SchedFlags, [](Line& l, const Word& w) { l.flags = *w.argument; }},
    {Option::SyncMaxlen, [](Line&, const Word&) {}},
    {Option::McastGroup, [](Line&, const Word&) {}},
    {Option::McastPort, [](Line&, const Word&) {}},
    {Option::McastTtl, [](Line&, const Word&) {}},
    {Option::TunnelInfo, [](Line& l, const Word&) { l.command.listing.tunnel_info = true; }},
    {Option::TunnelType, take_tunnel_type},
    {Option::TunnelPort,
     [](Line& l, const Word& w) {
         l.command.server.tunnel.gue_port =
             static_cast<std::uint16_t>(number(*w.argument, 1, 65535, "tunnel port"));
     }},
    {Option::TunnelNoCsum, [](Line& l, const Word&) { l.command.server.tunnel.checksum = false; }},
    {Option::TunnelCsum, [](Line& l, const Word&) { l.command.server.tunnel.checksum = true; }},
    {Option::TunnelRemCsum,
     [](Line& l, const Word&) {
         l.command.server.tunnel.checksum = true;
         l.command.server.tunnel.remote_checksum = true;
     }},
}};

constexpr bool actions_are_in_order() {
    for (unsigned i = 0; i < kOptionCount; ++i) {
        if (kActions[i].option != static_cast<Option>(i)) return false;
    }
    return true;
}
static_assert(actions_are_in_order());

void take(Line& line, const Word& word) {
    if (word.what->verb) refuse("invalid option `" + word.text + "'");
    if (word.what->name == "sort") return;  // the default, and in ipvsadm a word without effect
    if (word.what->name == "ipv6") return take_ipv6(line);
    const Option option = *word.what->option;
    if (line.given.has(option)) {
        refuse("multiple '" + std::string(name_of(option)) + "' options specified");
    }
    line.given.add(option);
    kActions[static_cast<std::size_t>(option)].take(line, word);
}

// ipvsadm: flags belong to sh or mh; "flag-1" and "flag-2" are their common other names.
void take_flag(Command& command, const std::string& flag) {
    const bool fallback = flag == "sh-fallback" || flag == "mh-fallback" || flag == "flag-1";
    const bool port = flag == "sh-port" || flag == "mh-port" || flag == "flag-2";
    if (!fallback && !port) refuse("invalid scheduler flag `" + flag + "'");
    const auto kind = lb::parse_scheduler(command.scheduler);
    const bool general = flag.starts_with("flag-");
    if (!kind || !lb::row_of(*kind).has_flags ||
        (!general && !flag.starts_with(command.scheduler + "-"))) {
        refuse("incompatible scheduler flag `" + flag + "'");
    }
    lb::SchedulerFlags& flags = command.service.scheduler_flags;
    (fallback ? flags.fallback : flags.port) = true;
}

void finish_service(Line& line) {
    lb::ServiceSpec& service = line.command.service;
    if (service.fwmark == 0 && service.port == 0 && !line.persistence_seconds) {
        refuse("Zero port specified for non-persistent service");
    }
    if (service.one_packet && service.fwmark == 0 && service.protocol != lb::Protocol::Udp) {
        refuse("One-Packet Scheduling is only for UDP virtual services");
    }
    for (std::size_t from = 0; from < line.flags.size();) {
        const std::size_t comma = std::min(line.flags.find(',', from), line.flags.size());
        take_flag(line.command, line.flags.substr(from, comma - from));
        from = comma + 1;
    }
    if (line.persistence_seconds) {
        service.persistence = {std::chrono::seconds(*line.persistence_seconds), line.prefix};
    }
}

void finish_server(Line& line) {
    lb::RealServerSpec& server = line.command.server;
    if (!line.given.has(Option::Forward)) server.method = lb::ForwardingMethod::DirectRouting;
    if (const auto refusal = check_tunnel_options(server.tunnel.kind, line.given)) {
        throw Refused{*refusal};
    }
    const bool mixed = server.address.family != line.command.service.address.family;
    if (mixed && server.method != lb::ForwardingMethod::Tunnel &&
        server.method != lb::ForwardingMethod::FullNat) {
        refuse("Different address family is allowed only for tunneling servers");
    }
}

void finish_listing(const Listing& listing) {
    const bool table = listing.stats || listing.rate || listing.thresholds;
    const bool other = listing.timeouts || listing.daemon;
    if (((other || listing.connections) && table) || (other && listing.persistent_conn)) {
        refuse("options conflicts in the list command");
    }
}

void take_timeouts(Command& command, const std::vector<std::string>& loose) {
    if (loose.size() < command.timeouts.size()) refuse("--set option requires 3 timeout values");
    for (std::size_t i = 0; i < command.timeouts.size(); ++i) {
        command.timeouts[i] = seconds(loose[i], 0);
    }
}

Verb verb_of(const Word& word) {
    const Verb verb = *word.what->verb;
    const bool daemon = verb == Verb::StartDaemon || verb == Verb::StopDaemon;
    if (daemon && *word.argument != "master" && *word.argument != "backup") {
        refuse(verb == Verb::StartDaemon ? "illegal start-daemon parameter specified"
                                         : "illegal start_daemon specified");
    }
    return verb;
}

// The command comes first; anything else there ends in the hint.
std::optional<Word> first_word(SwitchReader& reader) {
    try {
        return reader.next();
    } catch (const Refused&) {
        return std::nullopt;
    }
}

Command parse_line(SwitchReader& reader, std::string_view program, const NameResolver& resolver) {
    const auto first = first_word(reader);
    if (!first || !first->what->verb) {
        const std::string name(program);
        refuse("Try `" + name + " -h' or '" + name + " --help' for more information.", 255);
    }
    Line line;
    line.resolver = &resolver;
    Command& command = line.command;
    command.verb = verb_of(*first);
    if (command.verb == Verb::Help || command.verb == Verb::Version) return command;
    while (const auto word = reader.next()) take(line, *word);
    std::size_t used = 0;
    if (command.verb == Verb::SetTimeouts) {
        take_timeouts(command, reader.loose());
        used = command.timeouts.size();
    }
    if (reader.loose().size() > used) refuse("unexpected argument " + reader.loose()[used]);
    if (const auto refusal = check_options(command.verb, line.given)) throw Refused{*refusal};
    if (command.verb == Verb::AddService || command.verb == Verb::EditService) {
        finish_service(line);
    } else if (command.verb == Verb::AddServer || command.verb == Verb::EditServer) {
        finish_server(line);
    } else if (command.verb == Verb::List) {
        finish_listing(command.listing);
    }
    return command;
}

}  // namespace

std::variant<Command, Refusal> parse_command(std::span<const std::string> arguments,
                                             std::string_view program,
                                             const NameResolver& resolver) {
    if (arguments.empty()) return Command{};  // ipvsadm alone lists the table
    try {
        SwitchReader reader(arguments);
        return parse_line(reader, program, resolver);
    } catch (const Refused& refused) {
        return refused.refusal;
    }
}

std::vector<std::string> split_line(std::string_view line) {
    constexpr std::string_view kBlanks = " \t\r\n";
    std::vector<std::string> words;
    std::size_t from = 0;
    while ((from = line.find_first_not_of(kBlanks, from)) != std::string_view::npos) {
        const std::size_t to = std::min(line.find_first_of(kBlanks, from), line.size());
        words.emplace_back(line.substr(from, to - from));
        from = to;
    }
    return words;
}

}  // namespace pollux::control::ipvs
