// SPDX-License-Identifier: Apache-2.0
#pragma once

// Virtual routers that are heard but not configured: who uses which VRID on which interface. A
// bounded table; the one heard longest ago makes room. Control thread.

#include <cstdint>
#include <vector>

#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"
#include "vrrp/advert.h"
#include "vrrp/clock.h"

namespace pollux::vrrp {

// The interface that an instance speaks on. The caller's numbering (the position of the port).
enum class InterfaceId : std::uint16_t {};

struct Stranger {
    InterfaceId interface {};
    std::uint8_t version = 0;
    std::uint8_t virtual_router_id = 0;
    std::uint8_t priority = 0;
    net::IpAddress source;
    net::MacAddress mac;
    std::vector<net::IpAddress> addresses;
    std::uint64_t count = 0;
    TimePoint first{};
    TimePoint last{};
};

class StrangerTable {
  public:
    static constexpr std::size_t kMaxStrangers = 64;
    static constexpr Duration kWarnInterval = std::chrono::seconds(10);

    // True when a warning is due: a new one, and the last warning is long enough ago.
    bool note(InterfaceId interface, const ReceivedAdvert& advert, TimePoint now);

    [[nodiscard]] const std::vector<Stranger>& all() const noexcept { return strangers_; }

  private:
    std::vector<Stranger> strangers_;
    TimePoint last_warned_ = TimePoint::min();
};

}  // namespace pollux::vrrp
