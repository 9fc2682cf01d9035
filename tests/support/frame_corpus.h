// SPDX-License-Identifier: Apache-2.0
#pragma once

// One valid frame of every shape that the parser knows, by name. Tests truncate and mutate them,
// the fuzzers start from them.

#include <string>
#include <vector>

#include "tests/support/frame_builder.h"

namespace pollux::test {

struct NamedFrame {
    std::string name;
    Bytes bytes;
};

[[nodiscard]] std::vector<NamedFrame> frame_corpus();

}  // namespace pollux::test
