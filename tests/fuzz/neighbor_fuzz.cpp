// SPDX-License-Identifier: Apache-2.0
// The decoder of ARP and Neighbor Discovery frames. An input is a frame. What is asked in it can be
// answered, and the answer is a claim to what was asked for.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>

#include "dataplane/net/neighbor_frames.h"

namespace {

using namespace pollux::net;

void check(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "broken invariant: %s\n", what);
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto frame = std::make_unique<std::uint8_t[]>(size);
    std::copy(data, data + size, frame.get());
    const std::span<const std::uint8_t> bytes{frame.get(), size};
    static_cast<void>(parse_neighbor_claim(bytes));
    const auto question = parse_neighbor_question(bytes);
    if (!question) return 0;
    const MacAddress mac{{2, 0, 0, 0, 0, 2}};
    const NeighborFrame answer = build_neighbor_answer(*question, mac, true);
    const auto claim = parse_neighbor_claim(answer.span());
    if (question->target.is_unspecified()) return 0;
    check(claim.has_value(), "the answer is no claim");
    check(claim->address == question->target && claim->mac == mac, "the answer claims another");
    const auto repeated = parse_neighbor_question(build_neighbor_question(*question).span());
    const bool announcement = question->target.is_v4() && question->asker == question->target;
    check(announcement || (repeated && repeated->target == question->target),
          "the question cannot be repeated");
    return 0;
}
