// SPDX-License-Identifier: Apache-2.0
#pragma once

// What DPDK's capability flags do not say about drivers, one row each: measured behaviour that
// decides how a port is brought up. A driver without a row is treated as a physical NIC's.

#include <cstdint>
#include <span>
#include <string_view>

namespace pollux::dpdk {

// The kernel interface that a virtual device names with iface=.
enum class InterfaceUse : std::uint8_t {
    None,
    Creates,   // a TAP: must not exist yet
    Attaches,  // must exist
};

struct DriverTraits {
    std::string_view name;  // as in rte_eth_dev_info.driver_name and in vdev texts
    InterfaceUse interface_use = InterfaceUse::None;
    bool equal_queues = false;           // refuses unequal numbers of rx and tx queues
    bool polls_all_rx = false;           // receives on every queue of its own making: poll them all
    bool unfiltered = false;             // delivers every frame whatever its destination MAC
    bool software_checksums = false;     // its checksum "offload" is a loop on the worker's CPU
    bool kernel_sees_frames = false;     // the kernel processes the received frames, too
    std::uint16_t most_queues = 0;       // fewer than it offers; 0: what it offers
    std::uint32_t fixed_rx_buffers = 0;  // mbufs that a rx queue takes whatever its descriptors
    std::uint64_t capabilities = 0;      // Linux capabilities, as a mask of 1 << CAP_...
    std::span<const std::string_view> argument_keys = {};  // empty: not checked
};

// nullptr: no row.
const DriverTraits* find_driver_traits(std::string_view driver) noexcept;

}  // namespace pollux::dpdk
