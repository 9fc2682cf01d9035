// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/runtime_options.h"

namespace pollux::control {
namespace {

std::string to_text(IovaMode mode) {
    switch (mode) {
        case IovaMode::Auto:
            return "";
        case IovaMode::Va:
            return "va";
        case IovaMode::Pa:
            return "pa";
    }
    return "";
}

}  // namespace

dpdk::RuntimeOptions to_runtime_options(const Config& config) {
    const DpdkConfig& dpdk = config.dpdk;
    dpdk::RuntimeOptions options;
    options.program = "polluxd";
    options.file_prefix = dpdk.file_prefix;
    options.control_lcore = std::to_string(dpdk.control_lcore);
    options.worker_cpus = dpdk.worker_lcores;
    options.memory_mib = static_cast<unsigned>(dpdk.hugepage_mem >> 20U);
    options.hugepages = dpdk.hugepages;
    options.in_memory = dpdk.in_memory;
    options.iova_mode = to_text(dpdk.iova_mode);
    options.mbufs_per_port = dpdk.mbufs_per_port;
    options.burst = dpdk.burst;
    options.idle =
        dpdk.idle == IdleMode::Adaptive ? dpdk::IdleMode::Adaptive : dpdk::IdleMode::Poll;
    options.extra_eal_args = dpdk.extra_eal_args;
    for (const PortConfig& port : config.ports) {
        dpdk::PortOptions port_options;
        port_options.name = port.name;
        port_options.pci = port.pci;
        port_options.vdev = port.vdev;
        port_options.rx_descriptors = port.rx_desc;
        port_options.tx_descriptors = port.tx_desc;
        port_options.mtu = port.mtu;
        port_options.rss = port.rss;
        port_options.promiscuous = port.promiscuous;
        options.ports.push_back(std::move(port_options));
    }
    return options;
}

}  // namespace pollux::control
