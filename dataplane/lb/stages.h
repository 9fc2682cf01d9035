// SPDX-License-Identifier: Apache-2.0
#pragma once

// The stages of Worker::process_burst by name, and a watch for their cost (pollux-bench pipeline
// --stages). The data plane reads no clock: the caller brings one.

#include <array>
#include <cstdint>
#include <string_view>

namespace pollux::lb {

enum class Stage : std::uint8_t {
    Classify,  // parse, key, hash; index bucket prefetched
    Find,      // search in the bucket; record prefetched
    Track,     // comparison with the record, state, route; schedules new connections
    Open,      // inserts new connections
    Others,    // ICMP, fragments, control protocols
    Forward,   // rewrite, MAC addresses, counters of the servers
    Account,   // counters of the worker, quiescence
};
inline constexpr unsigned kStageCount = 7;

[[nodiscard]] constexpr std::string_view to_string(Stage stage) noexcept {
    constexpr std::array<std::string_view, kStageCount> kNames{
        "classify", "find", "track", "open", "others", "forward", "account"};
    return kNames[static_cast<std::size_t>(stage)];
}

// One thread's.
struct StageWatch {
    std::uint64_t (*clock)() noexcept = nullptr;
    std::array<std::uint64_t, kStageCount> spent{};  // in the clock's unit

    void begin() noexcept { last = clock(); }
    void end(Stage stage) noexcept {
        const std::uint64_t now = clock();
        spent[static_cast<std::size_t>(stage)] += now - last;
        last = now;
    }

    std::uint64_t last = 0;
};

}  // namespace pollux::lb
