// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is counted of received frames, and what a trial adds up to. Plain values.

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "dataplane/lb/time.h"
#include "tools/pktgen/histogram.h"

namespace pollux::pktgen {

// Each received frame ends as exactly one of these.
enum class Finding : std::uint8_t {
    Right,
    Repeated,      // arrived before
    WrongServer,   // not the flow's server, or none that was expected
    WrongAddress,  // source, or destination where no server is meant
    WrongPort,
    WrongMac,
    BadChecksum,
    Malformed,
    Late,     // of an earlier trial
    Foreign,  // not ours: kernel chatter, VRRP
};
inline constexpr std::size_t kFindingCount = 10;
inline constexpr std::array<std::string_view, kFindingCount> kFindingNames{
    "right",     "repeated",     "wrong-server", "wrong-address", "wrong-port",
    "wrong-mac", "bad-checksum", "malformed",    "late",          "foreign"};

// Wrong frames are the balancer's mistakes: any of them fails a trial, whatever the tolerated loss.
[[nodiscard]] constexpr bool is_wrong(Finding finding) noexcept {
    return finding >= Finding::Repeated && finding <= Finding::Malformed;
}

struct Counts {
    // By direction: 0 client to server, 1 back.
    std::array<std::uint64_t, 2> offered{};  // refused ones included
    std::array<std::uint64_t, 2> refused{};  // the port had no room: the balancer was too slow
    std::array<std::uint64_t, 2> arrived{};  // right, each once
    std::array<std::uint64_t, kFindingCount> findings{};
    std::uint64_t overtaken = 0;  // right, but after a later one of its flow
    std::uint64_t forfeited = 0;  // not offered, as the sender was held up
    std::vector<std::uint64_t> by_server;
    Histogram latency;

    void add(Finding finding) noexcept { ++findings[static_cast<std::size_t>(finding)]; }
    [[nodiscard]] std::uint64_t of(Finding finding) const noexcept {
        return findings[static_cast<std::size_t>(finding)];
    }
    [[nodiscard]] std::uint64_t all_offered() const noexcept { return offered[0] + offered[1]; }
    [[nodiscard]] std::uint64_t all_arrived() const noexcept { return arrived[0] + arrived[1]; }
    [[nodiscard]] std::uint64_t lost() const noexcept { return all_offered() - all_arrived(); }
    [[nodiscard]] std::uint64_t wrong() const noexcept {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < kFindingCount; ++i) {
            if (is_wrong(static_cast<Finding>(i))) sum += findings[i];
        }
        return sum;
    }
    [[nodiscard]] double loss() const noexcept {
        return all_offered() == 0
                   ? 0
                   : static_cast<double>(lost()) / static_cast<double>(all_offered());
    }
};

struct Trial {
    double rate = 0;         // asked for, frames a second in each direction
    double reached = 0;      // offered
    double throughput = 0;   // arrived right
    lb::Duration elapsed{};  // of sending
    Counts counts;

    // The generator offered what it was asked for, but for a hundredth.
    [[nodiscard]] bool is_offered() const noexcept { return reached >= 0.99 * rate; }
};

}  // namespace pollux::pktgen
