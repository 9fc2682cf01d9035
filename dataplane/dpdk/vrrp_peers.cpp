// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/vrrp_peers.h"

#include <optional>

namespace pollux::dpdk {
namespace {

std::uint64_t number(const net::MacAddress& mac) noexcept {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : mac.bytes) value = value << 8U | byte;
    return value;
}

// 00:00:5e:00:01:VRID and 00:00:5e:00:02:VRID: 0 to 511.
std::optional<unsigned> virtual_position(std::uint64_t mac) noexcept {
    const std::uint64_t kind = mac >> 8U;
    if (kind != 0x00'00'5e'00'01 && kind != 0x00'00'5e'00'02) return std::nullopt;
    return static_cast<unsigned>((kind & 2U) << 7U | (mac & 0xffU));
}

}  // namespace

void VrrpPeers::set(std::span<const net::MacAddress> peers) noexcept {
    std::array<std::uint64_t, kMaxStations> stations{};
    std::array<std::uint64_t, 8> virtuals{};
    std::size_t count = 0;
    for (const net::MacAddress& peer : peers) {
        const std::uint64_t mac = number(peer);
        if (const auto position = virtual_position(mac)) {
            virtuals[*position / 64] |= std::uint64_t{1} << (*position % 64);
        } else if (count < kMaxStations && mac != 0) {
            stations[count++] = mac;
        }
    }
    for (std::size_t i = 0; i < kMaxStations; ++i) {
        stations_[i].store(stations[i], std::memory_order_relaxed);
    }
    for (std::size_t i = 0; i < virtuals.size(); ++i) {
        virtual_[i].store(virtuals[i], std::memory_order_relaxed);
    }
}

bool VrrpPeers::contains(const net::MacAddress& mac) const noexcept {
    const std::uint64_t wanted = number(mac);
    if (const auto position = virtual_position(wanted)) {
        return (virtual_[*position / 64].load(std::memory_order_relaxed) >> (*position % 64) &
                1U) != 0;
    }
    for (const auto& station : stations_) {
        const std::uint64_t known = station.load(std::memory_order_relaxed);
        if (known == 0) return false;
        if (known == wanted) return true;
    }
    return false;
}

}  // namespace pollux::dpdk
