// SPDX-License-Identifier: Apache-2.0
#include "tools/pollux/ipvs_views.h"

#include <nlohmann/json.hpp>

#include "dataplane/lb/schedulers.h"
#include "dataplane/lb/service_lookup.h"
#include "tools/pollux/values.h"

namespace pollux::cli {
namespace {

namespace ipvs = control::ipvs;

// An unsigned member; zero if it is missing or something else.
template <typename Number>
Number count(const Json& object, const char* name) {
    const auto member = object.find(name);
    if (member == object.end() || !member->is_number_unsigned()) return 0;
    return static_cast<Number>(member->get<std::uint64_t>());
}

bool flag(const Json& object, const char* name) {
    const auto member = object.find(name);
    return member != object.end() && member->is_boolean() && member->get<bool>();
}

lb::Duration seconds_of(const Json& object, const char* name) {
    const auto member = object.find(name);
    if (member == object.end() || !member->is_number()) return {};
    return std::chrono::duration_cast<lb::Duration>(
        std::chrono::duration<double>(member->get<double>()));
}

Json member(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_object() ? *found : Json::object();
}

net::IpAddress address(const Json& object, const char* name) {
    return net::IpAddress::parse(text(object, name)).value_or(net::IpAddress{});
}

lb::Protocol protocol(const Json& object) {
    const std::string name = text(object, "protocol");
    if (name == "TCP") return lb::Protocol::Tcp;
    if (name == "UDP") return lb::Protocol::Udp;
    return name == "SCTP" ? lb::Protocol::Sctp : lb::Protocol::None;
}

lb::ForwardingMethod method(const Json& object) {
    const std::string name = text(object, "method");
    if (name == "NAT") return lb::ForwardingMethod::Nat;
    if (name == "DR") return lb::ForwardingMethod::DirectRouting;
    return name == "TUN" ? lb::ForwardingMethod::Tunnel : lb::ForwardingMethod::FullNat;
}

lb::TunnelSpec tunnel(const Json& object) {
    lb::TunnelSpec spec;
    const std::string type = text(object, "type");
    if (type == "gue") spec.kind = lb::TunnelKind::Gue;
    if (type == "gre") spec.kind = lb::TunnelKind::Gre;
    spec.gue_port = count<std::uint16_t>(object, "port");
    spec.checksum = flag(object, "checksum");
    spec.remote_checksum = flag(object, "remote_checksum");
    spec.spread_source = flag(object, "spread_source");
    return spec;
}

template <typename View>
void take_counters(const Json& object, View& view) {
    view.connections = count<std::uint64_t>(object, "connections");
    view.packets_in = count<std::uint64_t>(object, "packets_in");
    view.packets_out = count<std::uint64_t>(object, "packets_out");
    view.bytes_in = count<std::uint64_t>(object, "bytes_in");
    view.bytes_out = count<std::uint64_t>(object, "bytes_out");
}

ipvs::Rate rate(const Json& object) {
    const Json figures = member(object, "per_second");
    ipvs::Rate result;
    result.connections = count<std::uint32_t>(figures, "connections");
    result.packets_in = count<std::uint32_t>(figures, "packets_in");
    result.packets_out = count<std::uint32_t>(figures, "packets_out");
    result.bytes_in = count<std::uint64_t>(figures, "bytes_in");
    result.bytes_out = count<std::uint64_t>(figures, "bytes_out");
    return result;
}

lb::ServerView server(const Json& object) {
    lb::ServerView view;
    view.address = address(object, "address");
    view.port = count<std::uint16_t>(object, "port");
    view.method = method(object);
    view.weight = count<std::uint16_t>(object, "weight");
    view.upper_threshold = count<std::uint32_t>(object, "upper_threshold");
    view.lower_threshold = count<std::uint32_t>(object, "lower_threshold");
    view.tunnel = tunnel(member(object, "tunnel"));
    view.removed = flag(object, "removed");
    view.active = count<std::uint64_t>(object, "active");
    view.inactive = count<std::uint64_t>(object, "inactive");
    view.persistent = count<std::uint64_t>(object, "persistent");
    take_counters(object, view);
    return view;
}

lb::ServiceSpec service_spec(const Json& object) {
    lb::ServiceSpec spec;
    spec.protocol = protocol(object);
    spec.fwmark = count<std::uint32_t>(object, "fwmark");
    if (spec.fwmark != 0) {
        const bool v6 = text(object, "family") == "ipv6";
        spec.address.family = v6 ? net::Family::V6 : net::Family::V4;
    } else {
        spec.address = address(object, "address");
        spec.port = count<std::uint16_t>(object, "port");
    }
    spec.scheduler =
        lb::parse_scheduler(text(object, "scheduler")).value_or(lb::SchedulerKind::Wlc);
    for (const Json& name : list(object, "scheduler_flags")) {
        if (name == "fallback") spec.scheduler_flags.fallback = true;
        if (name == "port") spec.scheduler_flags.port = true;
    }
    spec.one_packet = flag(object, "one_packet");
    const Json persistence = member(object, "persistence");
    if (!persistence.empty()) {
        spec.persistence = lb::PersistenceSpec{seconds_of(persistence, "timeout_seconds"),
                                               count<std::uint8_t>(persistence, "prefix")};
    }
    return spec;
}

}  // namespace

std::vector<ipvs::ServiceRates> ListingData::rates_of(
    const std::vector<lb::ServiceView>& views) const {
    std::vector<ipvs::ServiceRates> result;
    for (const lb::ServiceView& view : views) {
        for (std::size_t i = 0; i < services.size(); ++i) {
            if (lb::ServiceKey::of(services[i].spec) != lb::ServiceKey::of(view.spec)) continue;
            result.push_back(rates[i]);
            break;
        }
    }
    return result;
}

ListingData to_listing_data(const Json& data) {
    ListingData listing;
    for (const Json& object : list(data, "services")) {
        lb::ServiceView view;
        view.spec = service_spec(object);
        take_counters(object, view);
        ipvs::ServiceRates rates;
        rates.service = rate(object);
        for (const Json& row : list(object, "servers")) {
            view.servers.push_back(server(row));
            rates.servers.push_back(rate(row));
        }
        listing.services.push_back(std::move(view));
        listing.rates.push_back(std::move(rates));
    }
    const Json timeouts = member(data, "timeouts");
    listing.timeouts.tcp_established = seconds_of(timeouts, "tcp_established");
    listing.timeouts.tcp_fin_wait = seconds_of(timeouts, "tcp_fin_wait");
    listing.timeouts.udp = seconds_of(timeouts, "udp");
    listing.size = count<std::uint32_t>(data, "size");
    return listing;
}

lb::ConnectionView to_connection_view(const Json& row) {
    lb::ConnectionView view;
    view.protocol = protocol(row);
    view.client = address(row, "client");
    view.client_port = count<std::uint16_t>(row, "client_port");
    view.virtual_address = address(row, "virtual");
    view.virtual_port = count<std::uint16_t>(row, "virtual_port");
    view.server = address(row, "server");
    view.server_port = count<std::uint16_t>(row, "server_port");
    view.method = method(row);
    const auto state = row.find("state");
    if (state != row.end() && state->is_string()) {
        view.state = state->get_ref<const std::string&>();
    }
    view.expires_in = seconds_of(row, "expires_seconds");
    view.is_template = flag(row, "template");
    view.fwmark = count<std::uint32_t>(row, "fwmark");
    return view;
}

}  // namespace pollux::cli
