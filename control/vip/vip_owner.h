// SPDX-License-Identifier: Apache-2.0
#pragma once

// VipOwner: the virtual addresses that this node holds now. The VRRP runner claims an address when
// its instance becomes MASTER and releases it when it is not; everything that follows happens here:
// the address on the TAP, the virtual MAC on the NIC, ARP and ND answers with the right MAC, the
// data plane's list of owned addresses. Nobody else answers for a VIP. Control thread.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "control/netlink/kernel_writer.h"
#include "control/tap/port_table.h"
#include "dataplane/lb/spec.h"
#include "dataplane/net/neighbor_frames.h"

namespace pollux::control {

struct Vip {
    net::IpPrefix address;  // as set on the TAP: host bits kept
    lb::PortId port = lb::kNoPort;
    net::MacAddress mac;  // the port's own, or the virtual MAC
    std::string label;    // IPv4 only
    std::uint8_t scope = 0;
    net::IpAddress broadcast;  // family None: none
    bool prefix_route = true;
    // False: RFC 9568 section 6.1 Accept_Mode off. Answered by ARP and ND and balanced, but the
    // kernel gets nothing that is addressed to it.
    bool accept = true;
    bool operator==(const Vip&) const = default;
};

// What VipOwner needs of its surroundings.
struct VipHooks {
    std::function<bool(lb::PortId, std::span<const std::uint8_t>)> transmit;
    std::function<Status(lb::PortId, const net::MacAddress&)> add_mac;
    std::function<Status(lb::PortId, const net::MacAddress&)> remove_mac;
    // The owned addresses changed: build a new snapshot soon.
    std::function<void()> changed;
    // The kernel's addresses are behind: call `work` from the loop, soon.
    std::function<void()> work_later;
    // Has the changes made in order without waiting; one status each comes later, from the loop.
    std::function<void(std::vector<KernelChange>, KernelWriter::Done)> change_kernel;
    // The kernel has all addresses as it should have them.
    std::function<void()> settled;
};

class VipOwner {
  public:
    VipOwner(const PortTable& ports, VipHooks hooks);

    // Idempotent; many at once cost one snapshot. ARP and ND follow at once, the kernel's addresses
    // later, through `work`. What failed is logged and counted, and the address is still answered
    // for: half a VIP is better than none while MASTER. An error says why a virtual MAC was
    // refused: what is sent to it does not arrive.
    Status claim(std::span<const Vip> vips);
    void release(std::span<const Vip> vips);
    // Whether the port would receive for the MAC; changes nothing.
    [[nodiscard]] Status try_mac(lb::PortId port, const net::MacAddress& mac);

    // Has the kernel's addresses set right, some at a time, so that a release needs not wait for
    // hundreds of others.
    void work();
    [[nodiscard]] bool all_settled() const { return unsettled_.empty() && in_work_.empty(); }

    [[nodiscard]] bool owns(const net::IpAddress& address) const { return vips_.contains(address); }
    // The owned addresses by address.
    [[nodiscard]] const std::map<net::IpAddress, Vip>& vips() const { return vips_; }
    [[nodiscard]] std::vector<lb::OwnedAddressSpec> owned() const;

    // Answers the question if it is for a VIP. True: the kernel must not see the frame.
    bool receive(lb::PortId port, std::span<const std::uint8_t> frame);
    // Whether the frame is addressed to a VIP that accepts nothing (Accept_Mode off).
    [[nodiscard]] bool refuses(std::span<const std::uint8_t> frame) const;
    // A frame that the kernel sends: what comes from a VIP leaves with the VIP's MAC.
    void rewrite_source(lb::PortId port, std::span<std::uint8_t> frame) const;
    // A frame for the kernel: what went to a virtual MAC goes to the port's, the only one that the
    // kernel knows.
    void rewrite_destination(lb::PortId port, std::span<std::uint8_t> frame) const;

    [[nodiscard]] std::uint64_t answers() const { return answers_; }
    [[nodiscard]] std::uint64_t failures() const { return failures_; }

  private:
    struct MacUse {
        lb::PortId port;
        net::MacAddress mac;
        auto operator<=>(const MacUse&) const = default;
    };

    struct TapChange {
        Vip vip;
        bool present;
    };

    [[nodiscard]] bool belongs_on_tap(const Vip& vip) const;
    [[nodiscard]] KernelChange to_request(const TapChange& change) const;
    void plan(const net::IpAddress& address);
    void finish(const std::vector<Status>& results);
    Status use_mac(const Vip& vip);
    void drop_mac(const Vip& vip);
    void report(const char* event, const Vip& vip, const Error& cause);

    const PortTable* ports_;
    VipHooks hooks_;
    std::map<net::IpAddress, Vip> vips_;
    std::map<net::IpAddress, Vip> on_tap_;  // what the kernel was given
    std::set<net::IpAddress> unsettled_;    // where it may differ from what it should have
    std::vector<TapChange> in_work_;        // handed to the kernel, not answered yet
    std::map<MacUse, unsigned> mac_uses_;   // virtual MACs by how many VIPs need them
    std::uint64_t answers_ = 0;
    std::uint64_t failures_ = 0;
};

}  // namespace pollux::control
