// SPDX-License-Identifier: Apache-2.0
#include "control/config/online.h"

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "control/config/load.h"
#include "control/config/memory.h"
#include "control/config/rules.h"
#include "control/config/values.h"

namespace pollux::control {

namespace {

bool exists(const std::string& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

std::string first_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

// The value of `name=...` in a comma-separated list.
std::string argument(std::string_view list, std::string_view name) {
    while (!list.empty()) {
        const std::string_view item = list.substr(0, list.find(','));
        if (item.starts_with(name) && item.substr(name.size()).starts_with('=')) {
            return std::string(item.substr(name.size() + 1));
        }
        list.remove_prefix(std::min(item.size() + 1, list.size()));
    }
    return "";
}

std::string link_target(const std::string& path) {
    std::string target(4096, '\0');
    const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
    target.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    return target.substr(target.rfind('/') + 1);
}

void check_pci(const PortConfig& port, const HostPaths& host, Reporter& reporter) {
    const std::string address = port.pci.size() == 7 ? "0000:" + port.pci : port.pci;
    const std::string device = host.sys + "/bus/pci/devices/" + address;
    const Place place = reporter.sources().value(port.origin, "pci");
    if (!exists(device)) {
        reporter.report("E0701", "this host has no PCI device " + address)
            .at(place, "not in " + host.sys + "/bus/pci/devices")
            .help("`dpdk-devbind.py --status` lists the NICs");
        return;
    }
    const std::string driver = link_target(device + "/driver");
    // Drivers that DPDK works with; mlx4 and mlx5 ports stay with the kernel's driver.
    for (const std::string_view usable :
         {"vfio-pci", "uio_pci_generic", "igb_uio", "mlx4_core", "mlx5_core"}) {
        if (driver == usable) return;
    }
    reporter
        .report("E0702", "PCI device " + address + " is not bound to a driver that DPDK can use")
        .at(place, driver.empty() ? "no driver" : "driver " + driver)
        .help("dpdk-devbind.py --bind=vfio-pci " + address);
}

// "12582912 kB" of /proc/meminfo in bytes.
std::uint64_t available_memory(const HostPaths& host) {
    std::ifstream file(host.proc + "/meminfo");
    std::string word;
    while (file >> word) {
        if (word != "MemAvailable:") continue;
        std::uint64_t kib = 0;
        file >> kib;
        return kib << 10U;
    }
    return 0;
}

// Free hugepages of all sizes, in bytes.
std::uint64_t free_hugepages(const HostPaths& host) {
    const std::string directory = host.sys + "/kernel/mm/hugepages";
    DIR* entries = ::opendir(directory.c_str());
    if (entries == nullptr) return 0;
    std::uint64_t total = 0;
    while (const dirent* entry = ::readdir(entries)) {
        const std::string name = entry->d_name;
        constexpr std::string_view kPrefix = "hugepages-";
        if (!name.starts_with(kPrefix) || !name.ends_with("kB")) continue;
        const auto size = parse_number(
            std::string_view(name).substr(kPrefix.size(), name.size() - kPrefix.size() - 2));
        const auto count = parse_number(first_line(directory + "/" + name + "/free_hugepages"));
        if (size && count) total += (*size << 10U) * *count;
    }
    ::closedir(entries);
    return total;
}

}  // namespace

void check_devices(const Config& config, const HostPaths& host, Reporter& reporter) {
    for (const PortConfig& port : config.ports) {
        if (!port.pci.empty()) check_pci(port, host, reporter);
        const bool uses_interface =
            port.vdev.starts_with("net_af_packet") || port.vdev.starts_with("net_af_xdp");
        const std::string interface = argument(port.vdev, "iface");
        if (uses_interface && !exists(host.sys + "/class/net/" + interface)) {
            reporter.report("E0703", "this host has no interface \"" + escaped(interface) + "\"")
                .at(reporter.sources().value(port.origin, "vdev"), "not in `ip link`");
        }
        if (port.exception.type == ExceptionPath::Tap &&
            exists(host.sys + "/class/net/" + port.exception.name)) {
            reporter
                .report("W0704", "interface \"" + escaped(port.exception.name) +
                                     "\" exists already on this host")
                .at(reporter.sources().value(port.origin, "name"),
                    "the exception path of the port needs this name")
                .help("stop a running polluxd, or write exception = { name = \"...\" }");
        }
    }
}

void check_memory(const Config& config, const HostPaths& host, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    if (config.dpdk.hugepages) {
        const std::uint64_t free = free_hugepages(host);
        if (free < config.dpdk.hugepage_mem) {
            reporter
                .report("E0705", "not enough free hugepages: " + format_size(free) + " of " +
                                     format_size(config.dpdk.hugepage_mem))
                .at(sources.value(config.dpdk.origin, "hugepage_mem"),
                    "asked for by this (default \"256M\")")
                .help("sysctl vm.nr_hugepages=" +
                      std::to_string((config.dpdk.hugepage_mem >> 21U) + 1) +
                      ", or hugepages = false for a trial");
        }
    }
    std::uint64_t tables = 0;
    for (const MemoryItem& item : table_memory(config)) tables += item.bytes;
    const std::uint64_t available = available_memory(host);
    if (available != 0 && tables > available) {
        reporter
            .report("E0706", "the tables need " + format_size(tables) + ", this host has " +
                                 format_size(available) + " left")
            .at(sources.value(config.conntrack.origin, "max_connections"), "the largest part")
            .help("lower max_connections");
    }
    // DPDK maps it at once, and does not survive it when that is far too much.
    if (!config.dpdk.hugepages && available != 0 && config.dpdk.hugepage_mem > available) {
        reporter
            .report("E0714", "the packet buffers' memory is " +
                                 format_size(config.dpdk.hugepage_mem) + ", this host has " +
                                 format_size(available) + " left")
            .at(sources.value(config.dpdk.origin, "hugepage_mem"), "also without huge pages")
            .help("lower hugepage_mem (the default is \"256M\")");
    }
}

void check_cpus(const Config& config, const HostPaths& host, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    const auto check = [&](unsigned cpu, std::string_view key) {
        const std::string directory = host.sys + "/devices/system/cpu/cpu" + std::to_string(cpu);
        const bool offline = first_line(directory + "/online") == "0";
        if (exists(directory) && !offline) return;
        reporter.report("E0707", "this host has no CPU " + std::to_string(cpu))
            .at(sources.value(config.dpdk.origin, key),
                offline ? "the CPU is offline" : "see `lscpu`");
    };
    check(config.dpdk.control_lcore, "control_lcore");
    for (const unsigned cpu : config.dpdk.worker_lcores) check(cpu, "worker_lcores");
}

void check_accounts(const Config& config, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    const auto check_group = [&](const std::string& name, const Place& place) {
        if (name.empty() || ::getgrnam(name.c_str()) != nullptr) return;
        reporter.report("E0708", "this host has no group \"" + escaped(name) + "\"")
            .at(place, "not in /etc/group")
            .help("groupadd --system " + escaped(name));
    };
    const auto check_user = [&](const std::string& text, const Place& place) {
        const std::string user = text.substr(0, text.find(':'));
        if (text.empty()) return;
        if (::getpwnam(user.c_str()) == nullptr) {
            reporter.report("E0708", "this host has no user \"" + escaped(user) + "\"")
                .at(place, "not in /etc/passwd")
                .help("useradd --system --no-create-home --shell /usr/sbin/nologin " +
                      escaped(user));
        }
        if (user.size() < text.size()) check_group(text.substr(user.size() + 1), place);
    };
    check_user(config.global.scripts.user, sources.value(config.global.scripts.origin, "user"));
    for (const VrrpScriptConfig& script : config.vrrp_scripts) {
        check_user(script.user, sources.value(script.origin, "user"));
    }
    for (const VirtualServerConfig& service : config.virtual_servers) {
        for (const RealServerConfig& server : service.real_server) {
            for (const CheckConfig& check : server.check) {
                check_user(check.user, sources.value(check.origin, "user"));
            }
        }
    }
    check_group(config.api.admin_group, sources.value(config.api.origin, "admin_group"));
    check_group(config.api.read_group, sources.value(config.api.origin, "read_group"));
}

void check_other_files(const Config& config, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    const auto check = [&](const std::string& path, const Origin& origin, std::string_view key) {
        if (path.empty() || path.starts_with('$') || ::access(path.c_str(), R_OK) == 0) return;
        reporter.report("E0709", "cannot read " + path)
            .at(sources.value(origin, key), "no such file, or not readable");
    };
    for (const VirtualServerConfig& service : config.virtual_servers) {
        for (const RealServerConfig& server : service.real_server) {
            for (const CheckConfig& item : server.check) {
                check(item.ca_file, item.origin, "ca_file");
                check(item.certificate_file, item.origin, "certificate_file");
                check(item.key_file, item.origin, "key_file");
            }
        }
    }
    for (const VrrpTrackFileConfig& file : config.vrrp_track_files) {
        check(file.file, file.origin, "file");
    }
}

std::vector<Diagnostic> check_online(const Config& config) {
    // The sources are read only; a Reporter wants them changeable.
    Sources sources = *config.sources.get;
    Reporter reporter(sources);
    const HostPaths host;
    check_devices(config, host, reporter);
    check_memory(config, host, reporter);
    check_cpus(config, host, reporter);
    check_accounts(config, reporter);
    check_scripts(config, reporter);
    check_other_files(config, reporter);
    return reporter.take();
}

}  // namespace pollux::control
