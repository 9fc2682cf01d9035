// SPDX-License-Identifier: Apache-2.0
#pragma once

// What routers tell of the path to a tunnel's server: workers report it, the control thread keeps
// it for ten minutes and puts it into the snapshot, so that a packet needs no look-up of its own.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "dataplane/lb/ids.h"
#include "dataplane/lb/time.h"
#include "dataplane/lb/zeroed_array.h"
#include "dataplane/net/ip_address.h"

namespace pollux::lb {

// Linux's ip_rt_min_pmtu: nobody can talk us into less. RFC 8200 section 5 for IPv6.
inline constexpr std::uint16_t kMinPathMtuV4 = 552;
inline constexpr std::uint16_t kMinPathMtuV6 = 1280;
// Linux's ip_rt_mtu_expires.
inline constexpr Duration kPathMtuLifetime = std::chrono::minutes(10);

// What a report of `mtu` makes of the path MTU `known` (the link's, at first): it only goes down.
[[nodiscard]] constexpr std::uint16_t lowered_path_mtu(std::uint16_t known, std::uint16_t mtu,
                                                       bool is_v6) noexcept {
    return std::min(known, std::max(mtu, is_v6 ? kMinPathMtuV6 : kMinPathMtuV4));
}

// The lowest path MTU that workers have reported of each server since the last collection.
class PathMtuReports {
  public:
    // Throws std::bad_alloc.
    explicit PathMtuReports(std::size_t servers) : by_server_(servers) {}

    // Any worker. `mtu`: bytes of IP, the outer header counted in; above 0.
    void report(RealServerId server, std::uint16_t mtu) noexcept;

    // Control thread: calls take(RealServerId, mtu) for each report.
    template <typename Take>
    void collect(Take&& take) {
        // Acquire: pairs with the release in `report`, so that the figure is seen with the flag.
        if (!waiting_.exchange(false, std::memory_order_acquire)) return;
        for (std::size_t i = 0; i < by_server_.span().size(); ++i) {
            if (by_server_[i].load(std::memory_order_relaxed) == 0) continue;
            take(RealServerId{static_cast<std::uint32_t>(i)},
                 by_server_[i].exchange(0, std::memory_order_relaxed));
        }
    }

  private:
    ZeroedArray<std::atomic<std::uint16_t>> by_server_;  // 0: nothing reported
    alignas(64) std::atomic<bool> waiting_{false};
};

// What is known now, by the server's address. Control thread.
class PathMtus {
  public:
    // True: this lowers what was known, and the snapshot is out of date. `link`: of the route.
    bool learn(const net::IpAddress& server, std::uint16_t mtu, std::uint16_t link, TimePoint now);
    // Forgets what is too old; true if there was any. Looks once a second.
    bool expire(TimePoint now);
    [[nodiscard]] std::optional<std::uint16_t> find(const net::IpAddress& server) const;

  private:
    struct Entry {
        std::uint16_t mtu = 0;
        TimePoint expires{};
    };
    TimePoint next_expiry_{};
    std::map<net::IpAddress, Entry> entries_;  // at most one for each server that ever reported
};

}  // namespace pollux::lb
