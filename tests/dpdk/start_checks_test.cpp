// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/start_checks.h"

#include <cerrno>

#include <gtest/gtest.h>
#include <linux/capability.h>

namespace pollux::dpdk {
namespace {

constexpr std::uint64_t kMebibyte = 1024 * 1024;

RuntimeOptions good_options() {
    RuntimeOptions options;
    options.worker_cpus = {1};
    PortOptions port;
    port.name = "wan";
    port.vdev = "net_tap0,iface=tap7";
    options.ports.push_back(port);
    return options;
}

HostFacts good_host() {
    HostFacts host;
    host.hugepages = {{0, 2 * kMebibyte, 256, 256}};
    host.hugetlbfs_mounted = true;
    host.capabilities = ~std::uint64_t{0};
    host.cpu_usable = {{0, true}, {1, true}};
    host.interfaces["eth0"] = {.exists = true, .up = true, .index = 2, .driver = "veth"};
    host.pci["0000:3b:00.0"] = {.exists = true, .driver = "vfio-pci", .vfio_group = "/dev/vfio/9"};
    return host;
}

TEST(StartChecks, PassAGoodConfiguration) {
    const Status status = check_start(good_options(), good_host());
    EXPECT_TRUE(status) << status.error().message;
}

struct Mistake {
    const char* name;
    void (*make)(RuntimeOptions&, HostFacts&);
    const char* message;  // part of it
    const char* remedy;   // part of it
};

const Mistake kMistakes[] = {
    {"no_workers", [](RuntimeOptions& o, HostFacts&) { o.worker_cpus.clear(); }, "0 workers",
     "1 to 64"},
    {"no_ports", [](RuntimeOptions& o, HostFacts&) { o.ports.clear(); }, "0 ports", "1 to 32"},
    {"burst", [](RuntimeOptions& o, HostFacts&) { o.burst = 65; }, "burst is 65", "1 to 64"},
    {"prefix", [](RuntimeOptions& o, HostFacts&) { o.file_prefix = "../x"; }, "'../x'", "letters"},
    {"help", [](RuntimeOptions& o, HostFacts&) { o.extra_eal_args = {"--help"}; }, "'--help'",
     "configuration key"},
    {"own_key", [](RuntimeOptions& o, HostFacts&) { o.extra_eal_args = {"--file-prefix=a"}; },
     "set by Pollux itself", "configuration key"},
    {"iova", [](RuntimeOptions& o, HostFacts&) { o.iova_mode = "dc"; }, "'dc' is unknown", "va"},
    {"iova_pa_without_hugepages",
     [](RuntimeOptions& o, HostFacts&) {
         o.iova_mode = "pa";
         o.hugepages = false;
     },
     "needs hugepages", "va"},
    {"control_cpu", [](RuntimeOptions& o, HostFacts&) { o.control_lcore = "first"; },
     "'first' is not a CPU number", "/proc/cpuinfo"},
    {"worker_cpu",
     [](RuntimeOptions& o, HostFacts&) {
         o.worker_cpus = {1, 17};
     },
     "CPU 17 does not exist", "lscpu"},
    {"cpu_not_allowed", [](RuntimeOptions&, HostFacts& h) { h.cpu_usable[1] = false; },
     "CPU 1 does not exist or is not allowed", "cpuset"},
    {"no_hugepages",
     [](RuntimeOptions&, HostFacts& h) { h.hugepages[0].total = h.hugepages[0].free = 0; },
     "NUMA node 0: 0 of 0 pages of 2048 kB free", "sysctl -w vm.nr_hugepages=128"},
    {"hugepages_taken", [](RuntimeOptions&, HostFacts& h) { h.hugepages[0].free = 10; },
     "256 MiB of hugepages are needed (NUMA node 0: 10 of 256 pages of 2048 kB free)", "=128"},
    {"no_hugepage_support", [](RuntimeOptions&, HostFacts& h) { h.hugepages.clear(); },
     "no hugepage support", "hugepages = false"},
    {"no_hugetlbfs",
     [](RuntimeOptions& o, HostFacts& h) {
         o.in_memory = false;
         h.hugetlbfs_mounted = false;
     },
     "no hugetlbfs is mounted", "mount -t hugetlbfs"},
    {"memory_too_small",
     [](RuntimeOptions& o, HostFacts&) {
         o.hugepages = false;
         o.memory_mib = 16;
     },
     "limited to 16 MiB", "mbufs_per_port"},
    {"same_name", [](RuntimeOptions& o, HostFacts&) { o.ports.push_back(o.ports[0]); },
     "two ports are called 'wan'", "rename"},
    {"neither_pci_nor_vdev", [](RuntimeOptions& o, HostFacts&) { o.ports[0].vdev = ""; },
     "exactly one of pci and vdev", "PCI address"},
    {"bad_vdev", [](RuntimeOptions& o, HostFacts&) { o.ports[0].vdev = "net_tap0,ifaces=x"; },
     "port 'wan': net_tap has no argument 'ifaces'", "iface, remote, mac, persist"},
    {"no_privileges",
     [](RuntimeOptions&, HostFacts& h) { h.capabilities &= ~(std::uint64_t{1} << CAP_NET_ADMIN); },
     "net_tap needs more privileges", "run as root"},
    {"tap_in_use",
     [](RuntimeOptions&, HostFacts& h) {
         h.interfaces["tap7"] = {.exists = true, .driver = "tun", .tap_holder = "polluxd (pid 7)"};
     },
     "TAP tap7 is in use by polluxd (pid 7)", "stop that process"},
    {"tap_left_over",
     [](RuntimeOptions&, HostFacts& h) {
         h.interfaces["tap7"] = {.exists = true, .driver = "tun"};
     },
     "tap7 exists already", "ip link delete tap7"},
    {"tap_is_a_nic", [](RuntimeOptions& o, HostFacts&) { o.ports[0].vdev = "net_tap0,iface=eth0"; },
     "eth0 exists already", "another iface="},
    {"tap_name_too_long",
     [](RuntimeOptions& o, HostFacts&) { o.ports[0].vdev = "net_tap0,iface=sixteencharacter"; },
     "is not an interface name", "15"},
    {"interface_missing",
     [](RuntimeOptions& o, HostFacts&) { o.ports[0].vdev = "net_af_packet0,iface=eth9"; },
     "there is no interface eth9", "ip link"},
    {"interface_not_named", [](RuntimeOptions& o, HostFacts&) { o.ports[0].vdev = "net_af_xdp0"; },
     "needs a kernel interface", "net_af_xdp0,iface="},
    {"device_twice",
     [](RuntimeOptions& o, HostFacts&) {
         o.ports.push_back(o.ports[0]);
         o.ports[1].name = "lan";
         o.ports[1].vdev = "net_tap0,iface=tap8";
     },
     "port 'lan': net_tap0 is another port's device", "own device"},
    {"interface_twice",
     [](RuntimeOptions& o, HostFacts&) {
         o.ports.push_back(o.ports[0]);
         o.ports[1].name = "lan";
         o.ports[1].vdev = "net_tap1,iface=tap7";
     },
     "tap7 is another port's interface", "own interface"},
    {"pci_missing",
     [](RuntimeOptions& o, HostFacts&) {
         o.ports[0].vdev = "";
         o.ports[0].pci = "0000:ff:00.0";
     },
     "no PCI device 0000:ff:00.0", "dpdk-devbind.py --status"},
    {"pci_kernel_driver",
     [](RuntimeOptions& o, HostFacts& h) {
         o.ports[0].vdev = "";
         o.ports[0].pci = "0000:3b:00.0";
         h.pci["0000:3b:00.0"].driver = "ixgbe";
     },
     "bound to the kernel driver ixgbe", "dpdk-devbind.py --bind=vfio-pci 0000:3b:00.0"},
    {"pci_in_use",
     [](RuntimeOptions& o, HostFacts& h) {
         o.ports[0].vdev = "";
         o.ports[0].pci = "0000:3b:00.0";
         h.pci["0000:3b:00.0"].vfio_open_errno = EBUSY;
     },
     "0000:3b:00.0 is in use by another process", "fuser -v /dev/vfio/9"},
    {"pci_not_permitted",
     [](RuntimeOptions& o, HostFacts& h) {
         o.ports[0].vdev = "";
         o.ports[0].pci = "0000:3b:00.0";
         h.pci["0000:3b:00.0"].vfio_open_errno = EACCES;
     },
     "cannot open /dev/vfio/9: Permission denied", "run as root"},
};

class StartMistake : public testing::TestWithParam<Mistake> {};

TEST_P(StartMistake, IsNamedWithItsRemedy) {
    RuntimeOptions options = good_options();
    HostFacts host = good_host();
    GetParam().make(options, host);
    const Status status = check_start(options, host);
    ASSERT_FALSE(status);
    EXPECT_NE(status.error().message.find(GetParam().message), std::string::npos)
        << status.error().message;
    EXPECT_NE(status.error().remedy.find(GetParam().remedy), std::string::npos)
        << status.error().remedy;
}

INSTANTIATE_TEST_SUITE_P(Mistakes, StartMistake, testing::ValuesIn(kMistakes),
                         [](const auto& mistake) { return std::string(mistake.param.name); });

TEST(StartChecks, LetAPersistentTapBeReused) {
    RuntimeOptions options = good_options();
    HostFacts host = good_host();
    options.ports[0].vdev += ",persist";
    host.interfaces["tap7"] = {.exists = true, .driver = "tun"};
    EXPECT_TRUE(check_start(options, host));
}

TEST(StartChecks, LetOneInterfaceServeSeveralXdpPorts) {
    RuntimeOptions options = good_options();
    options.ports[0].vdev = "net_af_xdp0,iface=eth0,start_queue=0";
    options.ports.push_back(options.ports[0]);
    options.ports[1].name = "second";
    options.ports[1].vdev = "net_af_xdp1,iface=eth0,start_queue=1";
    const Status status = check_start(options, good_host());
    EXPECT_TRUE(status) << status.error().message;
}

TEST(StartChecks, NeedNoHugepagesWithoutThem) {
    RuntimeOptions options = good_options();
    HostFacts host = good_host();
    options.hugepages = false;
    host.hugepages.clear();
    EXPECT_TRUE(check_start(options, host));
}

}  // namespace
}  // namespace pollux::dpdk
