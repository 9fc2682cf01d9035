// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/huge_page_bytes.h"

#include <sstream>

#include <gtest/gtest.h>

namespace pollux::lb {
namespace {

// proc(5), smaps: two mappings of 4 MiB, the first half in huge pages, the second wholly.
constexpr const char* kSmaps =
    "7f0000000000-7f0000400000 rw-p 00000000 00:00 0 \n"
    "Size:               4096 kB\n"
    "KernelPageSize:        4 kB\n"
    "Rss:                4096 kB\n"
    "AnonHugePages:      2048 kB\n"
    "VmFlags: rd wr mr mw me ac hg\n"
    "7f0000800000-7f0000c00000 rw-p 00000000 00:00 0 [anon:x]\n"
    "AnonHugePages:      4096 kB\n"
    "ShmemPmdMapped:        0 kB\n";

std::uint64_t of(std::uint64_t begin, std::uint64_t end) {
    std::istringstream smaps(kSmaps);
    return huge_page_bytes(smaps, begin, end);
}

TEST(HugePageBytes, AreThoseOfThePiece) {
    constexpr std::uint64_t kMebi = 1U << 20U;
    const struct {
        const char* what;
        std::uint64_t begin, end, expected;
    } cases[] = {
        {"a whole mapping", 0x7f0000000000, 0x7f0000400000, 2 * kMebi},
        {"the other one", 0x7f0000800000, 0x7f0000c00000, 4 * kMebi},
        {"both and the gap", 0x7f0000000000, 0x7f0000c00000, 6 * kMebi},
        {"half a mapping counts in proportion", 0x7f0000800000, 0x7f0000a00000, 2 * kMebi},
        {"the gap alone", 0x7f0000400000, 0x7f0000800000, 0},
        {"elsewhere", 0x1000, 0x2000, 0},
    };
    for (const auto& each : cases) {
        EXPECT_EQ(of(each.begin, each.end), each.expected) << each.what;
    }
}

}  // namespace
}  // namespace pollux::lb
