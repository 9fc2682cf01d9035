// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/buffer_pools.h"

#include <cassert>
#include <utility>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>

#include "dataplane/dpdk/buffer_sizes.h"
#include "dataplane/dpdk/punt_info.h"

namespace pollux::dpdk {
namespace {

struct PoolShape {
    std::string name;
    std::uint32_t buffers = 0;
    std::uint32_t cache = 0;
    std::uint16_t room = kFrameRoom;
    int node = 0;
    bool cpus_shared = false;
};

// What rte_pktmbuf_pool_create does, with a choice of layout and of waiting.
rte_mempool* create_pool(const PoolShape& shape) {
    // Without a need for physical contiguity buffers may lie across pages: without hugepages that
    // saves a third of the memory, and net_af_xdp demands it (it computes the size of its memory
    // from the number of buffers, and never sends or receives in those beyond).
    const bool dense = rte_eal_iova_mode() == RTE_IOVA_VA;
    const unsigned flags = dense ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0;
    rte_pktmbuf_pool_private layout{};
    layout.mbuf_data_room_size = static_cast<std::uint16_t>(kHeadroom + shape.room);
    layout.mbuf_priv_size = kPrivateSize;
    const auto size =
        static_cast<unsigned>(sizeof(rte_mbuf) + kPrivateSize + kHeadroom + shape.room);
    rte_mempool* pool = rte_mempool_create_empty(shape.name.c_str(), shape.buffers, size,
                                                 shape.cache, sizeof layout, shape.node, flags);
    if (pool == nullptr) return nullptr;
    // The default ring makes a thread wait for another one that was preempted inside the pool,
    // for a whole time slice when they share the CPU; the lock-free stack does not.
    const char* kind = shape.cpus_shared ? "lf_stack" : rte_mbuf_best_mempool_ops();
    if (rte_mempool_set_ops_byname(pool, kind, nullptr) == 0) {
        rte_pktmbuf_pool_init(pool, &layout);
        if (rte_mempool_populate_default(pool) >= 0) {
            rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
            return pool;
        }
    }
    rte_mempool_free(pool);
    return nullptr;
}

Error pool_error(const PoolShape& shape) {
    const std::uint64_t bytes = std::uint64_t{shape.buffers} * (shape.room + kBufferOverhead);
    return Error{"cannot get " + std::to_string(bytes / (1024 * 1024) + 1) + " MiB for " +
                     std::to_string(shape.buffers) + " packet buffers on NUMA node " +
                     std::to_string(shape.node) + ": " + rte_strerror(rte_errno),
                 "lower mbufs_per_port, or give more memory (dpdk.hugepage_mem; "
                 "dpdk-hugepages.py --show lists what is reserved)"};
}

}  // namespace

Result<BufferPools> BufferPools::create(const PoolRequest& request) {
    BufferPools pools;
    const auto add = [&request](PoolShape shape, rte_mempool*& pool) -> Status {
        shape.cpus_shared = request.cpus_shared;
        pool = create_pool(shape);
        if (pool == nullptr) return pool_error(shape);
        return ok_status();
    };
    for (const auto& [node, buffers] : request.data_buffers) {
        const PoolShape shape{"pollux_data_" + std::to_string(node), buffers, kDataCache,
                              request.frame_room, node};
        if (Status status = add(shape, pools.data_[node]); !status) return status.error();
    }
    const PoolShape punt{"pollux_punt", punt_pool_size(request.workers), kControlCache,
                         request.frame_room, request.control_node};
    if (Status status = add(punt, pools.punt_); !status) return status.error();
    const PoolShape control{"pollux_control", control_pool_size(request.workers, request.ports),
                            kControlCache, request.frame_room, request.control_node};
    if (Status status = add(control, pools.control_); !status) return status.error();
    return pools;
}

BufferPools::BufferPools(BufferPools&& other) noexcept {
    *this = std::move(other);
}

BufferPools& BufferPools::operator=(BufferPools&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(punt_, other.punt_);
    std::swap(control_, other.control_);
    return *this;
}

BufferPools::~BufferPools() {
    for (const auto& [node, pool] : data_) rte_mempool_free(pool);
    rte_mempool_free(punt_);
    rte_mempool_free(control_);
}

rte_mempool& BufferPools::data(int node) const {
    const auto found = data_.find(node);
    assert(found != data_.end());
    return *found->second;
}

std::vector<PoolView> BufferPools::views() const {
    std::vector<PoolView> views;
    const auto add = [&views](const rte_mempool* pool) {
        if (pool != nullptr)
            views.push_back({pool->name, pool->size, rte_mempool_avail_count(pool)});
    };
    for (const auto& [node, pool] : data_) add(pool);
    add(punt_);
    add(control_);
    return views;
}

}  // namespace pollux::dpdk
