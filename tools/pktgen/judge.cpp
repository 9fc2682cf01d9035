// SPDX-License-Identifier: Apache-2.0
#include "tools/pktgen/judge.h"

#include <algorithm>

#include "dataplane/net/checksum.h"
#include "dataplane/net/ip_protocol.h"
#include "dataplane/net/parse.h"

namespace pollux::pktgen {
namespace {

using lb::ForwardingMethod;

std::string key_of(const net::IpAddress& address, std::uint16_t port) {
    return address.to_string() + " " + std::to_string(port);
}

net::ParseError parse_frame(std::span<const std::uint8_t> frame, net::ParsedPacket& parsed) {
    return net::parse({frame, static_cast<std::uint32_t>(frame.size()), 0}, parsed);
}

Finding finding_of(net::ParseError error) {
    constexpr std::array kNotIp{net::ParseError::FrameTooShort, net::ParseError::UnknownEtherType,
                                net::ParseError::TooManyVlanTags, net::ParseError::ArpMalformed};
    if (error == net::ParseError::Ipv4BadChecksum) return Finding::BadChecksum;
    const bool foreign = std::find(kNotIp.begin(), kNotIp.end(), error) != kNotIp.end();
    return foreign ? Finding::Foreign : Finding::Malformed;
}

bool checksum_is_right(std::span<const std::uint8_t> frame, const net::ParsedPacket& parsed,
                       const net::IpAddress& source, const net::IpAddress& destination) {
    // What was sent has a checksum: UDP without one has lost it.
    if (parsed.protocol == net::kProtocolUdp &&
        net::header_in<net::UdpHeader>(frame.data() + parsed.l4_offset).checksum == net::Be16{}) {
        return false;
    }
    net::ChecksumSum sum;
    sum.add_pseudo_header(source, destination, parsed.protocol, parsed.l4_length());
    sum.add(frame.subspan(parsed.l4_offset, parsed.l4_length()));
    return sum.is_valid();
}

}  // namespace

struct Judge::Received {
    net::MacAddress destination_mac;
    net::IpAddress outer_destination;  // of a tunnel; else family None
    Endpoint source, destination;
    Tag tag;
};

Judge::Judge(const Plan& plan, const net::MacAddress& client_mac,
             std::span<const net::MacAddress> server_macs)
    : plan_(plan),
      client_mac_(client_mac),
      server_macs_(server_macs.begin(), server_macs.end()),
      flows_(plan.traffic.flows) {
    const auto servers = static_cast<std::uint16_t>(plan.servers.size());  // at most kMaxServers
    for (std::uint16_t i = 0; i < servers; ++i) {
        const ServerPlan& server = plan.servers[i];
        switch (plan.service.method) {
            case ForwardingMethod::DirectRouting:
                by_address_.emplace(server_macs_[i].to_string(), i);
                break;
            case ForwardingMethod::Tunnel:
                by_address_.emplace(key_of(server.address, 0), i);
                break;
            case ForwardingMethod::Nat:
            case ForwardingMethod::FullNat:
                by_address_.emplace(key_of(server.address, plan.server_port(server)), i);
                // Tells a wrong port from a wrong server.
                by_address_.emplace(key_of(server.address, 0), i);
                break;
        }
    }
}

Finding Judge::judge(std::span<std::uint8_t> frame, std::uint8_t trial, std::uint32_t now,
                     Counts& counts) {
    net::ParsedPacket parsed;
    const net::ParseError error = parse_frame(frame, parsed);
    if (error != net::ParseError::None) return finding_of(error);
    if (parsed.kind == net::PacketKind::Arp) return Finding::Foreign;
    Received received;
    received.destination_mac = net::header_in<net::EthernetHeader>(frame.data()).destination;
    const bool is_ipip =
        parsed.protocol == net::kProtocolIpip || parsed.protocol == net::kProtocolIpv6;
    if (plan_.service.method == ForwardingMethod::Tunnel && is_ipip) {
        received.outer_destination = parsed.destination(frame.data());
        const bool inner_v4 = parsed.protocol == net::kProtocolIpip;
        // The outer header is done with: its end becomes the inner packet's Ethernet header.
        frame = frame.subspan(parsed.l4_offset - sizeof(net::EthernetHeader));
        net::header_in<net::EthernetHeader>(frame.data()).ether_type =
            inner_v4 ? net::kEtherTypeIpv4 : net::kEtherTypeIpv6;
        const net::ParseError inner = parse_frame(frame, parsed);
        if (inner != net::ParseError::None) return finding_of(inner);
    }
    const std::optional<Tag> tag = read_tag(frame, parsed);
    if (!tag || tag->flow >= flows_.size()) return Finding::Foreign;
    received.tag = *tag;
    received.source = {parsed.source(frame.data()), parsed.source_port.host()};
    received.destination = {parsed.destination(frame.data()), parsed.destination_port.host()};
    if (!checksum_is_right(frame, parsed, received.source.address, received.destination.address)) {
        return Finding::BadChecksum;
    }
    if (tag->trial != trial) return Finding::Late;

    FlowState& flow = flows_[tag->flow];
    const Finding finding = tag->reply ? check_reply(received) : check_forward(received, flow);
    if (finding != Finding::Right) return finding;
    const unsigned direction = tag->reply ? 1 : 0;
    const Arrival arrival = flow.got[direction].arrive(tag->sequence);
    if (arrival == Arrival::Repeated) return Finding::Repeated;
    if (arrival == Arrival::Overtaken) ++counts.overtaken;
    ++counts.arrived[direction];
    if (!tag->reply) ++counts.by_server[flow.server];
    counts.latency.record(now - tag->time);
    return Finding::Right;
}

// Which server a forwarded frame was sent to, when it is not the flow's known one.
Finding Judge::find_server(const Received& received, std::uint16_t& server) const {
    const auto look_up = [&](const std::string& key) {
        const auto found = by_address_.find(key);
        if (found == by_address_.end()) return false;
        server = found->second;
        return true;
    };
    const Endpoint& destination = received.destination;
    switch (plan_.service.method) {
        case ForwardingMethod::DirectRouting:
            return look_up(received.destination_mac.to_string()) ? Finding::Right
                                                                 : Finding::WrongServer;
        case ForwardingMethod::Tunnel:
            return look_up(key_of(received.outer_destination, 0)) ? Finding::Right
                                                                  : Finding::WrongServer;
        case ForwardingMethod::Nat:
        case ForwardingMethod::FullNat:
            if (look_up(key_of(destination.address, destination.port))) return Finding::Right;
            return look_up(key_of(destination.address, 0)) ? Finding::WrongPort
                                                           : Finding::WrongServer;
    }
    return Finding::WrongServer;
}

Finding Judge::check_forward(const Received& received, FlowState& flow) const {
    const bool rewritten = plan_.answers_pass();
    const Endpoint service{plan_.service.address, plan_.service.port};
    if (!rewritten && received.destination.address != service.address) return Finding::WrongAddress;
    if (!rewritten && received.destination.port != service.port) return Finding::WrongPort;
    const Endpoint client = client_of(plan_.traffic, received.tag.flow);
    const bool hidden = plan_.service.method == ForwardingMethod::FullNat;
    if (!hidden && received.source.address != client.address) return Finding::WrongAddress;
    if (!hidden && received.source.port != client.port) return Finding::WrongPort;
    if (hidden && received.source.address == client.address) return Finding::WrongAddress;

    std::uint16_t server = flow.server;
    const bool is_known = server != kNoServer && received.destination_mac == server_macs_[server] &&
                          (!rewritten || received.destination ==
                                             Endpoint{plan_.servers[server].address,
                                                      plan_.server_port(plan_.servers[server])}) &&
                          (plan_.service.method != ForwardingMethod::Tunnel ||
                           received.outer_destination == plan_.servers[server].address);
    if (!is_known) {
        const Finding finding = find_server(received, server);
        if (finding != Finding::Right) return finding;
        if (received.destination_mac != server_macs_[server]) return Finding::WrongMac;
        // A connection stays where it is.
        if (flow.server != kNoServer) return Finding::WrongServer;
        flow.server = server;
        flow.seen = received.source;
    }
    return received.source == flow.seen ? Finding::Right : Finding::WrongAddress;
}

Finding Judge::check_reply(const Received& received) const {
    const Endpoint service{plan_.service.address, plan_.service.port};
    const Endpoint client = client_of(plan_.traffic, received.tag.flow);
    if (received.source.address != service.address) return Finding::WrongAddress;
    if (received.destination.address != client.address) return Finding::WrongAddress;
    if (received.source.port != service.port || received.destination.port != client.port) {
        return Finding::WrongPort;
    }
    return received.destination_mac == client_mac_ ? Finding::Right : Finding::WrongMac;
}

}  // namespace pollux::pktgen
