// SPDX-License-Identifier: Apache-2.0
// Rules of [dpdk], [[dpdk.port]], [[mark]] and [[local_address]].

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "control/config/memory.h"
#include "control/config/rules.h"
#include "control/config/values.h"

namespace pollux::control {

namespace {

bool is_pci_address(std::string_view text) {
    // DDDD:BB:DD.F or BB:DD.F
    if (text.size() == 7) return is_pci_address("0000:" + std::string(text));
    if (text.size() != 12 || text[4] != ':' || text[7] != ':' || text[10] != '.') return false;
    for (const std::size_t i : {0U, 1U, 2U, 3U, 5U, 6U, 8U, 9U, 11U}) {
        const char c = text[i];
        const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (!hex) return false;
    }
    return true;
}

void check_cores(const Config& config, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    const DpdkConfig& dpdk = config.dpdk;
    if (sources.broken(dpdk.origin) || dpdk.idle == IdleMode::Adaptive) return;
    std::set<unsigned> seen = {dpdk.control_lcore};
    for (const unsigned cpu : dpdk.worker_lcores) {
        if (seen.insert(cpu).second) continue;
        const bool control = cpu == dpdk.control_lcore;
        reporter
            .report("E0401", "CPU " + std::to_string(cpu) + " has two tasks with idle = \"poll\"")
            .at(sources.value(dpdk.origin, "worker_lcores"),
                control ? "a worker and the control core" : "two workers")
            .note("a polling worker never leaves its CPU to others")
            .help("give each its own CPU, or write idle = \"adaptive\"");
        return;
    }
}

void check_buffers(const Config& config, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    const DpdkConfig& dpdk = config.dpdk;
    const std::uint64_t needed = mbuf_memory(config);
    if (needed > dpdk.hugepage_mem) {
        reporter.report("E0407", "the packet buffers do not fit into hugepage_mem")
            .at(sources.value(dpdk.origin, "hugepage_mem"),
                std::to_string(config.ports.size()) + " ports with " +
                    std::to_string(dpdk.mbufs_per_port) + " buffers need " + format_size(needed) +
                    " of " + format_size(dpdk.hugepage_mem))
            .help("raise hugepage_mem, or lower mbufs_per_port");
    }
    const std::uint64_t workers = dpdk.worker_lcores.size();
    for (const PortConfig& port : config.ports) {
        // Each queue holds its descriptors' buffers; each worker may keep a burst and its cache.
        const std::uint64_t held =
            workers * (std::uint64_t{port.rx_desc} + port.tx_desc + 2 * dpdk.burst);
        if (held <= dpdk.mbufs_per_port) continue;
        reporter.report("E0408", titled("dpdk.port", port.name) + " has too few packet buffers")
            .at(sources.value(dpdk.origin, "mbufs_per_port"),
                "the queues of " + std::to_string(workers) + " workers alone hold " +
                    std::to_string(held))
            .help("mbufs_per_port = " + std::to_string(held + held / 2) + ", or fewer descriptors");
    }
}

void check_device(const PortConfig& port, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    const std::string title = titled("dpdk.port", port.name);
    if (!port.pci.empty() && !port.vdev.empty()) {
        reporter.report("E0111", title + " has two devices")
            .at(sources.key(port.origin, "pci"), "a NIC")
            .at(sources.key(port.origin, "vdev"), "and a virtual device");
    } else if (port.pci.empty() && port.vdev.empty()) {
        reporter.report("E0402", title + " has no device")
            .at(sources.header(port.origin), "`pci` or `vdev` is missing")
            .help(
                "pci = \"0000:3b:00.0\" (see `dpdk-devbind.py --status`), or vdev = "
                "\"net_af_packet0,iface=eth0\"");
    } else if (!port.pci.empty() && !is_pci_address(port.pci)) {
        reporter.report("E0112", "`pci` has a value that cannot be read")
            .at(sources.value(port.origin, "pci"), "expected domain:bus:device.function")
            .help("for example pci = \"0000:3b:00.0\"");
    }
}

// The kernel's rules for names of interfaces; the length is the schema's.
bool is_interface_name(std::string_view name) {
    if (name == "." || name == "..") return false;
    // "%d" would become a number.
    return name.find_first_of("/:% \t\n\v\f\r") == std::string_view::npos &&
           !has_control_character(name);
}

void check_interface(const PortConfig& port, Reporter& reporter) {
    if (port.exception.type != ExceptionPath::Tap || port.exception.name.empty()) return;
    if (is_interface_name(port.exception.name)) return;
    const Sources& sources = reporter.sources();
    const bool own = sources.written(port.exception.origin, "name");
    auto message = reporter.report(
        "E0413", "\"" + escaped(port.exception.name) + "\" cannot be the name of an interface");
    message.at(
        own ? sources.value(port.exception.origin, "name") : sources.value(port.origin, "name"),
        "no \"/\", \":\", \"%\", blanks or control characters, not \".\" or \"..\"");
    if (!own) message.note("the kernel's side of the port gets the port's name");
    message.help(own ? "for example name = \"lb-wan\""
                     : "another name, or exception = { name = \"lb-wan\" }");
}

// The interface that a virtual device works on, "iface=" of its arguments; or "". A queue of its
// own ("start_queue=") may be one of several on the interface.
std::string_view interface_of(std::string_view vdev) {
    constexpr std::string_view kKey = ",iface=";
    const std::size_t at = vdev.find(kKey);
    if (at == std::string_view::npos || vdev.find(",start_queue=") != std::string_view::npos) {
        return "";
    }
    const std::string_view name = vdev.substr(at + kKey.size());
    return name.substr(0, name.find(','));
}

void check_port_list(const Config& config, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    std::map<std::string, const PortConfig*> devices;
    std::map<std::string, const PortConfig*> taps;
    std::map<std::string, const PortConfig*> interfaces;
    std::map<net::IpAddress, const PortConfig*> addresses;
    const auto twice = [&](auto& map, const auto& value, const PortConfig& port,
                           std::string_view key, const std::string& what) {
        const auto [other, fresh] = map.try_emplace(value, &port);
        if (fresh) return;
        reporter.report("E0403", what)
            .at(sources.value(port.origin, key), "the second one")
            .at(sources.value(other->second->origin, key), "the first one");
    };
    for (const PortConfig& port : config.ports) {
        if (sources.broken(port.origin)) continue;
        check_device(port, reporter);
        check_interface(port, reporter);
        const std::string device = port.pci.empty() ? port.vdev : port.pci;
        if (!device.empty()) {
            twice(devices, device.substr(0, device.find(',')), port,
                  port.pci.empty() ? "vdev" : "pci",
                  "two ports have the same device " + escaped(device));
        }
        if (const std::string interface(interface_of(port.vdev)); !interface.empty()) {
            twice(interfaces, interface, port, "vdev",
                  "two ports work on the interface " + escaped(interface));
        }
        if (port.exception.type == ExceptionPath::Tap) {
            twice(taps, port.exception.name, port, "name",
                  "two ports have the same interface " + escaped(port.exception.name));
        }
        for (const net::IpPrefix& address : port.address) {
            twice(addresses, address.address, port, "address",
                  "two ports have the address " + address.address.to_string());
            if (address.address.is_v6() && port.mtu < 1280) {
                reporter.report("E0409", "IPv6 needs an MTU of at least 1280")
                    .at(sources.value(port.origin, "mtu"), "too small for " + address.to_string());
            }
        }
    }
}

// Servers send their answers to it.
void check_reachable(const Config& config, const LocalAddressConfig& local, Reporter& reporter) {
    if (is_answered_for(config, local.address)) return;
    const std::string text = local.address.to_string();
    reporter.report("W0226", "nobody answers for [[local_address]] " + text)
        .at(reporter.sources().value(local.origin, "address"),
            "in no [[vrrp_instance]], and no port has it")
        .note("answers of the servers arrive only if a router sends them here")
        .help("add \"" + text + (local.address.is_v6() ? "/128" : "/32") +
              "\" to `address` of the servers' port, or to a [[vrrp_instance]] there");
}

void check_local_addresses(const Config& config, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    std::map<net::IpAddress, Origin> seen;
    for (const LocalAddressConfig& local : config.local_addresses) {
        if (sources.broken(local.origin)) continue;
        if (local.ports.first == 0) {
            reporter.report("E0104", "`ports` is out of range")
                .at(sources.value(local.origin, "ports"), "port 0 cannot be a source");
        }
        const auto [other, fresh] = seen.try_emplace(local.address, local.origin);
        if (!fresh) {
            reporter.report("E0403", "[[local_address]] " + local.address.to_string() + " twice")
                .at(sources.value(local.origin, "address"), "the second one")
                .at(sources.value(other->second, "address"), "the first one");
            continue;
        }
        check_reachable(config, local, reporter);
    }
}

void check_marks(const Config& config, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    for (const MarkConfig& mark : config.marks) {
        if (sources.broken(mark.origin)) continue;
        const bool both = mark.source.address.family != net::Family::None &&
                          mark.destination.address.family != net::Family::None;
        if (both && mark.source.address.family != mark.destination.address.family) {
            reporter.report("E0410", "[[mark]] can match nothing")
                .at(sources.value(mark.origin, "source"), "one address family")
                .at(sources.value(mark.origin, "destination"), "the other one");
        }
    }
}

}  // namespace

bool is_answered_for(const Config& config, const net::IpAddress& address) {
    for (const PortConfig& port : config.ports) {
        for (const net::IpPrefix& own : port.address) {
            if (own.address == address) return true;
        }
    }
    for (const VrrpInstanceConfig& instance : config.vrrp_instances) {
        for (const auto* list :
             {&instance.virtual_ipaddress, &instance.virtual_ipaddress_excluded}) {
            for (const VirtualIpConfig& ip : *list) {
                if (ip.address.address == address) return true;
            }
        }
    }
    return false;
}

void check_ports(const Config& config, const std::string& node_hint, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    if (config.ports.empty()) {
        DiagnosticBuilder report = reporter.report("E0404", "no port is defined");
        report.at({0, 0, 0, 0}, "");
        report.help(node_hint.empty()
                        ? "[[dpdk.port]] with name = \"wan\" and pci = \"0000:3b:00.0\""
                        : node_hint);
    }
    check_cores(config, reporter);
    if (!sources.broken(config.dpdk.origin)) check_buffers(config, reporter);
    check_port_list(config, reporter);
    check_local_addresses(config, reporter);
    check_marks(config, reporter);
}

}  // namespace pollux::control
