// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/path_mtu.h"

namespace pollux::lb {

void PathMtuReports::report(RealServerId server, std::uint16_t mtu) noexcept {
    std::atomic<std::uint16_t>& slot = by_server_[index(server)];
    std::uint16_t known = slot.load(std::memory_order_relaxed);
    while (known == 0 || mtu < known) {
        if (!slot.compare_exchange_weak(known, mtu, std::memory_order_relaxed)) continue;
        // Release: pairs with the acquire in `collect`.
        waiting_.store(true, std::memory_order_release);
        return;
    }
}

bool PathMtus::learn(const net::IpAddress& server, std::uint16_t mtu, std::uint16_t link,
                     TimePoint now) {
    const auto found = entries_.find(server);
    const std::uint16_t known = found == entries_.end() ? link : std::min(found->second.mtu, link);
    const std::uint16_t lowered = lowered_path_mtu(known, mtu, server.is_v6());
    if (lowered == known && found == entries_.end()) return false;  // the link is no wider
    entries_[server] = {lowered, now + kPathMtuLifetime};
    return lowered != known;
}

bool PathMtus::expire(TimePoint now) {
    if (now < next_expiry_) return false;
    next_expiry_ = now + std::chrono::seconds(1);
    return std::erase_if(entries_,
                         [now](const auto& entry) { return entry.second.expires <= now; }) != 0;
}

std::optional<std::uint16_t> PathMtus::find(const net::IpAddress& server) const {
    const auto found = entries_.find(server);
    if (found == entries_.end()) return std::nullopt;
    return found->second.mtu;
}

}  // namespace pollux::lb
