// SPDX-License-Identifier: Apache-2.0

#include "control/ipvs/format.h"

#include <cstdio>
#include <numeric>

#include "control/ipvs/order.h"
#include "dataplane/lb/schedulers.h"

namespace pollux::control::ipvs {

namespace {

constexpr const char* kIpvsVersion = "1.2.1";

// printf into a string: the formats below are ipvsadm's.
template <typename... Args>
std::string print(const char* format, Args... args) {
    const int length = std::snprintf(nullptr, 0, format, args...);
    std::string text(static_cast<std::size_t>(length), '\0');
    std::snprintf(text.data(), text.size() + 1, format, args...);
    return text;
}

std::string host_and_port(const net::IpAddress& address, std::uint16_t port, lb::Protocol protocol,
                          const Names* names) {
    std::string host = address.to_string();
    std::string number = std::to_string(port);
    if (names != nullptr) {
        if (names->host) {
            if (std::string name = names->host(address); !name.empty()) host = std::move(name);
        }
        if (names->port) {
            if (std::string name = names->port(port, protocol); !name.empty()) {
                number = std::move(name);
            }
        }
    }
    return (address.is_v6() ? "[" + host + "]:" : host + ":") + number;
}

const char* protocol_name(lb::Protocol protocol) {
    switch (protocol) {
        case lb::Protocol::Tcp:
            return "TCP";
        case lb::Protocol::Udp:
            return "UDP";
        case lb::Protocol::Sctp:
            return "SCTP";
        case lb::Protocol::None:
            break;
    }
    return "IP";
}

const char* service_option(lb::Protocol protocol) {
    switch (protocol) {
        case lb::Protocol::Tcp:
            return "-t";
        case lb::Protocol::Udp:
            return "-u";
        case lb::Protocol::Sctp:
        case lb::Protocol::None:
            break;
    }
    return "--sctp-service";
}

const char* method_name(lb::ForwardingMethod method) {
    switch (method) {
        case lb::ForwardingMethod::Nat:
            return "Masq";
        case lb::ForwardingMethod::DirectRouting:
            return "Route";
        case lb::ForwardingMethod::Tunnel:
            return "Tunnel";
        case lb::ForwardingMethod::FullNat:
            break;
    }
    return "FullNat";
}

const char* method_option(lb::ForwardingMethod method) {
    switch (method) {
        case lb::ForwardingMethod::Nat:
            return "-m";
        case lb::ForwardingMethod::DirectRouting:
            return "-g";
        case lb::ForwardingMethod::Tunnel:
            return "-i";
        case lb::ForwardingMethod::FullNat:
            break;
    }
    return "--fullnat";
}

std::string flag_names(const lb::ServiceSpec& spec) {
    const std::string name(lb::to_string(spec.scheduler));
    std::string flags;
    if (spec.scheduler_flags.fallback) flags += name + "-fallback";
    if (spec.scheduler_flags.port) flags += (flags.empty() ? "" : ",") + name + "-port";
    return flags;
}

// The granularity as ipvsadm shows it; nothing when it is a single client.
std::string mask_text(const lb::ServiceSpec& spec) {
    const std::uint8_t prefix = spec.persistence->prefix;
    if (spec.address.is_v6()) return prefix == 128 ? "" : std::to_string(prefix);
    if (prefix == 32) return "";
    const std::uint32_t mask = prefix == 0 ? 0 : 0xffffffffU << (32U - prefix);
    return net::IpAddress::from_v4(net::Ipv4Address::from_host(mask)).to_string();
}

long long timeout_seconds(const lb::ServiceSpec& spec) {
    return std::chrono::duration_cast<std::chrono::seconds>(spec.persistence->timeout).count();
}

std::string tunnel_text(const lb::ServerView& server) {
    if (server.method != lb::ForwardingMethod::Tunnel) return "n/a";
    const lb::TunnelSpec& tunnel = server.tunnel;
    const char* checksum = tunnel.remote_checksum ? "r+c" : tunnel.checksum ? "+c" : "-c";
    switch (tunnel.kind) {
        case lb::TunnelKind::Gue:
            return print("gue:%u:%s", tunnel.gue_port, checksum);
        case lb::TunnelKind::Gre:
            return print("gre:%s", checksum);
        case lb::TunnelKind::Ipip:
            break;
    }
    return "ipip";
}

std::string tunnel_options(const lb::ServerView& server) {
    if (server.method != lb::ForwardingMethod::Tunnel) return "";
    const lb::TunnelSpec& tunnel = server.tunnel;
    const char* checksum = tunnel.remote_checksum ? "--tun-remcsum"
                           : tunnel.checksum      ? "--tun-csum"
                                                  : "--tun-nocsum";
    switch (tunnel.kind) {
        case lb::TunnelKind::Gue:
            return print(" --tun-type gue --tun-port %u %s", tunnel.gue_port, checksum);
        case lb::TunnelKind::Gre:
            return print(" --tun-type gre %s", checksum);
        case lb::TunnelKind::Ipip:
            break;
    }
    return " --tun-type ipip";
}

// A number in nine columns, shortened from 100 million on unless exact.
std::string large(std::uint64_t number, bool exact) {
    const auto value = static_cast<unsigned long long>(number);
    if (exact) {
        const auto digits = static_cast<int>(std::to_string(number).size());
        return print("%*llu", digits <= 8 ? 9 : digits + 1, value);
    }
    if (number < 100'000'000) return print("%9llu", value);
    if (number < 1'000'000'000) return print("%8lluK", value / 1'000);
    if (number < 100'000'000'000) return print("%8lluM", value / 1'000'000);
    if (number < 100'000'000'000'000) return print("%8lluG", value / 1'000'000'000);
    return print("%8lluT", value / 1'000'000'000'000);
}

std::string title(const Listing& listing) {
    constexpr const char* kLocal = "Prot LocalAddress:Port";
    constexpr const char* kRemote = "  -> RemoteAddress:Port\n";
    if (listing.stats) {
        return print("%-33s %8s %8s %8s %8s %8s\n%s", kLocal, "Conns", "InPkts", "OutPkts",
                     "InBytes", "OutBytes", kRemote);
    }
    if (listing.rate) {
        return print("%-33s %8s %8s %8s %8s %8s\n%s", kLocal, "CPS", "InPPS", "OutPPS", "InBPS",
                     "OutBPS", kRemote);
    }
    if (listing.thresholds) {
        return print("%-33s %-10s %-10s %-10s %-10s\n%s", kLocal, "Uthreshold", "Lthreshold",
                     "ActiveConn", "InActConn", kRemote);
    }
    if (listing.persistent_conn) {
        return print("%-33s %-9s %-11s %-10s %-10s\n%s", kLocal, "Weight", "PersistConn",
                     "ActiveConn", "InActConn", kRemote);
    }
    const char* tunnel = listing.tunnel_info ? " TunnelInfo   " : "";
    return print(
        "%s Scheduler Flags\n  -> RemoteAddress:Port           Forward%s Weight "
        "ActiveConn InActConn\n",
        kLocal, tunnel);
}

class Writer {
  public:
    Writer(const Listing& listing, const Names& names)
        : listing_(listing), names_(listing.numeric ? nullptr : &names) {}

    std::string service(const lb::ServiceView& view, const ServiceRates* rates) const {
        std::string text = service_line(view, rates);
        for (const std::size_t i : server_order(view.servers, listing_.sorted)) {
            const Rate rate = rates == nullptr ? Rate{} : rates->servers.at(i);
            text += server_line(view.spec, view.servers[i], rate);
        }
        return text;
    }

    std::string rules(const lb::ServiceView& view) const {
        const lb::ServiceSpec& spec = view.spec;
        std::string name = spec.fwmark != 0
                               ? print("-f %u%s", spec.fwmark, spec.address.is_v6() ? " -6" : "")
                               : print("%s %s", service_option(spec.protocol),
                                       endpoint(spec.address, spec.port, spec).c_str());
        std::string text = "-A " + name + " -s " + std::string(lb::to_string(spec.scheduler));
        if (spec.persistence) {
            text += print(" -p %lld", timeout_seconds(spec));
            if (const std::string mask = mask_text(spec); !mask.empty()) text += " -M " + mask;
        }
        if (spec.one_packet) text += " -o";
        if (const std::string flags = flag_names(spec); !flags.empty()) text += " -b " + flags;
        text += "\n";
        for (const std::size_t i : server_order(view.servers, listing_.sorted)) {
            const lb::ServerView& server = view.servers[i];
            text += print("-a %s -r %s %s -w %d", name.c_str(),
                          endpoint(server.address, server.port, spec).c_str(),
                          method_option(server.method), server.weight);
            text += tunnel_options(server) + "\n";
        }
        return text;
    }

    std::string endpoint(const net::IpAddress& address, std::uint16_t port,
                         const lb::ServiceSpec& spec) const {
        return host_and_port(address, port, spec.protocol, names_);
    }

  private:
    std::string service_name(const lb::ServiceSpec& spec) const {
        if (spec.fwmark != 0) {
            return print("FWM  %u%s", spec.fwmark, spec.address.is_v6() ? " IPv6" : "");
        }
        const std::string name = endpoint(spec.address, spec.port, spec);
        std::string text = print("%-4s %s", protocol_name(spec.protocol), name.c_str());
        if (!spec.address.is_v6()) text = text.substr(0, 33);
        return text;
    }

    std::string service_line(const lb::ServiceView& view, const ServiceRates* rates) const {
        const lb::ServiceSpec& spec = view.spec;
        const std::string name = service_name(spec);
        if (listing_.stats) {
            return print("%-33s", name.c_str()) + counters(view) + "\n";
        }
        if (listing_.rate) {
            const Rate rate = rates == nullptr ? Rate{} : rates->service;
            return print("%-33s", name.c_str()) + large(rate.connections, listing_.exact) +
                   large(rate.packets_in, listing_.exact) +
                   large(rate.packets_out, listing_.exact) + bytes(rate) + "\n";
        }
        std::string text = name + " " + std::string(lb::to_string(spec.scheduler));
        if (const std::string flags = flag_names(spec); !flags.empty()) text += " (" + flags + ")";
        if (spec.persistence) {
            text += print(" persistent %lld", timeout_seconds(spec));
            if (const std::string mask = mask_text(spec); !mask.empty()) text += " mask " + mask;
        }
        if (spec.one_packet) text += " ops";
        return text + "\n";
    }

    std::string server_line(const lb::ServiceSpec& spec, const lb::ServerView& server,
                            const Rate& rate) const {
        std::string name = endpoint(server.address, server.port, spec);
        if (!spec.address.is_v6()) name = name.substr(0, 28);
        std::string text = print("  -> %-28s", name.c_str());
        const auto active = static_cast<unsigned>(server.active);
        const auto inactive = static_cast<unsigned>(server.inactive);
        if (listing_.stats) return text + counters(server) + "\n";
        if (listing_.rate) {
            return text +
                   print(" %8u %8u %8u", rate.connections, rate.packets_in, rate.packets_out) +
                   bytes(rate) + "\n";
        }
        if (listing_.thresholds) {
            return text + print(" %-10u %-10u %-10u %-10u\n", server.upper_threshold,
                                server.lower_threshold, active, inactive);
        }
        if (listing_.persistent_conn) {
            return text + print(" %-9u %-11u %-10u %-10u\n", server.weight,
                                static_cast<unsigned>(server.persistent), active, inactive);
        }
        text += print(" %-7s", method_name(server.method));
        if (listing_.tunnel_info) text += print(" %-13s", tunnel_text(server).c_str());
        return text + print(" %-6d %-10u %-10u\n", server.weight, active, inactive);
    }

    template <typename View>
    std::string counters(const View& view) const {
        return large(view.connections, listing_.exact) + large(view.packets_in, listing_.exact) +
               large(view.packets_out, listing_.exact) + large(view.bytes_in, listing_.exact) +
               large(view.bytes_out, listing_.exact);
    }

    std::string bytes(const Rate& rate) const {
        return large(rate.bytes_in, listing_.exact) + large(rate.bytes_out, listing_.exact);
    }

    const Listing& listing_;
    const Names* names_;  // nullptr: numeric
};

std::vector<std::size_t> positions(std::span<const lb::ServiceView> services, bool sorted) {
    std::vector<const lb::ServiceView*> views;
    for (const lb::ServiceView& view : services) views.push_back(&view);
    if (sorted) return service_order(views);
    std::vector<std::size_t> order(services.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    return order;
}

}  // namespace

std::string list_services(const ServiceTable& table, const Listing& listing, const Names& names) {
    return print("IP Virtual Server version %s (size=%u)\n", kIpvsVersion, table.size) +
           list_service(table, listing, names);
}

std::string list_service(const ServiceTable& table, const Listing& listing, const Names& names) {
    const Writer writer(listing, names);
    std::string text = title(listing);
    for (const std::size_t i : positions(table.services, listing.sorted)) {
        text += writer.service(table.services[i], table.rates.empty() ? nullptr : &table.rates[i]);
    }
    return text;
}

std::string connections_title(const Listing& listing) {
    std::string text = "IPVS connection entries\n";
    if (listing.persistent_conn) {
        return text + print("pro expire %-11s %-18s %-18s %-18s %-16s %s\n", "state", "source",
                            "virtual", "destination", "pe name", "pe_data");
    }
    return text +
           print("pro expire %-11s %-18s %-18s %s\n", "state", "source", "virtual", "destination");
}

std::string connection_row(const lb::ConnectionView& view, const Listing& listing,
                           const Names& names) {
    const Names* shown = listing.numeric ? nullptr : &names;
    const auto end = [&view, shown](const net::IpAddress& address, std::uint16_t port) {
        return host_and_port(address, port, view.protocol, shown);
    };
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(view.expires_in).count();
    const std::string expire =
        print("%02d:%02d", static_cast<int>(left / 60), static_cast<int>(left % 60));
    return print("%-3s %-6s %-11s %-18s %-18s %s\n", protocol_name(view.protocol), expire.c_str(),
                 std::string(view.state).c_str(), end(view.client, view.client_port).c_str(),
                 end(view.virtual_address, view.virtual_port).c_str(),
                 end(view.server, view.server_port).c_str());
}

std::string list_connections(std::span<const lb::ConnectionView> connections,
                             const Listing& listing, const Names& names) {
    std::string text = connections_title(listing);
    for (const lb::ConnectionView& view : connections) {
        text += connection_row(view, listing, names);
    }
    return text;
}

std::string save(std::span<const lb::ServiceView> services, const Listing& listing,
                 const Names& names) {
    const Writer writer(listing, names);
    std::string text;
    for (const std::size_t i : positions(services, listing.sorted)) {
        text += writer.rules(services[i]);
    }
    return text;
}

std::string list_timeouts(const lb::TimeoutSpec& timeouts) {
    const auto seconds = [](lb::Duration value) {
        return static_cast<long long>(
            std::chrono::duration_cast<std::chrono::seconds>(value).count());
    };
    return print("Timeout (tcp tcpfin udp): %lld %lld %lld\n", seconds(timeouts.tcp_established),
                 seconds(timeouts.tcp_fin_wait), seconds(timeouts.udp));
}

std::string version_line() {
    return print("ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v%s)\n", kIpvsVersion);
}

}  // namespace pollux::control::ipvs
