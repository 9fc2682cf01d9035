// SPDX-License-Identifier: Apache-2.0

// To be preloaded into polluxd: while the file exists that REFUSING_PORT names, DPDK's drivers take
// no further MAC address and no promiscuous mode, as some cards' do. None of the virtual devices is
// like that.

#include <cerrno>
#include <cstdint>
#include <cstdlib>

#include <dlfcn.h>
#include <unistd.h>

namespace {

bool refuses() {
    const char* file = std::getenv("REFUSING_PORT");
    return file != nullptr && access(file, F_OK) == 0;
}

template <typename Function>
Function real(const char* name) {
    return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

struct rte_ether_addr;

extern "C" int rte_eth_dev_mac_addr_add(std::uint16_t port, rte_ether_addr* mac,
                                        std::uint32_t pool) {
    if (refuses()) return -ENOTSUP;
    using Function = int (*)(std::uint16_t, rte_ether_addr*, std::uint32_t);
    return real<Function>("rte_eth_dev_mac_addr_add")(port, mac, pool);
}

extern "C" int rte_eth_promiscuous_enable(std::uint16_t port) {
    if (refuses()) return -ENOTSUP;
    return real<int (*)(std::uint16_t)>("rte_eth_promiscuous_enable")(port);
}

// So that a port that may take the MAC is as it was before when it is taken away.
extern "C" int rte_eth_promiscuous_disable(std::uint16_t /*port*/) {
    return 0;
}
