// SPDX-License-Identifier: Apache-2.0
#pragma once

// The command line of pollux-bench: one table of options, of which each verb accepts some.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "dataplane/lb/spec.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/result.h"

namespace pollux::bench {

enum class Travel : std::uint8_t { Forward, Reply };  // client to server, server to client

struct Options {
    lb::ForwardingMethod method = lb::ForwardingMethod::Nat;
    Travel travel = Travel::Forward;
    net::Family family = net::Family::V4;
    std::uint32_t flows = 100'000;
    unsigned burst = 32;
    unsigned samples = 1000;
    unsigned servers = 64;
    unsigned workers = 2;
    std::uint32_t idle = 10'000'000;
    bool json = false;
    bool large = false;
    bool life = false;
    bool stages = false;
    std::string json_file;  // empty: none
};

// Bits of what a verb accepts.
struct Accepts {
    static constexpr unsigned kMethod = 1U << 0;
    static constexpr unsigned kDirection = 1U << 1;
    static constexpr unsigned kFamily = 1U << 2;
    static constexpr unsigned kFlows = 1U << 3;
    static constexpr unsigned kBurst = 1U << 4;
    static constexpr unsigned kSamples = 1U << 5;
    static constexpr unsigned kServers = 1U << 6;
    static constexpr unsigned kJson = 1U << 7;
    static constexpr unsigned kJsonFile = 1U << 8;
    static constexpr unsigned kLarge = 1U << 9;
    static constexpr unsigned kLife = 1U << 10;
    static constexpr unsigned kWorkers = 1U << 16;
    static constexpr unsigned kStages = 1U << 17;
    static constexpr unsigned kIdle = 1U << 18;
};

// Errors: an option that the verb does not know, a value missing or out of range.
[[nodiscard]] Result<Options> parse_options(std::span<const std::string_view> arguments,
                                            unsigned accepted, Options defaults = {});

// One line for each accepted option.
[[nodiscard]] std::string describe_options(unsigned accepted);

// "dr", "nat", "fnat", "tun".
[[nodiscard]] std::string_view short_name(lb::ForwardingMethod method) noexcept;
[[nodiscard]] std::string_view to_string(Travel travel) noexcept;
[[nodiscard]] std::string_view to_string(net::Family family) noexcept;

}  // namespace pollux::bench
