// SPDX-License-Identifier: Apache-2.0
#pragma once

// ViaTranslator: checks with check_via = "service" connect to stand-in addresses, one for each
// check, because the virtual address itself is this node's own while it is MASTER, and because
// several servers have it. On the way out the stand-in becomes the virtual address, on the way back
// the virtual address the stand-in. Pure: frames and time come from outside; control thread.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "control/via/via_flows.h"
#include "dataplane/net/parsed_packet.h"

namespace pollux::control {

// A range of stand-in addresses of both families.
struct ViaRange {
    net::IpPrefix v4;
    net::IpPrefix v6;
};

struct ViaCounters {
    std::uint64_t sent = 0;           // translated packets of the kernel
    std::uint64_t received = 0;       // translated answers
    std::uint64_t errors = 0;         // translated ICMP errors about probes
    std::uint64_t no_try = 0;         // of the kernel, for a check that has no try running
    std::uint64_t not_supported = 0;  // of the kernel: a fragment, or no TCP, UDP or echo request
    std::uint64_t no_flow = 0;        // of the kernel: too many flows
};

class ViaTranslator {
  public:
    // A probe's TTL. One forwarding by the server is allowed for (it may hand the packet on to a
    // container); where it sends the packet back to the balancer, because the virtual address is
    // not its own, the packet has no hop left and ends there.
    static constexpr std::uint8_t kTtl = 2;
    // Echo requests are answered by the host itself. Also the master's kernel would do so.
    static constexpr std::uint8_t kEchoTtl = 1;
    static constexpr std::size_t kMaxFlows = 65536;
    // Stand-in addresses of each family, whatever the range.
    static constexpr std::size_t kMaxStandIns = 65534;

    explicit ViaTranslator(const ViaRange& range) : range_(range), flows_(kMaxFlows) {}

    // An address that stands for the virtual one. Nothing: the range is used up.
    std::optional<net::IpAddress> add(const net::IpAddress& virtual_address);
    // Ends its flows, too.
    void remove(const net::IpAddress& stand_in, lb::TimePoint now);
    // Between these the kernel may open flows to the stand-in.
    void begin_try(const net::IpAddress& stand_in);
    void end_try(const net::IpAddress& stand_in, lb::TimePoint now);

    // A packet of the kernel behind an Ethernet header with its EtherType. Rewrites it and returns
    // the stand-in that it went to. Nothing: not to be sent, counted.
    std::optional<net::IpAddress> to_server(std::span<std::uint8_t> frame, lb::TimePoint now);
    // A frame from the wire to an address of this node. If it answers a probe it is rewritten, and
    // its IP packet returned; empty: not a probe's, unchanged.
    std::span<std::uint8_t> to_kernel(std::span<std::uint8_t> frame);

    // Whether the server sent the running or last try's packet on instead of taking it.
    [[nodiscard]] bool was_forwarded(const net::IpAddress& stand_in);
    [[nodiscard]] const ViaCounters& counters() const { return counters_; }
    [[nodiscard]] std::size_t flows() const { return flows_.size(); }
    [[nodiscard]] std::size_t stand_ins() const { return used_; }

  private:
    struct Slot {
        net::IpAddress virtual_address;  // family None: free
        bool trying = false;
        bool forwarded = false;
        std::vector<ViaFlowId> flows;  // of the try
    };
    // A free place is used again as late as possible: packets to its last owner may be under way.
    struct Pool {
        std::vector<Slot> slots;
        std::size_t next = 0;
    };

    [[nodiscard]] Pool& pool(net::Family family) { return family == net::Family::V4 ? v4_ : v6_; }
    [[nodiscard]] const net::IpPrefix& range(net::Family family) const {
        return family == net::Family::V4 ? range_.v4 : range_.v6;
    }
    // Null: no stand-in that is in use.
    [[nodiscard]] Slot* find(const net::IpAddress& stand_in);
    [[nodiscard]] const ViaFlow* flow_of(Slot& slot, const ViaKey& key, lb::TimePoint now);
    bool relate(std::span<std::uint8_t> frame, const net::ParsedPacket& packet);

    ViaRange range_;
    Pool v4_, v6_;
    std::size_t used_ = 0;
    ViaFlows flows_;
    ViaCounters counters_;
};

}  // namespace pollux::control
