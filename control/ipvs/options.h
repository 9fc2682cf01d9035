// SPDX-License-Identifier: Apache-2.0
#pragma once

// The option table of ipvsadm 1.31 and which command takes which option. Read by parse_command.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "control/ipvs/command.h"

namespace pollux::control::ipvs {

// The options of a command, in the order in which ipvsadm checks them.
enum class Option : std::uint8_t {
    Numeric,
    Connection,
    Service,
    Scheduler,
    Persistent,
    Netmask,
    Server,
    Forward,
    Weight,
    UpperThreshold,
    LowerThreshold,
    McastInterface,
    Timeout,
    Daemon,
    Stats,
    Rate,
    Thresholds,
    PersistentConn,
    NoSort,
    SyncId,
    Exact,
    OnePacket,
    PersistenceEngine,
    SchedFlags,
    SyncMaxlen,
    McastGroup,
    McastPort,
    McastTtl,
    TunnelInfo,
    TunnelType,
    TunnelPort,
    TunnelNoCsum,
    TunnelCsum,
    TunnelRemCsum,
};
inline constexpr unsigned kOptionCount = 34;

// The name in messages, for example "service-address".
[[nodiscard]] std::string_view name_of(Option option);
[[nodiscard]] std::string_view name_of(Verb verb);

enum class Argument : std::uint8_t { None, Required, Optional };

// One word of the command line: "-t", "--tcp-service", "-A".
struct Switch {
    char letter;            // '\0': none
    std::string_view name;  // without the dashes
    Argument argument = Argument::None;
    std::optional<Verb> verb;      // a command
    std::optional<Option> option;  // an option; neither: -6 and --sort
};

// Nothing: no such switch.
[[nodiscard]] const Switch* find_switch(char letter);
[[nodiscard]] const Switch* find_switch(std::string_view name);

// The set of options that were given.
class OptionSet {
  public:
    constexpr OptionSet() = default;
    constexpr OptionSet(std::initializer_list<Option> options) {
        for (const Option option : options) add(option);
    }
    [[nodiscard]] constexpr bool has(Option option) const { return (bits_ & mask(option)) != 0; }
    constexpr void add(Option option) { bits_ |= mask(option); }

  private:
    static constexpr std::uint64_t mask(Option option) {
        return std::uint64_t{1} << static_cast<unsigned>(option);
    }
    std::uint64_t bits_ = 0;
};

// Options that a command needs, forbids, or allows only one of.
[[nodiscard]] std::optional<Refusal> check_options(Verb verb, const OptionSet& given);

// The same for the options of a tunnel type.
[[nodiscard]] std::optional<Refusal> check_tunnel_options(lb::TunnelKind kind,
                                                          const OptionSet& given);

}  // namespace pollux::control::ipvs
