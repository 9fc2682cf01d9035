// SPDX-License-Identifier: Apache-2.0
#include "control/config/memory.h"

#include "control/config/values.h"

namespace pollux::control {

namespace {

// docs/architecture.md: a 64-byte record and two index slots of 8 bytes at 80 % load, rounded to
// the bound that the connection table is held to.
constexpr std::uint64_t kConnectionBytes = 96;
constexpr std::uint64_t kServiceBytes = 512;
constexpr std::uint64_t kServerBytes = 256;
constexpr std::uint64_t kFragmentBytes = 64;
// struct rte_mbuf, headroom and 2 KiB of data, with the mempool's object header.
constexpr std::uint64_t kMbufBytes = 2432;

}  // namespace

std::vector<MemoryItem> table_memory(const Config& config) {
    const ConntrackConfig& sizes = config.conntrack;
    return {
        {"connections", sizes.max_connections * kConnectionBytes},
        {"templates", sizes.max_templates * kConnectionBytes},
        {"services", sizes.max_services * kServiceBytes},
        {"servers", sizes.max_servers * kServerBytes},
        {"fragments", sizes.max_fragments * kFragmentBytes},
    };
}

std::uint64_t mbuf_memory(const Config& config) {
    return config.ports.size() * std::uint64_t{config.dpdk.mbufs_per_port} * kMbufBytes;
}

std::string memory_estimate(const Config& config) {
    std::string text = "memory: ";
    std::uint64_t total = 0;
    for (const MemoryItem& item : table_memory(config)) {
        text += item.what + " " + format_size(item.bytes) + ", ";
        total += item.bytes;
    }
    return text + "together " + format_size(total) + "; packet buffers " +
           format_size(mbuf_memory(config)) + " of " + format_size(config.dpdk.hugepage_mem) + "\n";
}

}  // namespace pollux::control
