// SPDX-License-Identifier: Apache-2.0
// The frame parser. An input is one control byte and a frame. Control: bits 0..3 what the NIC says
// of the checksums; bit 4: the frame goes on for 64 bytes in another segment.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "tests/support/parse_invariants.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    constexpr std::uint8_t kChecksumBits = 0x0f;
    constexpr std::uint8_t kMultiSegment = 0x10;
    constexpr std::uint32_t kSecondSegment = 64;
    // The fuzzer's own buffer may go on behind `size`; this one ends there.
    const std::size_t length = size - 1;
    const auto frame = std::make_unique<std::uint8_t[]>(length);
    std::copy(data + 1, data + size, frame.get());
    pollux::net::ParseInput input;
    input.bytes = {frame.get(), length};
    input.frame_length = static_cast<std::uint32_t>(length);
    if ((data[0] & kMultiSegment) != 0) input.frame_length += kSecondSegment;
    input.checksums = data[0] & kChecksumBits;
    const std::string broken = pollux::test::broken_parse_invariant(input);
    if (!broken.empty()) {
        std::fprintf(stderr, "broken invariant: %s\n", broken.c_str());
        std::abort();
    }
    return 0;
}
