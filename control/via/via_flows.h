// SPDX-License-Identifier: Apache-2.0
#pragma once

// ViaFlows: which probe of this node a packet between it and a virtual address belongs to. A flow
// has two names: what the kernel calls it (towards a stand-in address) and what it is called on the
// wire (towards the virtual address). Bounded. Pure; control thread.

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "dataplane/lb/time.h"
#include "dataplane/net/byte_order.h"
#include "dataplane/net/ip_address.h"

namespace pollux::control {

// One end of it is this node's. ICMP echo: `own_port` is the identifier, `peer_port` 0.
struct ViaKey {
    std::uint8_t protocol = 0;
    net::IpAddress own;
    std::uint16_t own_port = 0;  // host order
    net::IpAddress peer;
    std::uint16_t peer_port = 0;
    bool operator==(const ViaKey&) const = default;
};

struct ViaFlow {
    ViaKey kernel;                      // peer: the stand-in address
    ViaKey wire;                        // peer: the virtual address
    std::optional<lb::TimePoint> ends;  // closed: known until then
};

enum class ViaFlowId : std::uint32_t {};

class ViaFlows {
  public:
    // A flow that was closed stays known for so long: last segments go both ways.
    static constexpr lb::Duration kLinger = std::chrono::seconds(5);
    // Ports tried where the kernel's own is taken by another flow to the same virtual address.
    static constexpr unsigned kPortTries = 64;

    explicit ViaFlows(std::size_t limit) : limit_(limit) {}

    // Opens the flow that the kernel names so, towards `virtual_address`. Its port on the wire is
    // the kernel's if that is free. Nothing: the table is full, or no port was found.
    std::optional<ViaFlowId> open(const ViaKey& kernel, const net::IpAddress& virtual_address,
                                  lb::TimePoint now);
    // An open flow ends after kLinger, unless it is opened again.
    void close(ViaFlowId id, lb::TimePoint now);
    // A flow that was closed: as if just opened. Nothing: it is unknown, or open.
    std::optional<ViaFlowId> reopen(const ViaKey& kernel);

    // Null: unknown. Valid until the next open().
    [[nodiscard]] const ViaFlow* find_kernel(const ViaKey& key) const;
    [[nodiscard]] const ViaFlow* find_wire(const ViaKey& key) const;
    [[nodiscard]] std::size_t size() const { return by_kernel_.size(); }

  private:
    struct Hash {
        std::size_t operator()(const ViaKey& key) const noexcept;
    };
    struct Closed {
        lb::TimePoint ends;
        ViaFlowId id;
    };
    using Index = std::unordered_map<ViaKey, ViaFlowId, Hash>;

    void expire(lb::TimePoint now);
    [[nodiscard]] bool choose_port(ViaKey& wire) const;
    [[nodiscard]] const ViaFlow* find(const Index& index, const ViaKey& key) const;

    std::size_t limit_;
    std::vector<ViaFlow> flows_;  // by id
    std::vector<ViaFlowId> free_;
    std::deque<Closed> closed_;  // the first ends first
    Index by_kernel_;
    Index by_wire_;
};

}  // namespace pollux::control
