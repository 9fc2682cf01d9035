// SPDX-License-Identifier: Apache-2.0
#include "tools/pollux/rs_setup.h"

#include <optional>

namespace pollux::cli {
namespace {

constexpr const char* kUsage =
    "pollux rs-setup --method dr|tun --vip ADDRESS... | --method nat --director ADDRESS | "
    "--method fnat";

std::string host_prefix(const net::IpAddress& address) {
    return address.to_string() + (address.is_v4() ? "/32" : "/128");
}

bool has_family(const RealServerSetup& setup, net::Family family) {
    for (const net::IpAddress& vip : setup.vips) {
        if (vip.family == family) return true;
    }
    return false;
}

// The server must not answer ARP for the VIP that it shares with Pollux. IPv6 needs nothing: Linux
// answers solicitations only for addresses of the interface that was asked.
std::string quiet_arp() {
    return "# do not answer ARP for the VIP, and do not announce it\n"
           "sysctl -w net.ipv4.conf.all.arp_ignore=1\n"
           "sysctl -w net.ipv4.conf.all.arp_announce=2\n";
}

std::string render_dr(const RealServerSetup& setup) {
    std::string out =
        "# on each real server, as root (DR: the answer goes directly to the client)\n";
    if (has_family(setup, net::Family::V4)) out += quiet_arp();
    out += "# accept packets for the VIP\n";
    for (const net::IpAddress& vip : setup.vips) {
        out += "ip address add " + host_prefix(vip) + " dev lo\n";
    }
    return out +
           "# the service must listen on the VIP or on all addresses, at the service's port\n";
}

std::string render_tun(const RealServerSetup& setup) {
    std::string out = "# on each real server, as root (TUN: packets arrive encapsulated)\n";
    const bool v4 = has_family(setup, net::Family::V4);
    if (v4) {
        out += quiet_arp() +
               "modprobe ipip\n"
               "ip link set tunl0 up\n"
               "# what comes out of the tunnel has a source that is routed elsewhere\n"
               "sysctl -w net.ipv4.conf.all.rp_filter=0\n"
               "sysctl -w net.ipv4.conf.tunl0.rp_filter=0\n";
    }
    if (has_family(setup, net::Family::V6)) {
        out += "modprobe ip6_tunnel\nip link set ip6tnl0 up\n";
    }
    for (const net::IpAddress& vip : setup.vips) {
        out += "ip address add " + host_prefix(vip) + " dev " +
               (vip.is_v4() ? "tunl0" : "ip6tnl0") + "\n";
    }
    return out +
           "# the service must listen on the VIP or on all addresses, at the service's port\n";
}

std::string render_nat(const RealServerSetup& setup) {
    const std::string family = setup.director.is_v6() ? "-6 " : "";
    return "# on each real server, as root (NAT: the answers must come back through Pollux)\n"
           "ip " +
           family + "route replace default via " + setup.director.to_string() + "\n";
}

}  // namespace

Result<RealServerSetup> parse_rs_setup(const std::vector<std::string>& args) {
    RealServerSetup setup;
    for (std::size_t i = 0; i + 1 < args.size(); i += 2) {
        const std::string& name = args[i];
        const std::string& value = args[i + 1];
        if (name == "--method") {
            setup.method = value;
            continue;
        }
        if (name != "--vip" && name != "--director") {
            return Error{"unknown option " + name, kUsage};
        }
        const auto address = net::IpAddress::parse(value);
        if (!address) return Error{value + " is not an address", kUsage};
        if (name == "--vip") {
            setup.vips.push_back(*address);
        } else {
            setup.director = *address;
        }
    }
    if (args.size() % 2 != 0) return Error{args.back() + " needs a value", kUsage};
    const bool needs_vip = setup.method == "dr" || setup.method == "tun";
    if (!needs_vip && setup.method != "nat" && setup.method != "fnat") {
        return Error{"--method is dr, tun, nat or fnat", kUsage};
    }
    if (needs_vip && setup.vips.empty()) return Error{"--vip is missing", kUsage};
    if (setup.method == "nat" && setup.director.family == net::Family::None) {
        return Error{"--director is missing: Pollux's address on the servers' network", kUsage};
    }
    return setup;
}

std::string render_rs_setup(const RealServerSetup& setup) {
    if (setup.method == "dr") return render_dr(setup);
    if (setup.method == "tun") return render_tun(setup);
    if (setup.method == "nat") return render_nat(setup);
    return "# FullNAT: nothing to set up, the servers answer to Pollux's own address\n";
}

}  // namespace pollux::cli
