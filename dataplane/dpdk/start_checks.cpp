// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/start_checks.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <set>
#include <string_view>

#include <linux/capability.h>

#include "dataplane/dpdk/buffer_sizes.h"
#include "dataplane/dpdk/driver_traits.h"
#include "dataplane/dpdk/vdev_text.h"

namespace pollux::dpdk {
namespace {

constexpr std::uint64_t kMebibyte = 1024 * 1024;
// What EAL, drivers and rings take besides packet buffers.
constexpr std::uint64_t kRuntimeBytes = 12 * kMebibyte;

std::string port_text(const PortOptions& port) {
    return "port '" + port.name + "': ";
}

std::uint64_t round_up_to_mebibytes(std::uint64_t bytes) {
    return (bytes + kMebibyte - 1) / kMebibyte;
}

bool is_plain_name(std::string_view text) {
    return !text.empty() && text.size() <= 64 && text != "." && text != ".." &&
           text.find_first_of("/ \t\n") == std::string_view::npos;
}

Status check_numbers(const RuntimeOptions& options) {
    if (options.worker_cpus.empty() || options.worker_cpus.size() > kMaxWorkers) {
        return Error{std::to_string(options.worker_cpus.size()) + " workers are wanted",
                     "give 1 to " + std::to_string(kMaxWorkers) + " worker CPUs"};
    }
    if (options.ports.empty() || options.ports.size() > kMaxPorts) {
        return Error{std::to_string(options.ports.size()) + " ports are configured",
                     "configure 1 to " + std::to_string(kMaxPorts) + " ports"};
    }
    if (options.burst < 1 || options.burst > 64) {
        return Error{"burst is " + std::to_string(options.burst), "use 1 to 64 packets"};
    }
    if (!is_plain_name(options.file_prefix)) {
        return Error{"file prefix '" + options.file_prefix + "' is not a file name",
                     "use letters, digits, '-' and '_'"};
    }
    return ok_status();
}

Status check_eal_arguments(const RuntimeOptions& options) {
    // Options with a key of their own; -h would end the process; secondaries share our memory.
    constexpr std::array<std::string_view, 24> kOwn{
        "-h",          "--help",       "-v",          "--version",   "-l",
        "--lcores",    "-c",           "-s",          "-S",          "-m",
        "--vdev",      "-a",           "--allow",     "-b",          "--block",
        "--no-pci",    "--no-huge",    "--in-memory", "--no-shconf", "--file-prefix",
        "--proc-type", "--main-lcore", "--iova-mode", "--socket-mem"};
    for (const std::string& argument : options.extra_eal_args) {
        const std::string_view name = std::string_view(argument).substr(0, argument.find('='));
        if (std::find(kOwn.begin(), kOwn.end(), name) == kOwn.end()) continue;
        return Error{"extra EAL argument '" + argument + "' is set by Pollux itself",
                     "use the configuration key for it"};
    }
    constexpr std::array<std::string_view, 3> kModes{"", "va", "pa"};
    if (std::find(kModes.begin(), kModes.end(), options.iova_mode) == kModes.end()) {
        return Error{"IOVA mode '" + options.iova_mode + "' is unknown", "use va, pa or nothing"};
    }
    if (options.iova_mode == "pa" && !options.hugepages) {
        return Error{"IOVA mode pa needs hugepages", "use va, or turn hugepages on"};
    }
    return ok_status();
}

Status check_cpus(const RuntimeOptions& options, const HostFacts& host) {
    unsigned control = 0;
    const char* end = options.control_lcore.data() + options.control_lcore.size();
    const auto parsed = std::from_chars(options.control_lcore.data(), end, control);
    if (parsed.ec != std::errc{} || parsed.ptr != end) {
        return Error{"control CPU '" + options.control_lcore + "' is not a CPU number",
                     "use a number from /proc/cpuinfo"};
    }
    std::vector<unsigned> cpus = options.worker_cpus;
    cpus.push_back(control);
    for (const unsigned cpu : cpus) {
        const auto usable = host.cpu_usable.find(cpu);
        if (usable != host.cpu_usable.end() && usable->second) continue;
        return Error{"CPU " + std::to_string(cpu) + " does not exist or is not allowed here",
                     "see lscpu --online and the cgroup's cpuset, then choose other CPUs"};
    }
    return ok_status();
}

std::string describe(const std::vector<HugepageFacts>& rows) {
    std::string text;
    for (const HugepageFacts& row : rows) {
        if (!text.empty()) text += ", ";
        text += "NUMA node " + std::to_string(row.numa_node) + ": " + std::to_string(row.free) +
                " of " + std::to_string(row.total) + " pages of " +
                std::to_string(row.page_bytes / 1024) + " kB free";
    }
    return text.empty() ? "the kernel has no hugepage support" : text;
}

Status check_memory(const RuntimeOptions& options, const HostFacts& host) {
    const std::uint64_t needed = estimate_buffer_bytes(options) + kRuntimeBytes;
    const std::uint64_t given = options.memory_mib * kMebibyte;
    if (!options.hugepages) {
        if (needed <= given) return ok_status();
        return Error{"the packet buffers need " + std::to_string(round_up_to_mebibytes(needed)) +
                         " MiB, but the memory is limited to " +
                         std::to_string(options.memory_mib) + " MiB",
                     "raise the memory or lower mbufs_per_port"};
    }
    std::uint64_t free = 0;
    for (const HugepageFacts& row : host.hugepages) free += row.free * row.page_bytes;
    const std::uint64_t wanted = std::max(needed, given);
    if (free < wanted) {
        const std::uint64_t pages = (wanted + 2 * kMebibyte - 1) / (2 * kMebibyte);
        return Error{std::to_string(round_up_to_mebibytes(wanted)) +
                         " MiB of hugepages are needed (" + describe(host.hugepages) + ")",
                     "reserve them: sysctl -w vm.nr_hugepages=" + std::to_string(pages) +
                         " (dpdk-hugepages.py --show lists them), or set hugepages = false to "
                         "run without, slower"};
    }
    if (!options.in_memory && !host.hugetlbfs_mounted) {
        return Error{"no hugetlbfs is mounted, which in_memory = false needs",
                     "mount -t hugetlbfs none /dev/hugepages, or set in_memory = true"};
    }
    return ok_status();
}

Status check_tap(const PortOptions& port, const VdevText& vdev, const HostFacts& host) {
    const auto name = vdev.find("iface");
    if (!name) return ok_status();
    if (name->empty() || name->size() > 15) {
        return Error{port_text(port) + "'" + std::string(*name) + "' is not an interface name",
                     "use 1 to 15 characters"};
    }
    const auto found = host.interfaces.find(std::string(*name));
    if (found == host.interfaces.end() || !found->second.exists) return ok_status();
    const InterfaceFacts& interface = found->second;
    if (!interface.tap_holder.empty()) {
        return Error{
            port_text(port) + "TAP " + found->first + " is in use by " + interface.tap_holder,
            "stop that process or choose another iface="};
    }
    if (interface.driver == "tun" && vdev.find("persist")) return ok_status();
    return Error{port_text(port) + "interface " + found->first + " exists already",
                 interface.driver == "tun" ? "delete it: ip link delete " + found->first
                                           : "choose another iface= for the TAP"};
}

Status check_interface(const PortOptions& port, const VdevText& vdev, const HostFacts& host) {
    const auto name = vdev.find("iface");
    if (!name || name->empty()) {
        return Error{port_text(port) + vdev.driver + " needs a kernel interface",
                     "write " + vdev.name + ",iface=INTERFACE"};
    }
    const auto found = host.interfaces.find(std::string(*name));
    if (found != host.interfaces.end() && found->second.exists) return ok_status();
    return Error{port_text(port) + "there is no interface " + std::string(*name),
                 "ip link lists those of this network namespace"};
}

Status check_vdev(const PortOptions& port, const HostFacts& host) {
    const Result<VdevText> vdev = parse_vdev(port.vdev);
    if (!vdev) return Error{port_text(port) + vdev.error().message, vdev.error().remedy};
    const DriverTraits* traits = find_driver_traits(vdev->driver);
    if (traits == nullptr) return ok_status();
    if ((traits->capabilities & ~host.capabilities) != 0) {
        return Error{port_text(port) + vdev->driver + " needs more privileges",
                     "run as root, or with CAP_NET_ADMIN and CAP_NET_RAW"};
    }
    switch (traits->interface_use) {
        case InterfaceUse::Creates:
            return check_tap(port, *vdev, host);
        case InterfaceUse::Attaches:
            return check_interface(port, *vdev, host);
        case InterfaceUse::None:
            break;
    }
    return ok_status();
}

Status check_pci(const PortOptions& port, const HostFacts& host) {
    const auto found = host.pci.find(port.pci);
    if (found == host.pci.end() || !found->second.exists) {
        return Error{port_text(port) + "there is no PCI device " + port.pci,
                     "dpdk-devbind.py --status lists the network devices (form: 0000:3b:00.0)"};
    }
    const PciFacts& device = found->second;
    // Mellanox devices stay with their kernel driver; all others must be handed to user space.
    constexpr std::array<std::string_view, 5> kUsable{"vfio-pci", "igb_uio", "uio_pci_generic",
                                                      "mlx4_core", "mlx5_core"};
    if (std::find(kUsable.begin(), kUsable.end(), device.driver) == kUsable.end()) {
        return Error{
            port_text(port) + port.pci + " is bound to " +
                (device.driver.empty() ? "no driver" : "the kernel driver " + device.driver),
            "modprobe vfio-pci && dpdk-devbind.py --bind=vfio-pci " + port.pci};
    }
    if (device.vfio_open_errno == EBUSY) {
        return Error{port_text(port) + port.pci + " is in use by another process",
                     "fuser -v " + device.vfio_group + " names it"};
    }
    if (device.vfio_open_errno != 0) {
        return Error{port_text(port) + "cannot open " + device.vfio_group + ": " +
                         std::strerror(device.vfio_open_errno),
                     "run as root, or give this user the group device"};
    }
    return ok_status();
}

Status check_ports(const RuntimeOptions& options, const HostFacts& host) {
    std::set<std::string> names, devices, interfaces;
    for (const PortOptions& port : options.ports) {
        if (!names.insert(port.name).second) {
            return Error{"two ports are called '" + port.name + "'", "rename one"};
        }
        if (port.pci.empty() == port.vdev.empty()) {
            return Error{port_text(port) + "needs exactly one of pci and vdev",
                         "give its PCI address or its virtual device"};
        }
        if (Status status = port.pci.empty() ? check_vdev(port, host) : check_pci(port, host);
            !status) {
            return status;
        }
        const Result<VdevText> vdev = parse_vdev(port.vdev);
        const std::string device = port.pci.empty() ? vdev->name : port.pci;
        if (!devices.insert(device).second) {
            return Error{port_text(port) + device + " is another port's device already",
                         "each port needs its own device"};
        }
        const bool shares_interface = vdev.ok() && vdev->find("start_queue");
        const auto interface = vdev ? vdev->find("iface") : std::nullopt;
        if (interface && !shares_interface && !interfaces.insert(std::string(*interface)).second) {
            return Error{
                port_text(port) + std::string(*interface) + " is another port's interface already",
                "each port needs its own interface"};
        }
    }
    return ok_status();
}

}  // namespace

Status check_start(const RuntimeOptions& options, const HostFacts& host) {
    if (Status status = check_numbers(options); !status) return status;
    if (Status status = check_eal_arguments(options); !status) return status;
    if (Status status = check_cpus(options, host); !status) return status;
    if (Status status = check_ports(options, host); !status) return status;
    return check_memory(options, host);
}

std::uint64_t estimate_buffer_bytes(const RuntimeOptions& options) {
    const auto ports = static_cast<std::uint32_t>(options.ports.size());
    const auto workers = static_cast<std::uint32_t>(options.worker_cpus.size());
    const std::uint64_t buffers = std::uint64_t{options.mbufs_per_port} * ports +
                                  punt_pool_size(workers) + control_pool_size(workers, ports);
    return buffers * (kHeadroom + kFrameRoom + kBufferOverhead);
}

}  // namespace pollux::dpdk
