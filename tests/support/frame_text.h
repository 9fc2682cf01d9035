// SPDX-License-Identifier: Apache-2.0
#pragma once

// Frames as text for people who read a failed test: decoded layers, hex, and where two differ.

#include <cstdint>
#include <span>
#include <string>

#include <gtest/gtest.h>

namespace pollux::test {

// One line per layer, then the bytes in hex. Accepts any bytes.
[[nodiscard]] std::string describe(std::span<const std::uint8_t> frame);

// EXPECT_TRUE(same_frame(actual, expected)): whole-frame equality. A failure shows both frames and
// names each differing byte by layer and offset.
[[nodiscard]] ::testing::AssertionResult same_frame(std::span<const std::uint8_t> actual,
                                                    std::span<const std::uint8_t> expected);

}  // namespace pollux::test
