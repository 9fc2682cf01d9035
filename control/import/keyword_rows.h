// SPDX-License-Identifier: Apache-2.0
#pragma once

// Short forms for the tables of keywords_*.cpp.

#include "control/import/keyword.h"

namespace pollux::control {

inline constexpr auto kBool = Reading::Bool;
inline constexpr auto kFlag = Reading::Flag;
inline constexpr auto kText = Reading::Text;
inline constexpr auto kSeconds = Reading::Seconds;
inline constexpr auto kCommand = Reading::Command;

inline constexpr std::string_view kNoBfd = "there is no BFD yet";

constexpr long kAnyNumber = 2147483647;

constexpr Keyword kept(Block block, std::string_view word, Reading reading,
                       std::string_view key = {}) {
    return {block, word, Fate::Kept, reading, key.empty() ? word : key, {}, 0, kAnyNumber, nullptr};
}

struct Range {
    long min;
    long max;
};

constexpr Keyword kept(Block block, std::string_view word, Range range, std::string_view key = {}) {
    return {block, word,      Fate::Kept, Reading::Integer, key.empty() ? word : key,
            {},    range.min, range.max,  nullptr};
}

constexpr Keyword kept(Block block, std::string_view word, KeywordHandler handler) {
    return {block, word, Fate::Kept, Reading::Special, word, {}, 0, 0, handler};
}

constexpr Keyword changed(Block block, std::string_view word, Reading reading, std::string_view key,
                          std::string_view remark) {
    return {block, word, Fate::Changed, reading, key, remark, 0, kAnyNumber, nullptr};
}

constexpr Keyword changed(Block block, std::string_view word, KeywordHandler handler,
                          std::string_view remark) {
    return {block, word, Fate::Changed, Reading::Special, word, remark, 0, 0, handler};
}

constexpr Keyword dropped(Block block, std::string_view word, std::string_view remark) {
    return {block, word, Fate::Dropped, Reading::Nothing, {}, remark, 0, 0, nullptr};
}

}  // namespace pollux::control
