// SPDX-License-Identifier: Apache-2.0
#pragma once

// Host: the network stack of the recordings' director for the packets that the data plane hands
// over (the exception path): answers to local addresses that nobody listens on, echo replies, plain
// routing between the two links. As much of Linux as the recordings show. Single thread.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/lb/packet.h"
#include "tools/golden/frames.h"

namespace pollux::golden {

class Host {
  public:
    // Addresses that the host answers for; 10.255.0.1, 10.2.0.254 and their IPv6 kin are there.
    void own(const net::IpPrefix& prefix) { owned_.push_back(prefix); }
    // ip_forward of both families.
    void set_forwards(bool on) { forwards_ = on; }
    [[nodiscard]] bool forwards() const { return forwards_; }
    [[nodiscard]] bool owns(const net::IpAddress& address) const;

    // What the host sends because of a punted frame, if anything. `side`: the link it came in by.
    [[nodiscard]] std::optional<Emitted> handle(const Bytes& frame, Side side);

  private:
    [[nodiscard]] std::optional<Bytes> answer(const Bytes& frame) const;
    [[nodiscard]] std::optional<Emitted> route(const Bytes& frame, Side side) const;
    [[nodiscard]] static std::optional<Emitted> send(const Bytes& packet);

    // A datagram whose fragments have come in part, by source, destination, protocol and id.
    struct Pieces {
        std::map<std::size_t, Bytes> at;  // by offset
        std::optional<std::size_t> length;
    };
    // The whole packet once its last missing fragment has come, as a frame of its own.
    [[nodiscard]] std::optional<Bytes> reassemble(const Bytes& frame);

    std::map<std::string, Pieces> pieces_;
    bool forwards_ = true;
    std::vector<net::IpPrefix> owned_ = {
        *net::IpPrefix::parse("10.255.0.1/32"), *net::IpPrefix::parse("10.2.0.254/32"),
        *net::IpPrefix::parse("fd00:ffff::1/128"), *net::IpPrefix::parse("fd00:b::fe/128")};
};

}  // namespace pollux::golden
