// SPDX-License-Identifier: Apache-2.0
#include "control/via/via_path.h"

#include <algorithm>
#include <utility>

#include "control/log/log.h"
#include "control/nexthop/route_builder.h"
#include "control/spec/spec_builder.h"
#include "control/via/via_tunnel.h"
#include "dataplane/net/ethernet.h"

namespace pollux::control {
namespace {

constexpr const char* kInterface = "pollux-via%d";
// Packets taken from the TUN interface per turn of the loop.
constexpr unsigned kPacketsPerTurn = 32;
// IPv6 needs as much of an interface (RFC 8200 section 5).
constexpr std::uint32_t kLeastMtu = 1280;

// What fits through every port with the largest outer header around it.
std::uint32_t device_mtu(const PortTable& ports) {
    std::uint32_t least = kLeastMtu + lb::kMaxTunnelHeader;
    bool any = false;
    for (const ControlPort& port : ports.ports) {
        if (port.interface == kNoInterface) continue;
        least = any ? std::min<std::uint32_t>(least, port.mtu) : port.mtu;
        any = true;
    }
    const std::uint32_t room = lb::kMaxTunnelHeader;
    return std::max(kLeastMtu, least > room ? least - room : 0);
}

bool overlap(const net::IpPrefix& a, const net::IpPrefix& b) {
    return a.address.family == b.address.family &&
           (a.contains(b.network().address) || b.contains(a.network().address));
}

// The address family of a bare IP packet, as EtherType.
net::Be16 ether_type(std::uint8_t first) {
    return first >> 4U == 6 ? net::kEtherTypeIpv6 : net::kEtherTypeIpv4;
}

RouteRequest route_into(const TapDevice& tun, const net::IpPrefix& range) {
    RouteRequest request;
    request.destination = range;
    request.interface = tun.interface();
    return request;
}

}  // namespace

bool has_checks_through_services(const Config& config) {
    for (const VirtualServerConfig& service : config.virtual_servers) {
        for (const RealServerConfig& server : service.real_server) {
            const auto& checks = server.check;
            if (std::ranges::any_of(checks,
                                    [](const auto& check) { return check.via.has_value(); }))
                return true;
        }
    }
    return false;
}

ViaPath::ViaPath(const ViaContext& context, const ViaRange& range, std::unique_ptr<TapDevice> tun)
    : context_(context), range_(range), translator_(range), tun_(std::move(tun)) {}

// With the interface alone the routes would go silently, and whoever watches them not learn of it.
ViaPath::~ViaPath() {
    for (const net::IpPrefix& range : routed_) {
        const Status done = context_.netlink.remove_route(route_into(*tun_, range));
        if (!done) log::debug("route not removed", {{"cause", done.error().message}});
    }
}

Result<std::unique_ptr<ViaPath>> ViaPath::open(const ViaContext& context, const ViaRange& range) {
    auto tun = TapDevice::open_tun(kInterface);
    if (!tun) return tun.error();
    std::unique_ptr<ViaPath> path(new ViaPath(context, range, std::move(tun).value()));
    if (const Status ready = path->set_up(); !ready) {
        return Error{"no way for checks with check_via = \"service\": " + ready.error().message,
                     ready.error().remedy};
    }
    return path;
}

Status ViaPath::check_free(const net::IpPrefix& range) const {
    for (const auto& [prefix, by_metric] : context_.kernel.routes.all()) {
        if (prefix.length == 0 || by_metric.empty() || !overlap(prefix, range)) continue;
        return Error{"the kernel has a route to " + prefix.to_string() + ", which overlaps " +
                         range.to_string(),
                     "choose another range: [global] stand_in_ipv4 or stand_in_ipv6"};
    }
    return ok_status();
}

Status ViaPath::set_up() {
    for (const net::IpPrefix& range : {range_.v4, range_.v6}) {
        if (const Status free = check_free(range); !free) return free;
    }
    const std::string& name = tun_->name();
    if (const std::string refused = apply_tap_sysctls(name); !refused.empty()) {
        log::warning("kernel settings refused", {{"interface", name}, {"settings", refused}});
    }
    NetlinkRequests& netlink = context_.netlink;
    const InterfaceIndex interface = tun_->interface();
    if (Status done = netlink.set_link_mtu(interface, device_mtu(context_.ports)); !done) {
        return done;
    }
    if (Status done = netlink.set_link_up(interface, true); !done) return done;
    if (Status done = netlink.add_route(route_into(*tun_, range_.v4)); !done) return done;
    routed_.push_back(range_.v4);
    if (const Status done = netlink.add_route(route_into(*tun_, range_.v6)); !done) {
        // A host without IPv6 has no IPv6 services either, mostly.
        has_v6_ = false;
        log::info("no IPv6 for checks through services", {{"cause", done.error().message}});
    } else {
        routed_.push_back(range_.v6);
    }
    watch_ = std::make_unique<FdWatch>(context_.loop, tun_->fd());
    watch_->on_readable([this] { drain(); });
    return ok_status();
}

Result<net::IpAddress> ViaPath::add(const CheckConfig& check) {
    if (check.connect_ip.is_v6() && !has_v6_) return Error{"the kernel has no IPv6", ""};
    const auto stand_in = translator_.add(check.connect_ip);
    if (!stand_in) {
        return Error{"all addresses of the stand-in range are used",
                     "a larger [global] stand_in_ipv4 or stand_in_ipv6"};
    }
    Target target;
    target.virtual_address = check.connect_ip;
    target.server = check.via->server;
    if (check.via->method == lb::ForwardingMethod::Tunnel) target.tunnel = check.via->tunnel;
    targets_[*stand_in] = target;
    return *stand_in;
}

void ViaPath::remove(const net::IpAddress& stand_in) {
    translator_.remove(stand_in, context_.now());
    targets_.erase(stand_in);
}

Result<net::IpAddress> ViaPath::begin_try(const net::IpAddress& stand_in,
                                          const net::IpAddress& bindto) {
    Target& target = targets_.at(stand_in);
    target.hop = next_hop_of(context_.kernel, context_.ports, target.server);
    const ControlPort* port = context_.ports.find(target.hop.port);
    if (port == nullptr)
        return Error{"no route through a port to " + target.server.to_string(), ""};
    const auto vips = context_.vips();
    net::IpAddress source = bindto;
    if (source.family == net::Family::None) {
        net::IpAddress towards = target.server;
        if (towards.family != target.virtual_address.family) towards = target.virtual_address;
        source = address_towards(context_.kernel, port->interface, towards, vips);
    }
    if (source.family == net::Family::None || source == target.virtual_address) {
        return Error{"port " + port->name + " has no address of its own to ask from", ""};
    }
    if (target.tunnel) {
        const net::IpAddress outer = source_towards(context_.kernel, target.server, vips);
        if (outer.family == net::Family::None) {
            return Error{"no source address for the tunnel to " + target.server.to_string(), ""};
        }
        target.header = lb::TunnelTemplate::make(to_spec(*target.tunnel), outer, target.server,
                                                 target.virtual_address.family);
    }
    translator_.begin_try(stand_in);
    return source;
}

void ViaPath::end_try(const net::IpAddress& stand_in) {
    translator_.end_try(stand_in, context_.now());
}

std::string ViaPath::hint(const net::IpAddress& stand_in) {
    if (!translator_.was_forwarded(stand_in)) return "";
    return "the server passes packets to the virtual address on: it does not have it";
}

bool ViaPath::receive(std::span<std::uint8_t> frame) {
    const std::span<std::uint8_t> packet = translator_.to_kernel(frame);
    if (packet.empty()) return false;
    if (!tun_->write(packet)) ++failures_;
    return true;
}

void ViaPath::drain() {
    constexpr std::size_t kLink = sizeof(net::EthernetHeader);
    for (unsigned i = 0; i < kPacketsPerTurn; ++i) {
        const std::span<std::uint8_t> whole(buffer_);
        const auto packet = tun_->read(whole.subspan(kRoom));
        if (!packet) return;
        if (packet->empty()) continue;
        const auto frame = whole.subspan(kRoom - kLink, kLink + packet->size());
        net::header_in<net::EthernetHeader>(frame.data()).ether_type = ether_type((*packet)[0]);
        const auto stand_in = translator_.to_server(frame, context_.now());
        if (!stand_in) continue;
        send(whole.first(kRoom + packet->size()), kRoom, targets_.at(*stand_in));
    }
}

// `room`: where in `buffer` the packet begins.
void ViaPath::send(std::span<std::uint8_t> buffer, std::size_t room, const Target& target) {
    constexpr std::size_t kLink = sizeof(net::EthernetHeader);
    std::size_t start = room;
    if (target.tunnel) start = put_in_tunnel(buffer, room, target.header, next_ip_id_);
    const std::span<std::uint8_t> frame = buffer.subspan(start - kLink);
    net::header_in<net::EthernetHeader>(frame.data()).ether_type = ether_type(buffer[start]);
    const ControlPort* port = context_.ports.find(target.hop.port);
    if (port == nullptr || frame.size() > kLink + port->mtu) {
        ++failures_;
        return;
    }
    context_.next_hops.forward(frame, target.hop, context_.now());
}

}  // namespace pollux::control
