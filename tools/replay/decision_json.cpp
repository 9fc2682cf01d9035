// SPDX-License-Identifier: Apache-2.0
#include "tools/replay/decision_json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "control/api/json_views.h"
#include "dataplane/net/parse.h"

namespace pollux::replay {

namespace {

using Json = nlohmann::ordered_json;
using Bytes = std::vector<std::uint8_t>;

std::string port_name(lb::PortId port, std::span<const std::string> names) {
    const auto index = static_cast<std::size_t>(port);
    return index < names.size() ? names[index] : "none";
}

std::string flag_letters(std::uint8_t flags) {
    constexpr std::pair<std::uint8_t, char> kLetters[] = {{0x02, 'S'}, {0x01, 'F'}, {0x04, 'R'},
                                                          {0x08, 'P'}, {0x10, 'A'}, {0x20, 'U'},
                                                          {0x40, 'E'}, {0x80, 'C'}};
    std::string text;
    for (const auto& [bit, letter] : kLetters) {
        if ((flags & bit) != 0) text += letter;
    }
    return text;
}

std::string protocol_name(std::uint8_t protocol) {
    switch (protocol) {
        case net::kProtocolTcp:
            return "tcp";
        case net::kProtocolUdp:
            return "udp";
        case net::kProtocolSctp:
            return "sctp";
        case net::kProtocolIcmp:
            return "icmp";
        case net::kProtocolIcmpv6:
            return "icmpv6";
        default:
            return std::to_string(protocol);
    }
}

// The fields that a balancer may change, by name.
Json fields(const Bytes& frame) {
    Json out;
    if (frame.size() >= sizeof(net::EthernetHeader)) {
        const auto& ethernet = net::header_in<net::EthernetHeader>(frame.data());
        out["eth.src"] = ethernet.source.to_string();
        out["eth.dst"] = ethernet.destination.to_string();
    }
    const net::ParseInput in{frame, static_cast<std::uint32_t>(frame.size()), 0};
    net::ParsedPacket packet;
    const net::ParseError error = net::parse_any(in, packet);
    if (error != net::ParseError::None) {
        out["malformed"] = lb::to_string(static_cast<lb::DropReason>(error));
        return out;
    }
    if (packet.kind == net::PacketKind::Arp) {
        out["protocol"] = "arp";
        return out;
    }
    out["ip.src"] = packet.source(frame.data()).to_string();
    out["ip.dst"] = packet.destination(frame.data()).to_string();
    out["ip.ttl"] = packet.ttl;
    out["protocol"] = protocol_name(packet.protocol);
    if (packet.is_fragment()) out["ip.fragment_offset"] = packet.fragment_offset;
    if (packet.has_ports()) {
        out["l4.sport"] = packet.source_port.host();
        out["l4.dport"] = packet.destination_port.host();
        if (packet.protocol == net::kProtocolTcp) out["tcp.flags"] = flag_letters(packet.tcp_flags);
    }
    return out;
}

Json changed(const Json& before, const Json& after) {
    Json out = Json::object();
    for (const auto& [name, value] : after.items()) {
        const auto old = before.find(name);
        if (old == before.end()) {
            out[name] = Json::array({nullptr, value});
        } else if (*old != value) {
            out[name] = Json::array({*old, value});
        }
    }
    return out;
}

const char* verdict_name(lb::Verdict verdict) {
    switch (verdict) {
        case lb::Verdict::Transmit:
            return "transmit";
        case lb::Verdict::Punt:
            return "punt";
        case lb::Verdict::Drop:
            return "drop";
        case lb::Verdict::Consumed:
            return "parked";
        case lb::Verdict::Pending:
            break;
    }
    return "pending";
}

Json server_json(const lb::ConnectionView& connection) {
    Json out;
    out["client"] = connection.client.to_string();
    out["client_port"] = connection.client_port;
    out["virtual"] = connection.virtual_address.to_string();
    out["virtual_port"] = connection.virtual_port;
    out["server"] = connection.server.to_string();
    out["server_port"] = connection.server_port;
    out["state"] = connection.state;
    return out;
}

}  // namespace

std::string to_json_line(const Decision& decision, const InputFrame& input,
                         std::span<const std::string> names) {
    const Json before = fields(input.frame.bytes);
    Json out;
    out["n"] = decision.number;
    out["time_ns"] = decision.nanoseconds;
    out["port"] = port_name(decision.received_on, names);
    out["length"] = input.frame.bytes.size();
    if (decision.truncated) out["truncated"] = true;
    out["in"] = before;
    out["verdict"] = verdict_name(decision.verdict);
    if (decision.verdict == lb::Verdict::Drop) {
        out["drop_reason"] = lb::to_string(decision.drop_reason);
        out["explanation"] = lb::explain(decision.drop_reason);
    }
    if (decision.verdict == lb::Verdict::Punt) {
        out["punt_reason"] = control::api::to_string(decision.punt_reason);
        if (decision.punt_reason == lb::PuntReason::Unresolved) {
            out["unresolved"] = decision.unresolved.to_string();
        }
    }
    if (decision.connection_created || decision.connection_found) {
        Json connection;
        connection["event"] = decision.connection_created ? "created" : "found";
        if (decision.connection) connection.update(server_json(*decision.connection));
        out["connection"] = std::move(connection);
    }
    Json sent = Json::array();
    for (const OutputFrame& frame : decision.sent) {
        sent.push_back({{"port", port_name(frame.port, names)},
                        {"length", frame.bytes.size()},
                        {"changed", changed(before, fields(frame.bytes))}});
    }
    if (!sent.empty()) out["out"] = std::move(sent);
    return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace pollux::replay
