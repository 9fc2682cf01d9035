// SPDX-License-Identifier: Apache-2.0
#pragma once

// The mbuf pools: received frames by NUMA node, copies for the control core, frames that the
// control core sends. Separate pools, so that a flood of data leaves control traffic its buffers
// (decision D12, threat T-17). Control thread creates; workers and control allocate and free.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "dataplane/dpdk/runtime.h"
#include "dataplane/net/result.h"

struct rte_mempool;

namespace pollux::dpdk {

struct PoolRequest {
    std::map<int, std::uint32_t> data_buffers;  // by NUMA node
    std::uint16_t frame_room = 2048;            // bytes after the headroom
    std::uint32_t workers = 1, ports = 1;
    int control_node = 0;
    bool cpus_shared = false;  // threads of ours share a CPU: pools must not wait for one another
};

class BufferPools {
  public:
    BufferPools() = default;
    static Result<BufferPools> create(const PoolRequest& request);
    BufferPools(BufferPools&& other) noexcept;
    BufferPools& operator=(BufferPools&& other) noexcept;
    ~BufferPools();  // every port that uses them is closed by then

    [[nodiscard]] rte_mempool& data(int node) const;
    // The pool for frames that workers make themselves.
    [[nodiscard]] rte_mempool& any_data() const { return *data_.begin()->second; }
    [[nodiscard]] rte_mempool& punt() const { return *punt_; }
    [[nodiscard]] rte_mempool& control() const { return *control_; }
    [[nodiscard]] bool single_data_pool() const { return data_.size() == 1; }
    [[nodiscard]] std::vector<PoolView> views() const;

  private:
    std::map<int, rte_mempool*> data_;
    rte_mempool* punt_ = nullptr;
    rte_mempool* control_ = nullptr;
};

}  // namespace pollux::dpdk
