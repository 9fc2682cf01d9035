// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/host_facts.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/dpdk/vdev_text.h"

namespace pollux::dpdk {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

std::optional<std::uint64_t> number_after(std::string_view text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return std::nullopt;
    text.remove_prefix(prefix.size());
    std::uint64_t value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc{}) return std::nullopt;
    return value;
}

std::vector<HugepageFacts> read_hugepages() {
    std::vector<HugepageFacts> facts;
    std::error_code error;
    for (const auto& node : fs::directory_iterator("/sys/devices/system/node", error)) {
        const auto number = number_after(node.path().filename().string(), "node");
        if (!number) continue;
        for (const auto& size : fs::directory_iterator(node.path() / "hugepages", error)) {
            const auto kib = number_after(size.path().filename().string(), "hugepages-");
            if (!kib) continue;
            HugepageFacts row{static_cast<unsigned>(*number), *kib * 1024, 0, 0};
            row.total = number_after(first_line(size.path() / "nr_hugepages"), "").value_or(0);
            row.free = number_after(first_line(size.path() / "free_hugepages"), "").value_or(0);
            facts.push_back(row);
        }
    }
    return facts;
}

bool hugetlbfs_is_mounted() {
    std::ifstream mounts("/proc/self/mounts");
    for (std::string line; std::getline(mounts, line);) {
        if (line.find(" hugetlbfs ") != std::string::npos) return true;
    }
    return false;
}

std::uint64_t read_capabilities() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("CapEff:")) return std::stoull(line.substr(7), nullptr, 16);
    }
    return 0;
}

// EAL ends the process when a thread cannot be pinned, so each CPU is tried beforehand.
std::map<unsigned, bool> try_cpus(const RuntimeOptions& options) {
    std::map<unsigned, bool> usable;
    cpu_set_t before;
    if (sched_getaffinity(0, sizeof before, &before) != 0) return usable;
    std::vector<unsigned> cpus = options.worker_cpus;
    if (const auto control = number_after(options.control_lcore, "")) {
        cpus.push_back(static_cast<unsigned>(*control));
    }
    for (const unsigned cpu : cpus) {
        cpu_set_t set;
        CPU_ZERO(&set);
        if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
        usable[cpu] = cpu < CPU_SETSIZE && sched_setaffinity(0, sizeof set, &set) == 0;
    }
    sched_setaffinity(0, sizeof before, &before);
    return usable;
}

// The kernel names the interface of a TAP in /proc/PID/fdinfo/FD ("iff: NAME").
std::string find_tap_holder(const std::string& interface) {
    const std::string wanted = "iff:\t" + interface;
    std::error_code error;
    for (const auto& process : fs::directory_iterator("/proc", error)) {
        const auto pid = number_after(process.path().filename().string(), "");
        if (!pid) continue;
        for (const auto& fd : fs::directory_iterator(process.path() / "fdinfo", error)) {
            std::ifstream info(fd.path());
            for (std::string line; std::getline(info, line);) {
                if (line != wanted) continue;
                return first_line(process.path() / "comm") + " (pid " + std::to_string(*pid) + ")";
            }
        }
    }
    return "";
}

std::string driver_of_interface(int socket, ifreq request) {
    ethtool_drvinfo info{};
    info.cmd = ETHTOOL_GDRVINFO;
    request.ifr_data = reinterpret_cast<char*>(&info);
    if (ioctl(socket, SIOCETHTOOL, &request) != 0) return "";
    return info.driver;
}

std::vector<std::string> addresses_of_interface(const std::string& name) {
    std::vector<std::string> addresses;
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0) return addresses;
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr || name != entry->ifa_name) continue;
        std::array<char, INET6_ADDRSTRLEN> text{};
        const sockaddr* address = entry->ifa_addr;
        const void* bytes = nullptr;
        if (address->sa_family == AF_INET) {
            bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
        } else if (address->sa_family == AF_INET6) {
            bytes = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
        }
        if (bytes == nullptr) continue;
        if (inet_ntop(address->sa_family, bytes, text.data(), text.size()) != nullptr) {
            addresses.emplace_back(text.data());
        }
    }
    freeifaddrs(list);
    return addresses;
}

PciFacts read_pci(const std::string& address) {
    const fs::path device = fs::path("/sys/bus/pci/devices") / address;
    PciFacts facts;
    std::error_code error;
    facts.exists = fs::exists(device, error);
    if (!facts.exists) return facts;
    facts.driver = fs::read_symlink(device / "driver", error).filename().string();
    if (facts.driver != "vfio-pci") return facts;
    const std::string group = fs::read_symlink(device / "iommu_group", error).filename().string();
    facts.vfio_group = "/dev/vfio/" + group;
    if (!fs::exists(facts.vfio_group, error)) facts.vfio_group = "/dev/vfio/noiommu-" + group;
    const int fd = open(facts.vfio_group.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        facts.vfio_open_errno = errno;
    } else {
        close(fd);
    }
    return facts;
}

}  // namespace

InterfaceFacts read_interface_facts(const std::string& name) {
    InterfaceFacts facts;
    facts.index = if_nametoindex(name.c_str());
    facts.exists = facts.index != 0;
    if (!facts.exists) return facts;
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return facts;
    ifreq request{};
    std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
    facts.driver = driver_of_interface(socket, request);
    if (ioctl(socket, SIOCGIFFLAGS, &request) == 0) {
        facts.up = (static_cast<unsigned>(request.ifr_flags) & IFF_UP) != 0;
    }
    close(socket);
    facts.addresses = addresses_of_interface(name);
    if (facts.driver == "tun") facts.tap_holder = find_tap_holder(name);
    return facts;
}

HostFacts read_host_facts(const RuntimeOptions& options) {
    HostFacts facts;
    facts.hugepages = read_hugepages();
    facts.hugetlbfs_mounted = hugetlbfs_is_mounted();
    facts.capabilities = read_capabilities();
    facts.cpu_usable = try_cpus(options);
    for (const PortOptions& port : options.ports) {
        if (!port.pci.empty()) facts.pci[port.pci] = read_pci(port.pci);
        const Result<VdevText> vdev = parse_vdev(port.vdev);
        if (!vdev) continue;
        if (const auto interface = vdev->find("iface")) {
            const std::string name(*interface);
            facts.interfaces[name] = read_interface_facts(name);
        }
    }
    return facts;
}

}  // namespace pollux::dpdk
