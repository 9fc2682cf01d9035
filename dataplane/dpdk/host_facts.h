// SPDX-License-Identifier: Apache-2.0
#pragma once

// What start_checks needs to know about this machine, as plain values: read once before EAL
// starts, made by hand in tests. Control thread.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "dataplane/dpdk/runtime.h"

namespace pollux::dpdk {

struct HugepageFacts {
    unsigned numa_node = 0;
    std::uint64_t page_bytes = 0;
    std::uint64_t total = 0, free = 0;  // pages
};

struct InterfaceFacts {
    bool exists = false;
    bool up = false;
    unsigned index = 0;
    std::string driver = "";               // "veth", "tun", "ixgbe", ...
    std::vector<std::string> addresses{};  // text, without prefix length
    std::string tap_holder{};              // "polluxd (pid 12)" when a process has this TAP open
};

struct PciFacts {
    bool exists = false;
    std::string driver{};      // bound kernel driver; "" = none
    std::string vfio_group{};  // "/dev/vfio/12" when bound to vfio-pci
    int vfio_open_errno = 0;   // of a trial open of the group
};

struct HostFacts {
    std::vector<HugepageFacts> hugepages;  // by node and size
    bool hugetlbfs_mounted = false;
    std::uint64_t capabilities = 0;                    // effective, mask of 1 << CAP_...
    std::map<unsigned, bool> cpu_usable;               // for the CPUs that the options name
    std::map<std::string, InterfaceFacts> interfaces;  // by name, for iface= arguments
    std::map<std::string, PciFacts> pci;               // by address
};

HostFacts read_host_facts(const RuntimeOptions& options);
InterfaceFacts read_interface_facts(const std::string& name);

}  // namespace pollux::dpdk
