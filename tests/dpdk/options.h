// SPDX-License-Identifier: Apache-2.0
#pragma once

// RuntimeOptions of a size that suits tests: no hugepages, few buffers, all threads on the CPUs
// that this process may use.

#include <initializer_list>
#include <string>

#include <unistd.h>

#include "dataplane/dpdk/runtime.h"

namespace pollux::test {

inline dpdk::RuntimeOptions small_options(std::initializer_list<const char*> vdevs,
                                          unsigned workers) {
    dpdk::RuntimeOptions options;
    options.program = "test";
    options.file_prefix = "pollux-test-" + std::to_string(getpid());
    options.hugepages = false;
    options.memory_mib = 96;
    options.mbufs_per_port = 8192;
    options.worker_cpus.assign(workers, 0);
    for (const char* vdev : vdevs) {
        dpdk::PortOptions port;
        port.name = "port" + std::to_string(options.ports.size());
        port.vdev = vdev;
        port.rx_descriptors = port.tx_descriptors = 256;
        options.ports.push_back(port);
    }
    return options;
}

}  // namespace pollux::test
