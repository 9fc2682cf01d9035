// SPDX-License-Identifier: Apache-2.0
#pragma once

// ViaPath: the way of checks with check_via = "service" (docs/decisions/check-via-service.md). The
// kernel routes their stand-in addresses into a TUN interface; what comes out of it leaves by the
// server's port as the forwarding method would send it: with the server's MAC (DR) or in a tunnel
// (TUN). No packet of theirs enters the data plane's pipeline on its way out. Control thread.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/loop/event_loop.h"
#include "control/netlink/kernel_tables.h"
#include "control/netlink/netlink_requests.h"
#include "control/nexthop/next_hops.h"
#include "control/tap/port_table.h"
#include "control/tap/tap_device.h"
#include "control/via/via_translator.h"
#include "dataplane/lb/tunnel.h"
#include "dataplane/net/result.h"

namespace pollux::control {

// What the path needs of its surroundings; all of it outlives the path.
struct ViaContext {
    EventLoop& loop;
    NetlinkRequests& netlink;
    const KernelTables& kernel;
    const PortTable& ports;
    NextHops& next_hops;
    std::function<std::vector<lb::OwnedAddressSpec>()> vips;  // held now
    std::function<lb::TimePoint()> now;
};

[[nodiscard]] bool has_checks_through_services(const Config& config);

class ViaPath {
  public:
    // Opens the TUN interface and routes `range` into it. Errors: a route to there exists already,
    // no right to do so.
    static Result<std::unique_ptr<ViaPath>> open(const ViaContext& context, const ViaRange& range);
    // Removes both.
    ~ViaPath();
    ViaPath(const ViaPath&) = delete;
    ViaPath& operator=(const ViaPath&) = delete;

    // A stand-in for the check's virtual address at its server.
    Result<net::IpAddress> add(const CheckConfig& check);
    void remove(const net::IpAddress& stand_in);
    // Before a try: the address of this node that the server shall answer to (`bindto`, if it has a
    // family). An error, for the operator: the server cannot be asked now.
    Result<net::IpAddress> begin_try(const net::IpAddress& stand_in, const net::IpAddress& bindto);
    void end_try(const net::IpAddress& stand_in);
    // What is known about why a try got no answer; "" usually.
    [[nodiscard]] std::string hint(const net::IpAddress& stand_in);

    // A frame to an address of this node. True: it answered a probe, and nobody else shall get it.
    bool receive(std::span<std::uint8_t> frame);

    [[nodiscard]] const std::string& interface() const { return tun_->name(); }
    [[nodiscard]] const ViaTranslator& translator() const { return translator_; }
    // Packets that the TUN interface did not take, and frames too large for the port.
    [[nodiscard]] std::uint64_t failures() const { return failures_; }

  private:
    struct Target {
        net::IpAddress virtual_address;
        net::IpAddress server;
        std::optional<TunnelConfig> tunnel;
        lb::TunnelTemplate header;  // of the running try
        HopKey hop;                 // of the running try
    };

    ViaPath(const ViaContext& context, const ViaRange& range, std::unique_ptr<TapDevice> tun);
    Status set_up();
    [[nodiscard]] Status check_free(const net::IpPrefix& range) const;
    void drain();
    void send(std::span<std::uint8_t> frame, std::size_t room, const Target& target);

    // An outer header and an Ethernet header go in front of what the kernel sends.
    static constexpr std::size_t kRoom = lb::kMaxTunnelHeader + 14;
    static constexpr std::size_t kMaxPacket = 9600;

    ViaContext context_;
    ViaRange range_;
    ViaTranslator translator_;
    std::unique_ptr<TapDevice> tun_;
    std::unique_ptr<FdWatch> watch_;  // dies before the TUN: declared after it
    std::map<net::IpAddress, Target> targets_;
    bool has_v6_ = true;
    std::vector<net::IpPrefix> routed_;  // into the TUN interface
    std::uint16_t next_ip_id_ = 0;
    std::uint64_t failures_ = 0;
    std::array<std::uint8_t, kRoom + kMaxPacket> buffer_{};
};

}  // namespace pollux::control
