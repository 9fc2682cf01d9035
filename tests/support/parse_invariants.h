// SPDX-License-Identifier: Apache-2.0
#pragma once

// What must hold for every input of the parser, whatever its bytes.

#include <string>

#include "dataplane/net/parse.h"

namespace pollux::test {

// Parses `input` (and the packet that it quotes) and says what does not hold; "" if all does. The
// quick parser must say what the general one says, and every offset that a caller may rely on must
// lie within the bytes.
[[nodiscard]] std::string broken_parse_invariant(const net::ParseInput& input);

}  // namespace pollux::test
