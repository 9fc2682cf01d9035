// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a worker thread does with the frames it receives: lb::Worker's operations as plain function
// pointers, called once per burst. The product binds a DataPlane's workers; tests and tools bind
// their own. Every function is the worker thread's and has lb::Worker's contract.

#include <span>

#include "dataplane/lb/data_plane.h"

namespace pollux::dpdk {

struct BurstProcessor {
    void* context = nullptr;
    void (*process)(void* context, std::span<lb::Packet> burst, lb::TimePoint now,
                    lb::ExtraPackets& extra) noexcept = nullptr;
    void (*account_failed)(void* context, const lb::Packet& packet,
                           lb::DropReason reason) noexcept = nullptr;
    void (*quiescent)(void* context) noexcept = nullptr;
    void (*offline)(void* context) noexcept = nullptr;
    void (*online)(void* context) noexcept = nullptr;
};

}  // namespace pollux::dpdk
