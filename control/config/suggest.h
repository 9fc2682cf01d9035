// SPDX-License-Identifier: Apache-2.0
#pragma once

// "Did you mean": nearest words by edit distance. Pure.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace pollux::control {

// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment), ASCII
// letter case ignored. Stops at `limit` + 1.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

// The candidate nearest to `word`, within a distance of 2 or a third of its length (1 for words of
// up to three characters); "" if there is none. The first of equals wins.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace pollux::control
