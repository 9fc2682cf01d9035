// SPDX-License-Identifier: Apache-2.0
#include "tools/pktgen/plan_load.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "control/config/files.h"
#include "control/config/read.h"
#include "control/config/render.h"
#include "control/config/report.h"
#include "control/config/sources.h"
#include "tools/pktgen/frame.h"

namespace pollux::pktgen {
namespace {

using namespace control;

constexpr std::uint16_t kFrameCheckSequence = 4;
constexpr std::uint16_t kEthernetHeader = 14;

void collect(const TableSchema& table, std::vector<const TableSchema*>& all) {
    all.push_back(&table);
    for (const KeyRow& row : table.rows) {
        if (row.field.child != nullptr) collect(*row.field.child(), all);
    }
}

PlanResult finish(Plan plan, Reporter& reporter) {
    LoadResult shown;
    shown.errors = reporter.errors();
    shown.warnings = reporter.warnings();
    shown.diagnostics = reporter.take();
    PlanResult result;
    for (const Diagnostic& diagnostic : shown.diagnostics) result.messages += render(diagnostic);
    if (shown.errors > 0) return result;
    const Status status = check_plan(plan);
    if (!status) {
        result.messages +=
            "error: " + status.error().message + "\n  help: " + status.error().remedy + "\n";
        return result;
    }
    result.plan = std::move(plan);
    return result;
}

PlanResult load(const FileSet& files, Reporter& reporter) {
    std::vector<const TableSchema*> tables;
    collect(plan_schema(), tables);
    Plan plan;
    std::set<std::string> nodes;
    if (reporter.errors() == 0) {
        read_into(files.documents, {plan_schema(), tables, &plan, plan.origin}, {}, nodes,
                  reporter);
    }
    return finish(std::move(plan), reporter);
}

Status check_ports(const Plan& plan) {
    if (plan.ports.empty() || plan.ports.size() > 2) {
        return Error{std::to_string(plan.ports.size()) + " ports are given",
                     "write one [[port]], or two with carries = \"clients\" and \"servers\""};
    }
    std::set<Carries> roles;
    for (const PortPlan& port : plan.ports) {
        if (port.pci.empty() == port.vdev.empty()) {
            return Error{"port '" + port.name + "' needs exactly one of pci and vdev",
                         "give its PCI address or its virtual device"};
        }
        roles.insert(port.carries);
    }
    const bool one = plan.ports.size() == 1 && roles.contains(Carries::Both);
    const bool two = plan.ports.size() == 2 && roles.contains(Carries::Clients) &&
                     roles.contains(Carries::Servers);
    if (one || two) return ok_status();
    return Error{
        "the ports do not carry the frames of clients and servers",
        "write carries = \"clients\" in one [[port]] and \"servers\" in the other; a single "
        "port carries both"};
}

Status check_addresses(const Plan& plan) {
    const net::Family family = plan.service.address.family;
    if (family == net::Family::None || plan.service.port == 0) {
        return Error{"there is no service", "write [service] with address and port"};
    }
    if (plan.traffic.clients.address.family != family) {
        return Error{"traffic.clients is missing or of another family than the service",
                     "write clients = \"PREFIX\" in [traffic]"};
    }
    if (plan.servers.empty() || plan.servers.size() > kMaxServers) {
        return Error{std::to_string(plan.servers.size()) + " real servers are given",
                     "write 1 to " + std::to_string(kMaxServers) + " [[server]]"};
    }
    std::set<std::pair<net::IpAddress, std::uint16_t>> known;
    for (const ServerPlan& server : plan.servers) {
        const bool tunnel = plan.service.method == lb::ForwardingMethod::Tunnel;
        if (server.address.family != family && !tunnel) {
            return Error{
                "server " + server.address.to_string() + " is of another family than the service",
                "only lvs_method = \"TUN\" carries one family in the other"};
        }
        if (!known.insert({server.address, plan.server_port(server)}).second) {
            return Error{"server " + server.address.to_string() + " is given twice", "remove one"};
        }
    }
    return ok_status();
}

// How a port finds out whom to send to.
Status check_next_hops(const Plan& plan) {
    const PortPlan& clients = plan.ports[plan.client_port()];
    const PortPlan& servers = plan.ports[plan.server_port_index()];
    const auto can_ask = [](const PortPlan& port) {
        return !port.next_hop_mac.is_zero() || port.address.family != net::Family::None;
    };
    if (!can_ask(clients)) {
        return Error{"port '" + clients.name + "' cannot ask for the balancer's MAC",
                     "write its own address, or next_hop_mac"};
    }
    if (!plan.sends_replies()) return ok_status();
    const bool knows_whom =
        servers.next_hop.family != net::Family::None || !servers.next_hop_mac.is_zero();
    if (knows_whom && can_ask(servers)) return ok_status();
    return Error{"port '" + servers.name + "' does not know where the servers' answers go",
                 "write next_hop (the balancer's address there) with address, or next_hop_mac"};
}

Status check_traffic(const Plan& plan) {
    const TrafficPlan& traffic = plan.traffic;
    const std::uint64_t most = client_hosts(traffic.clients) * kClientPorts;
    if (traffic.flows > most) {
        return Error{std::to_string(traffic.flows) + " flows do not fit into " +
                         traffic.clients.to_string() + ", which gives " + std::to_string(most),
                     "take a shorter prefix for traffic.clients"};
    }
    if (traffic.direction == Direction::Both && !plan.answers_pass()) {
        return Error{"answers do not pass the balancer with this lvs_method",
                     "direction = \"both\" needs NAT or FNAT"};
    }
    if (traffic.direction == Direction::Both && traffic.kind == Kind::TcpSyn) {
        return Error{"tcp-syn sends SYNs only", "use direction = \"forward\""};
    }
    const std::vector<std::uint16_t> lengths = frame_lengths(plan);
    const std::uint16_t least = smallest_frame(plan) + kFrameCheckSequence;
    if (lengths.empty()) {
        return Error{"frame_size '" + traffic.frame_size + "' cannot be used",
                     "use min, imix, or " + std::to_string(least) + " to " +
                         std::to_string(kLargestFrame + kFrameCheckSequence)};
    }
    for (const PortPlan& port : plan.ports) {
        const int most_length = port.mtu + kEthernetHeader + kFrameCheckSequence;
        if (*std::max_element(lengths.begin(), lengths.end()) <= most_length) continue;
        return Error{"frames of this size exceed the MTU of port '" + port.name + "'",
                     "raise its mtu or lower traffic.frame_size"};
    }
    return ok_status();
}

Status check_rates(const Plan& plan) {
    for (const std::string* text : {&plan.traffic.rate, &plan.traffic.warm_up_rate,
                                    &plan.search.lowest, &plan.search.highest}) {
        if (parse_rate(*text)) continue;
        return Error{"'" + *text + "' is not a rate",
                     "write frames a second: 14.88M, 250k or 1000, at most 1G"};
    }
    if (*parse_rate(plan.search.lowest) > *parse_rate(plan.search.highest)) {
        return Error{"search.lowest is above search.highest", "exchange them"};
    }
    return ok_status();
}

}  // namespace

PlanResult load_plan(const std::string& path) {
    Sources sources;
    Reporter reporter(sources);
    return load(read_files(path, false, reporter), reporter);
}

PlanResult load_plan_text(std::string_view text, const std::string& name) {
    Sources sources;
    Reporter reporter(sources);
    return load(read_files_of_text(text, name, reporter), reporter);
}

Status check_plan(const Plan& plan) {
    if (Status status = check_ports(plan); !status) return status;
    if (Status status = check_addresses(plan); !status) return status;
    if (Status status = check_next_hops(plan); !status) return status;
    if (Status status = check_rates(plan); !status) return status;
    return check_traffic(plan);
}

std::optional<double> parse_rate(std::string_view text) {
    double factor = 1;
    if (text.ends_with('k')) factor = 1e3;
    if (text.ends_with('M')) factor = 1e6;
    if (text.ends_with('G')) factor = 1e9;
    if (factor > 1) text.remove_suffix(1);
    double value = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    value *= factor;
    return value >= kLowestRate && value <= kHighestRate ? std::optional(value) : std::nullopt;
}

std::vector<std::uint16_t> frame_lengths(const Plan& plan) {
    // The usual mix of 7 : 4 : 1, spread so that no size comes in a row of its own.
    constexpr std::array<std::uint16_t, 12> kImix{64, 594, 64, 64,  594, 64,
                                                  64, 594, 64, 594, 64,  1518};
    const std::uint16_t least = smallest_frame(plan) + kFrameCheckSequence;
    const std::string& text = plan.traffic.frame_size;
    if (text == "min") return {least};
    if (text == "imix") {
        std::vector<std::uint16_t> lengths(kImix.begin(), kImix.end());
        for (std::uint16_t& length : lengths) length = std::max(length, least);
        return lengths;
    }
    std::uint16_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    if (length < least || length > kLargestFrame + kFrameCheckSequence) return {};
    return {length};
}

}  // namespace pollux::pktgen
