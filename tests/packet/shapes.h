// SPDX-License-Identifier: Apache-2.0
#pragma once

// Shapes: every form in which a packet of a flow may come (options, tags, extension headers,
// padding). The packet tables send each through each forwarding method. A shape knows nothing of
// addresses: a test says between which ends and over which link it goes.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dataplane/lb/spec.h"
#include "tests/support/frame_builder.h"

namespace pollux::test {

struct Ends {
    std::string source;
    std::string destination;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint8_t ttl = 64;
};

struct Shape {
    std::string name;
    lb::Protocol protocol = lb::Protocol::Tcp;
    bool is_v6 = false;
    // Puts the packet behind the link header that is there.
    std::function<FrameBuilder(FrameBuilder, const Ends&)> on;
};

[[nodiscard]] std::vector<Shape> shapes();
// The packet that opens a connection of the protocol.
[[nodiscard]] Shape opening_shape(lb::Protocol protocol, bool is_v6);

}  // namespace pollux::test
