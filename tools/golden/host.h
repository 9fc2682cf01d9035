// SPDX-License-Identifier: Apache-2.0
#pragma once

// Host: the network stack of the recordings' director for the packets that the data plane hands
// over (the exception path): answers to local addresses that nobody listens on, echo replies, plain
// routing between the two links. As much of Linux as the recordings show. Single thread.

#include <optional>
#include <vector>

#include "dataplane/lb/packet.h"
#include "tools/golden/frames.h"

namespace pollux::golden {

class Host {
  public:
    // Addresses that the host answers for; 10.255.0.1, 10.2.0.254 and their IPv6 kin are there.
    void own(const net::IpPrefix& prefix) { owned_.push_back(prefix); }
    [[nodiscard]] bool owns(const net::IpAddress& address) const;

    // What the host sends because of a punted frame, if anything. `side`: the link it came in by.
    [[nodiscard]] std::optional<Emitted> handle(const Bytes& frame, Side side) const;

  private:
    [[nodiscard]] std::optional<Bytes> answer(const Bytes& frame) const;
    [[nodiscard]] std::optional<Emitted> route(Bytes frame, Side side) const;
    [[nodiscard]] static std::optional<Emitted> send(const Bytes& packet);

    std::vector<net::IpPrefix> owned_ = {
        *net::IpPrefix::parse("10.255.0.1/32"), *net::IpPrefix::parse("10.2.0.254/32"),
        *net::IpPrefix::parse("fd00:ffff::1/128"), *net::IpPrefix::parse("fd00:b::fe/128")};
};

}  // namespace pollux::golden
