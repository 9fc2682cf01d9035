// SPDX-License-Identifier: Apache-2.0
// Rules of [[route]].

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "control/config/rules.h"
#include "control/config/values.h"

namespace pollux::control {

namespace {

bool has_network(const PortConfig& port, const net::IpAddress& address) {
    return std::ranges::any_of(
        port.address, [&address](const net::IpPrefix& prefix) { return prefix.contains(address); });
}

bool has_family(const PortConfig& port, net::Family family) {
    return std::ranges::any_of(port.address, [family](const net::IpPrefix& prefix) {
        return prefix.address.family == family;
    });
}

std::string networks_of(const PortConfig& port, net::Family family) {
    std::string text;
    for (const net::IpPrefix& prefix : port.address) {
        if (prefix.address.family != family) continue;
        text += (text.empty() ? "" : ", ") + prefix.network().to_string();
    }
    return text;
}

class RouteRules {
  public:
    RouteRules(const Config& config, const RouteConfig& route, Reporter& reporter)
        : config_(config),
          route_(route),
          reporter_(reporter),
          sources_(reporter.sources()),
          title_("[[route]] " + route.to.to_string()) {}

    void run() {
        if (gateway()) source();
    }

  private:
    [[nodiscard]] Place value(std::string_view key) const {
        return sources_.value(route_.origin, key);
    }

    bool gateway() {
        const bool written = route_.via.family != net::Family::None;
        if (!written && route_.dev.empty()) {
            reporter_.report("E0406", title_ + " leads nowhere")
                .at(sources_.header(route_.origin), "`via` or `dev` is missing")
                .help("via = \"198.51.100.1\", or dev = \"wan\" for what is on the link");
            return false;
        }
        if (!written) return true;
        if (route_.via.family != route_.to.address.family) {
            reporter_.report("E0406", title_ + " has a gateway of the other address family")
                .at(value("via"), "the destination is another family");
            return false;
        }
        return route_.dev.empty() ? gateway_of_some_port() : gateway_of_its_port();
    }

    bool gateway_of_some_port() {
        const net::Family family = route_.via.family;
        const bool known = std::ranges::any_of(
            config_.ports, [family](const PortConfig& port) { return has_family(port, family); });
        const bool found = std::ranges::any_of(config_.ports, [this](const PortConfig& port) {
            return has_network(port, route_.via);
        });
        if (!known || found) return true;
        reporter_.report("E0406", "the gateway of " + title_ + " is in the network of no port")
            .at(value("via"), "which port leads to it?")
            .help("dev = \"wan\", or correct the address of a port");
        return false;
    }

    // The kernel has no way to such a gateway and refuses the route; a port without the kernel's
    // side has nobody who would.
    bool gateway_of_its_port() {
        const auto port = std::ranges::find(config_.ports, route_.dev, &PortConfig::name);
        if (port == config_.ports.end() || sources_.broken(port->origin)) return true;
        const net::Family family = route_.via.family;
        if (port->exception.type == ExceptionPath::None || !has_family(*port, family)) return true;
        if (has_network(*port, route_.via) || on_link_before()) return true;
        if (route_.via.is_v6() && route_.via.is_link_local()) return true;
        const std::string text = route_.via.to_string();
        reporter_
            .report("E0406", "the gateway of " + title_ + " is in no network of port \"" +
                                 escaped(port->name) + "\"")
            .at(value("via"), "the port is in " + networks_of(*port, family))
            .at(sources_.value(port->origin, "address"), "the addresses of the port")
            .note("the kernel would refuse the route: it knows no way to the gateway")
            .help(
                "correct one of them; for a gateway outside of the networks write before this "
                "route [[route]] with to = \"" +
                text + (route_.via.is_v6() ? "/128" : "/32") + "\" and dev = \"" +
                escaped(port->name) + "\"");
        return false;
    }

    // Whether an earlier route says that the gateway is on the link: routes are set in their order.
    [[nodiscard]] bool on_link_before() const {
        for (const RouteConfig& other : config_.routes) {
            if (&other == &route_) return false;
            if (other.via.family == net::Family::None && other.dev == route_.dev &&
                other.to.contains(route_.via)) {
                return true;
            }
        }
        return false;
    }

    void source() {
        const net::IpAddress& source = route_.src;
        if (source.family == net::Family::None) return;
        if (source.family != route_.to.address.family) {
            reporter_.report("E0405", title_ + " has a source of the other address family")
                .at(value("src"), "the destination is another family");
            return;
        }
        if (is_answered_for(config_, source)) return;
        reporter_.report("E0405", "the source of " + title_ + " is no address of this node")
            .at(value("src"), "no port and no [[vrrp_instance]] has it")
            .note("the kernel would refuse the route")
            .help("remove `src`, or add the address to a port");
    }

    const Config& config_;
    const RouteConfig& route_;
    Reporter& reporter_;
    const Sources& sources_;
    std::string title_;
};

}  // namespace

void check_routes(const Config& config, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    using Key = std::tuple<net::IpPrefix, std::uint32_t, std::uint32_t>;
    std::map<Key, const RouteConfig*> seen;
    for (const RouteConfig& route : config.routes) {
        if (sources.broken(route.origin)) continue;
        RouteRules(config, route, reporter).run();
        const auto [other, fresh] =
            seen.try_emplace({route.to.network(), route.metric, route.table}, &route);
        if (fresh) continue;
        reporter
            .report("E0403", "[[route]] " + route.to.network().to_string() + " twice with metric " +
                                 std::to_string(route.metric))
            .at(sources.value(route.origin, "to"), "the second one")
            .at(sources.value(other->second->origin, "to"), "the first one")
            .note("the second one would replace the first")
            .help("another `metric` for the way that is used when the first is gone");
    }
}

}  // namespace pollux::control
