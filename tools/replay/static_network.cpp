// SPDX-License-Identifier: Apache-2.0
#include "tools/replay/static_network.h"

#include <algorithm>

#include "control/nexthop/route_builder.h"
#include "control/spec/spec_builder.h"
#include "dataplane/net/arp.h"
#include "dataplane/net/parse.h"

namespace pollux::replay {

namespace {

using control::InterfaceIndex;

InterfaceIndex interface_of(std::size_t port) {
    return InterfaceIndex{static_cast<std::uint32_t>(port + 1)};
}

net::MacAddress default_mac(std::size_t port) {
    return {{0x02, 0, 0, 0, 0x01, static_cast<std::uint8_t>(port)}};
}

net::MacAddress synthetic_mac(const net::IpAddress& address) {
    const std::size_t last = address.is_v4() ? 4 : 16;
    return {{0x02, 0xfe, address.bytes[last - 4], address.bytes[last - 3], address.bytes[last - 2],
             address.bytes[last - 1]}};
}

std::optional<net::MacAddress> addressed_mac(lb::PortId port, std::span<const InputFrame> frames) {
    for (const InputFrame& input : frames) {
        if (input.port != port || input.frame.bytes.size() < sizeof(net::EthernetHeader)) continue;
        const auto& ethernet = net::header_in<net::EthernetHeader>(input.frame.bytes.data());
        const net::Be16 type = ethernet.ether_type;
        const bool is_ip = type == net::kEtherTypeIpv4 || type == net::kEtherTypeIpv6;
        if (is_ip && !ethernet.destination.is_multicast()) return ethernet.destination;
    }
    return std::nullopt;
}

void add_ports(const control::Config& config, const std::map<std::string, net::MacAddress>& macs,
               std::span<const InputFrame> frames, StaticNetwork& network) {
    for (std::size_t i = 0; i < config.ports.size(); ++i) {
        const control::PortConfig& port = config.ports[i];
        const auto id = static_cast<lb::PortId>(i);
        const auto given = macs.find(port.name);
        const net::MacAddress mac = given != macs.end()
                                        ? given->second
                                        : addressed_mac(id, frames).value_or(default_mac(i));
        network.ports.ports.push_back(
            {id, port.name, mac, port.mtu, port.exception.name, interface_of(i), true});
        network.kernel.links[interface_of(i)] = {port.exception.name, mac, port.mtu, true, true};
        network.kernel.addresses[interface_of(i)] = port.address;
        for (const net::IpPrefix& address : port.address) {
            control::KernelRoute route;
            route.destination = address.network();
            route.preferred_source = address.address;
            route.hops = {{interface_of(i), {}, true}};
            network.kernel.routes.add(route, false);
        }
    }
}

InterfaceIndex interface_for(const StaticNetwork& network, const std::string& name,
                             const net::IpAddress& gateway) {
    if (const control::ControlPort* port = network.ports.find(name)) return port->interface;
    for (const auto& [interface, addresses] : network.kernel.addresses) {
        const auto holds = [&](const net::IpPrefix& prefix) { return prefix.contains(gateway); };
        if (std::any_of(addresses.begin(), addresses.end(), holds)) return interface;
    }
    return control::kNoInterface;
}

void add_routes(const control::Config& config, StaticNetwork& network) {
    for (const control::RouteConfig& route : config.routes) {
        const InterfaceIndex interface = interface_for(network, route.dev, route.via);
        if (interface == control::kNoInterface) continue;
        control::KernelRoute kernel;
        kernel.destination = route.to.network();
        kernel.metric = route.metric;
        kernel.preferred_source = route.src;
        kernel.mtu = route.mtu;
        kernel.hops = {{interface, route.via, true}};
        network.kernel.routes.add(kernel, false);
    }
}

class Neighbours {
  public:
    explicit Neighbours(StaticNetwork& network) : network_(network) {}

    // The first who speaks of an address on a link is believed; only on-link addresses count.
    void learn(InterfaceIndex interface, const net::IpAddress& address,
               const net::MacAddress& mac) {
        if (address.is_unspecified() || mac.is_zero() || mac.is_multicast()) return;
        const auto on_link = [&](const net::IpPrefix& prefix) {
            return prefix.contains(address) && prefix.address != address;
        };
        const auto& addresses = network_.kernel.addresses[interface];
        if (!std::any_of(addresses.begin(), addresses.end(), on_link)) return;
        network_.kernel.neighbours.try_emplace(
            {interface, address}, control::Neighbour{control::NeighbourState::Permanent, mac});
    }

    void learn_from(const InputFrame& input) {
        const std::vector<std::uint8_t>& bytes = input.frame.bytes;
        const net::ParseInput in{bytes, static_cast<std::uint32_t>(bytes.size()), 0};
        net::ParsedPacket packet;
        if (net::parse_any(in, packet) != net::ParseError::None) return;
        const InterfaceIndex interface = interface_of(static_cast<std::size_t>(input.port));
        const auto& ethernet = net::header_in<net::EthernetHeader>(bytes.data());
        if (packet.kind == net::PacketKind::Arp) {
            if (bytes.size() < packet.l3_offset + sizeof(net::ArpPacket)) return;
            const auto& arp = net::header_in<net::ArpPacket>(bytes.data() + packet.l3_offset);
            if (!arp.is_ipv4_over_ethernet()) return;
            learn(interface, net::IpAddress::from_v4(arp.sender_address), arp.sender_mac);
        } else {
            learn(interface, packet.source(bytes.data()), ethernet.source);
        }
    }

    // What the captures do not tell.
    void invent(const control::HopKey& hop) {
        if (hop.port == lb::kNoPort) return;
        learn(interface_of(static_cast<std::size_t>(hop.port)), hop.address,
              synthetic_mac(hop.address));
    }

  private:
    StaticNetwork& network_;
};

void add_neighbours(const control::Config& config, std::span<const InputFrame> frames,
                    StaticNetwork& network) {
    Neighbours neighbours(network);
    for (const control::NeighbourConfig& neighbour : config.neighbours) {
        if (const control::ControlPort* port = network.ports.find(neighbour.dev)) {
            neighbours.learn(port->interface, neighbour.address, neighbour.mac);
        }
    }
    for (const InputFrame& frame : frames) neighbours.learn_from(frame);
    for (const net::IpAddress& server : control::server_addresses(config)) {
        neighbours.invent(control::next_hop_of(network.kernel, network.ports, server));
    }
    for (const InputFrame& frame : frames) {
        const net::ParseInput in{frame.frame.bytes,
                                 static_cast<std::uint32_t>(frame.frame.bytes.size()), 0};
        net::ParsedPacket packet;
        if (net::parse_any(in, packet) != net::ParseError::None) continue;
        if (packet.kind == net::PacketKind::Arp) continue;
        const net::IpAddress source = packet.source(frame.frame.bytes.data());
        neighbours.invent(control::next_hop_of(network.kernel, network.ports, source));
    }
}

}  // namespace

StaticNetwork make_network(const control::Config& config,
                           const std::map<std::string, net::MacAddress>& macs,
                           std::span<const InputFrame> frames) {
    StaticNetwork network;
    add_ports(config, macs, frames, network);
    add_routes(config, network);
    add_neighbours(config, frames, network);
    return network;
}

}  // namespace pollux::replay
