// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/driver_traits.h"

#include <array>

#include <linux/capability.h>

namespace pollux::dpdk {
namespace {

using Keys = std::string_view;

constexpr std::array kTapKeys{Keys("iface"), Keys("remote"), Keys("mac"), Keys("persist")};
constexpr std::array kAfPacketKeys{Keys("iface"),   Keys("qpairs"),   Keys("blocksz"),
                                   Keys("framesz"), Keys("framecnt"), Keys("qdisc_bypass")};
constexpr std::array kAfXdpKeys{Keys("iface"),       Keys("start_queue"), Keys("queue_count"),
                                Keys("shared_umem"), Keys("xdp_prog"),    Keys("busy_budget"),
                                Keys("force_copy")};
constexpr std::array kNullKeys{Keys("size"), Keys("copy"), Keys("no-rx")};
constexpr std::array kMemifKeys{Keys("id"),    Keys("role"),      Keys("bsize"),
                                Keys("rsize"), Keys("socket"),    Keys("socket-abstract"),
                                Keys("mac"),   Keys("zero-copy"), Keys("secret")};

constexpr std::uint64_t kNetAdmin = std::uint64_t{1} << CAP_NET_ADMIN;
constexpr std::uint64_t kNetRaw = std::uint64_t{1} << CAP_NET_RAW;

constexpr std::array kRows{
    DriverTraits{.name = "net_tap",
                 .interface_use = InterfaceUse::Creates,
                 .equal_queues = true,
                 .unfiltered = true,
                 .software_checksums = true,
                 .capabilities = kNetAdmin,
                 .argument_keys = kTapKeys},
    DriverTraits{.name = "net_af_packet",
                 .interface_use = InterfaceUse::Attaches,
                 .polls_all_rx = true,  // the kernel's fanout fills all of its sockets
                 .kernel_sees_frames = true,
                 .capabilities = kNetAdmin | kNetRaw,
                 .argument_keys = kAfPacketKeys},
    DriverTraits{.name = "net_af_xdp",
                 .interface_use = InterfaceUse::Attaches,
                 .polls_all_rx = true,  // a queue without its socket passes frames to the kernel
                 .fixed_rx_buffers = 2048,
                 .capabilities = kNetAdmin | kNetRaw,
                 .argument_keys = kAfXdpKeys},
    DriverTraits{.name = "net_null", .unfiltered = true, .argument_keys = kNullKeys},
    DriverTraits{.name = "net_ring", .unfiltered = true},
    // Both ends must have the same numbers of queues, or they do not connect.
    DriverTraits{
        .name = "net_memif", .unfiltered = true, .most_queues = 1, .argument_keys = kMemifKeys},
    DriverTraits{.name = "net_pcap", .unfiltered = true},
};

}  // namespace

const DriverTraits* find_driver_traits(std::string_view driver) noexcept {
    for (const DriverTraits& row : kRows) {
        if (row.name == driver) return &row;
    }
    return nullptr;
}

}  // namespace pollux::dpdk
