// SPDX-License-Identifier: Apache-2.0
// Addresses that cannot be what the file makes of them.

#include "control/config/rules_address.h"

#include "control/config/rules.h"
#include "control/config/values.h"

namespace pollux::control {

namespace {

const net::IpAddress kLimitedBroadcast =
    net::IpAddress::from_v4(net::Ipv4Address::from_host(0xffffffff));

net::IpAddress broadcast_of(const net::IpPrefix& network) {
    net::IpAddress address = network.network().address;
    for (unsigned bit = network.length; bit < 32; ++bit) {
        address.bytes[bit / 8] |= static_cast<std::uint8_t>(0x80U >> (bit % 8));
    }
    return address;
}

void check_port_address(const PortConfig& port, const net::IpPrefix& own, Reporter& reporter) {
    const Place place = reporter.sources().value(port.origin, "address");
    const std::string name = "port \"" + escaped(port.name) + "\"";
    const bool v6 = own.address.is_v6();
    if (const auto kind = unusable(own.address); !kind.empty()) {
        reporter.report("E0411", own.address.to_string() + " cannot be an address of " + name)
            .at(place, std::string(kind))
            .help(v6 ? "for example \"2001:db8::2/64\"" : "for example \"198.51.100.2/24\"");
        return;
    }
    if (own.length == 0) {
        reporter.report("E0411", own.to_string() + " of " + name + " takes in all addresses")
            .at(place, "every host would be on the link of this port")
            .help(std::string("write the length of the network, for example /") +
                  (v6 ? "64" : "24"));
        return;
    }
    if (const auto edge = edge_of(own, own.address); !edge.empty()) {
        reporter.report("E0411", own.address.to_string() + " cannot be an address of " + name)
            .at(place, std::string(edge) + " of " + own.network().to_string())
            .help("an address between the two ends, or another length");
    }
}

// The owner of the addresses (priority 255) has them all the time, as RFC 9568 defines it.
void check_virtual_address(const Config& config, const VrrpInstanceConfig& instance,
                           const VirtualIpConfig& ip, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    for (const PortConfig& port : config.ports) {
        if (sources.broken(port.origin)) continue;
        for (const net::IpPrefix& own : port.address) {
            if (own.address != ip.address.address) continue;
            reporter
                .report("E0333", "virtual address " + own.address.to_string() + " of " +
                                     titled("vrrp_instance", instance.name) +
                                     " belongs to a port too")
                .at(sources.value(ip.origin, "address"), "moves between the nodes")
                .at(sources.value(port.origin, "address"), "is always here")
                .note("as BACKUP this node would answer ARP and ND for it beside the MASTER")
                .help("remove it from `address` of port \"" + escaped(port.name) +
                      "\"; only the owner of the addresses, with priority = 255, has both");
            return;
        }
    }
}

}  // namespace

std::string_view unusable(const net::IpAddress& address) {
    if (address.is_unspecified()) return "the unspecified address";
    if (address.is_loopback()) return "a loopback address";
    if (address.is_multicast()) return "a multicast address";
    if (address == kLimitedBroadcast) return "the broadcast address of every network";
    return "";
}

std::string_view edge_of(const net::IpPrefix& network, const net::IpAddress& address) {
    if (!network.address.is_v4() || network.length > 30 || network.length == 0) return "";
    if (address == network.network().address) return "the network address";
    if (address == broadcast_of(network)) return "the broadcast address";
    return "";
}

OwnAddresses::OwnAddresses(const Config& config, const Sources& sources) {
    for (const PortConfig& port : config.ports) {
        if (sources.broken(port.origin)) continue;
        for (const net::IpPrefix& own : port.address) {
            own_.try_emplace(own.address, Own{"an address of port \"" + escaped(port.name) + "\"",
                                              sources.value(port.origin, "address")});
        }
    }
    for (const VrrpInstanceConfig& instance : config.vrrp_instances) {
        for (const auto* list :
             {&instance.virtual_ipaddress, &instance.virtual_ipaddress_excluded}) {
            for (const VirtualIpConfig& ip : *list) {
                if (sources.broken(ip.origin)) continue;
                own_.try_emplace(ip.address.address, Own{"a virtual address of " +
                                                             titled("vrrp_instance", instance.name),
                                                         sources.value(ip.origin, "address")});
            }
        }
    }
    for (const LocalAddressConfig& local : config.local_addresses) {
        if (sources.broken(local.origin)) continue;
        own_.try_emplace(local.address,
                         Own{"a [[local_address]]", sources.value(local.origin, "address")});
    }
}

const OwnAddresses::Own* OwnAddresses::find(const net::IpAddress& address) const {
    const auto found = own_.find(address);
    return found == own_.end() ? nullptr : &found->second;
}

void check_addresses(const Config& config, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    for (const PortConfig& port : config.ports) {
        if (sources.broken(port.origin)) continue;
        for (const net::IpPrefix& own : port.address) check_port_address(port, own, reporter);
    }
    for (const VrrpInstanceConfig& instance : config.vrrp_instances) {
        if (sources.broken(instance.origin) || instance.priority == 255) continue;
        for (const auto* list :
             {&instance.virtual_ipaddress, &instance.virtual_ipaddress_excluded}) {
            for (const VirtualIpConfig& ip : *list) {
                if (!sources.broken(ip.origin)) {
                    check_virtual_address(config, instance, ip, reporter);
                }
            }
        }
    }
}

}  // namespace pollux::control
