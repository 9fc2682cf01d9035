// SPDX-License-Identifier: Apache-2.0
// The texts of bench-profile, one function a tool. Their syntax is that of Pktgen-DPDK 23 (Lua),
// TRex v3 (stateless profile, Python) and dperf 1.8 (configuration).
#include <algorithm>

#include "dataplane/lb/method_name.h"
#include "dataplane/net/endpoint.h"
#include "tools/pollux/bench_profile.h"

namespace pollux::cli {
namespace {

using control::PortConfig;

constexpr std::uint32_t kFirstPort = 1024;
constexpr std::uint32_t kPorts = 65536 - kFirstPort;

std::string in_quotes(const std::string& text) {
    return "\"" + text + "\"";
}

bool is_udp(const Profile& profile) {
    return profile.service.protocol == lb::Protocol::Udp;
}

std::string title(const Profile& profile) {
    return "virtual server " + net::endpoint(profile.service.address, profile.service.port) + " " +
           (is_udp(profile) ? "UDP" : "TCP") + ", " +
           std::string(lb::method_name(profile.service.lvs_method)) + ", " +
           std::to_string(profile.service.real_server.size()) + " real servers";
}

// How a rectangle of addresses and ports makes so many flows: as few addresses as possible.
struct Rectangle {
    std::uint32_t addresses = 1, ports = 1;
};

Rectangle spread(const Profile& profile, std::uint32_t most_addresses) {
    Rectangle result;
    result.addresses = std::min((profile.flows + kPorts - 1) / kPorts, most_addresses);
    // A power of two of addresses reads well and keeps ports in use apart.
    while (result.addresses < std::min(most_addresses, 16U) &&
           result.addresses * 2 <= profile.flows) {
        result.addresses *= 2;
    }
    result.addresses = std::min(result.addresses, most_addresses);
    result.ports = std::min(kPorts, (profile.flows + result.addresses - 1) / result.addresses);
    return result;
}

net::IpAddress advanced(net::IpAddress address, std::uint32_t by) {
    const unsigned last = address.is_v4() ? 3 : 15;
    std::uint32_t carry = by;
    for (unsigned i = 0; i < 4 && carry > 0; ++i) {
        carry += address.bytes[last - i];
        address.bytes[last - i] = static_cast<std::uint8_t>(carry);
        carry >>= 8U;
    }
    return address;
}

Error needs(const std::string& what, const std::string& remedy) {
    return {"this profile needs " + what, remedy};
}

// --- Pktgen-DPDK ---------------------------------------------------------------------------------

std::string lua_range(const std::string& field, const std::string& start, const std::string& step,
                      const std::string& last) {
    const std::string call = "pktgen.range." + field + "(port, ";
    return call + "\"start\", " + start + ")\n" + call + "\"inc\", " + step + ")\n" + call +
           "\"min\", " + start + ")\n" + call + "\"max\", " + last + ")\n";
}

Result<std::string> render_pktgen(const Profile& profile) {
    if (!profile.service.address.is_v4()) {
        return Error{"Pktgen-DPDK's ranges are for IPv4", "use --tool trex or pollux-pktgen"};
    }
    if (!profile.balancer_mac) {
        return needs("the balancer's MAC: Pktgen-DPDK does not ask for it",
                     "give --balancer-mac (`pollux show ports` names it)");
    }
    const ClientRange clients = client_range(profile.clients);
    const Rectangle flows = spread(profile, clients.count);
    const std::string vip = in_quotes(profile.service.address.to_string());
    const std::string vport = std::to_string(profile.service.port);
    std::string text =
        "-- Pktgen-DPDK: " + title(profile) + "\n" + "-- " + std::to_string(flows.addresses) +
        " clients with " + std::to_string(flows.ports) +
        " ports each; address and port advance together, so choose numbers without a common\n"
        "-- divisor where every pair shall occur. TCP segments are SYNs of no handshake.\n"
        "-- pktgen -l 0-2 -n 4 -- -P -m \"[1:2].0\" -f THIS_FILE\n"
        "package.path = package.path .. \";?.lua;test/?.lua;app/?.lua\"\n"
        "require \"Pktgen\"\n\n"
        "local port = \"0\"\nlocal seconds = 10\n\n"
        "pktgen.set(port, \"count\", 0) -- until stopped\n"
        "pktgen.set(port, \"rate\", 100) -- percent of the line\n";
    text += "pktgen.range.dst_mac(port, \"start\", " +
            in_quotes(profile.balancer_mac->to_string()) + ")\n";
    text += lua_range("src_ip", in_quotes(clients.first.to_string()), "\"0.0.0.1\"",
                      in_quotes(advanced(clients.first, flows.addresses - 1).to_string()));
    text += lua_range("dst_ip", vip, "\"0.0.0.0\"", vip);
    text += lua_range("src_port", std::to_string(kFirstPort), "1",
                      std::to_string(kFirstPort + flows.ports - 1));
    text += lua_range("dst_port", vport, "0", vport);
    text += lua_range("pkt_size", "64", "0", "64");
    text += std::string("pktgen.range.ip_proto(port, ") +
            (is_udp(profile) ? "\"udp\"" : "\"tcp\"") +
            ")\npktgen.set_range(port, \"on\")\n\n"
            "pktgen.start(port)\npktgen.delay(seconds * 1000)\npktgen.stop(port)\n"
            "local sent = pktgen.portStats(port, \"port\")[0]\n"
            "print(\"sent \" .. sent.opackets .. \", received \" .. sent.ipackets)\n";
    return text;
}

// --- TRex ----------------------------------------------------------------------------------------

std::string render_trex(const Profile& profile) {
    const ClientRange clients = client_range(profile.clients);
    const Rectangle flows = spread(profile, clients.count);
    const bool is_v4 = profile.service.address.is_v4();
    const std::string ip = is_v4 ? "IP" : "IPv6";
    const std::string l4 = is_udp(profile) ? "UDP" : "TCP";
    const std::string mac =
        profile.balancer_mac ? "dst=" + in_quotes(profile.balancer_mac->to_string()) : "";
    const net::IpAddress last = advanced(clients.first, flows.addresses - 1);
    const auto low_word = [](const net::IpAddress& address) {
        std::uint32_t word = 0;
        for (unsigned i = 12; i < 16; ++i) word = word << 8U | address.bytes[i];
        return std::to_string(word);
    };
    const std::string first_text =
        is_v4 ? in_quotes(clients.first.to_string()) : low_word(clients.first);
    const std::string last_text = is_v4 ? in_quotes(last.to_string()) : low_word(last);
    std::string text =
        "# TRex stateless: " + title(profile) + "\n" + "# " + std::to_string(flows.addresses) +
        " clients with " + std::to_string(flows.ports) + " ports each, at random\n" +
        "# trex-console: start -f THIS_FILE -p 0 -m 1mpps -d 60 -t --size=64\n" +
        (profile.balancer_mac ? ""
                              : "# The port asks for the balancer's MAC: l3 -p 0 --src OWN "
                                "--dst " +
                                    profile.service.address.to_string() + "\n") +
        "import argparse\n\nfrom trex_stl_lib.api import *\n\n\n"
        "class VirtualServer(object):\n\n"
        "    def create_stream(self, size):\n"
        "        packet = Ether(" +
        mac + ") / " + ip + "(src=" + in_quotes(clients.first.to_string()) +
        ", dst=" + in_quotes(profile.service.address.to_string()) + ") / " + l4 +
        "(sport=" + std::to_string(kFirstPort) + ", dport=" + std::to_string(profile.service.port) +
        (is_udp(profile) ? "" : ", flags=\"S\"") +
        ")\n"
        "        padding = max(0, size - 4 - len(packet)) * \"x\"\n"
        "        engine = STLScVmRaw([\n"
        "            STLVmFlowVar(name=\"client\", min_value=" +
        first_text + ", max_value=" + last_text +
        ",\n                         size=4, op=\"random\"),\n"
        "            STLVmFlowVar(name=\"port\", min_value=" +
        std::to_string(kFirstPort) + ", max_value=" + std::to_string(kFirstPort + flows.ports - 1) +
        ",\n                         size=2, op=\"random\"),\n"
        "            STLVmWrFlowVar(fv_name=\"client\", pkt_offset=\"" +
        ip + ".src\"" + (is_v4 ? "" : ", offset_fixup=12") +
        "),\n"
        "            STLVmWrFlowVar(fv_name=\"port\", pkt_offset=\"" +
        l4 +
        ".sport\"),\n"
        "            STLVmFixChecksumHw(l3_offset=\"" +
        ip + "\", l4_offset=\"" + l4 +
        "\",\n                               l4_type=CTRexVmInsFixHwCs.L4_TYPE_" + l4 +
        "),\n"
        "        ])\n"
        "        return STLStream(packet=STLPktBuilder(pkt=packet / padding, vm=engine), "
        "mode=STLTXCont())\n\n"
        "    def get_streams(self, tunables, **kwargs):\n"
        "        parser = argparse.ArgumentParser()\n"
        "        parser.add_argument(\"--size\", type=int, default=64,\n"
        "                            help=\"bytes of a frame with its check sequence\")\n"
        "        return [self.create_stream(parser.parse_args(tunables).size)]\n\n\n"
        "def register():\n    return VirtualServer()\n";
    return text;
}

// --- dperf ---------------------------------------------------------------------------------------

// Real servers that follow one another with one port; dperf knows no others.
Result<std::vector<net::IpAddress>> consecutive_servers(const Profile& profile) {
    std::vector<net::IpAddress> servers;
    for (const auto& server : profile.service.real_server) servers.push_back(server.address);
    std::sort(servers.begin(), servers.end());
    for (std::size_t i = 1; i < servers.size(); ++i) {
        if (advanced(servers[i - 1], 1) == servers[i]) continue;
        return Error{"the real servers are no range of addresses, as dperf's server wants one",
                     "run one dperf for each range, or real servers"};
    }
    return servers;
}

Result<std::string> render_dperf(const Profile& profile, const ProfileOptions& options) {
    constexpr std::uint32_t kMostAddresses = 254;
    const bool is_client = options.role == "client";
    const net::IpAddress own = is_client ? profile.address : profile.server_address;
    const net::IpAddress gateway = is_client ? profile.service.address : profile.server_next_hop;
    if (options.pci.empty()) return needs("the generator's NIC", "give --pci 0000:03:00.0");
    if (own.family == net::Family::None) {
        return needs("the generator's own address",
                     is_client ? "give --address" : "give --server-address");
    }
    if (gateway.family == net::Family::None) {
        return needs("the balancer's address on the servers' side",
                     "write address in its [[dpdk.port]]");
    }
    const ClientRange clients = client_range(profile.clients);
    const std::uint32_t addresses =
        std::min(spread(profile, clients.count).addresses, kMostAddresses);
    const std::string gateway_mac =
        is_client && profile.balancer_mac ? " " + profile.balancer_mac->to_string() : "";
    std::string text = "# dperf: " + title(profile) + "\n";
    text += "mode            " + options.role + "\n";
    text += "cpu             1\n";
    text += "port            " + options.pci + " " + own.to_string() + " " + gateway.to_string() +
            gateway_mac + "\n";
    text += std::string("protocol        ") + (is_udp(profile) ? "udp" : "tcp") + "\n";
    text += "duration        60s\n";
    text += "client          " + clients.first.to_string() + " " + std::to_string(addresses) + "\n";
    if (is_client) {
        text += "server          " + profile.service.address.to_string() + " 1\n";
        text += "listen          " + std::to_string(profile.service.port) + " 1\n";
        text += "cps             10k\n";
        text += "cc              " + std::to_string(profile.flows) + "\n";
        text += "keepalive       1ms\n";
        text += "packet_size     64\n";
        return text;
    }
    const Result<std::vector<net::IpAddress>> servers = consecutive_servers(profile);
    if (!servers) return servers.error();
    text += "server          " + servers->front().to_string() + " " +
            std::to_string(servers->size()) + "\n";
    text += "listen          " + std::to_string(profile.service.real_server.front().port) + " 1\n";
    text += "keepalive       10s\n";
    text += "packet_size     64\n";
    if (servers->size() > 1) text += "rss\n";
    return text;
}

// --- pollux-pktgen -------------------------------------------------------------------------------

// The other end of a memif link, or the NIC that was named.
Result<std::string> device_line(const PortConfig& port, const std::string& pci,
                                const std::string& option) {
    if (!pci.empty()) return "pci = " + in_quotes(pci) + "\n";
    constexpr std::string_view kServer = "role=server";
    const std::size_t at = port.vdev.find(kServer);
    if (port.vdev.starts_with("net_memif") && at != std::string::npos) {
        std::string other = port.vdev;
        return "vdev = " + in_quotes(other.replace(at, kServer.size(), "role=client")) + "\n";
    }
    return needs("the NIC that is connected to port '" + port.name + "'",
                 "give " + option + " 0000:03:00.0");
}

std::string optional_line(const char* key, const net::IpAddress& address) {
    return address.family == net::Family::None
               ? ""
               : std::string(key) + " = " + in_quotes(address.to_string()) + "\n";
}

Result<std::string> render_port_list(const Profile& profile, const ProfileOptions& options) {
    const Result<std::string> device = device_line(profile.client_port, options.pci, "--pci");
    if (!device) return device.error();
    if (profile.address.family == net::Family::None && !profile.balancer_mac) {
        return needs("the generator's own address, to ask for the balancer's MAC",
                     "give --address or --balancer-mac");
    }
    std::string text = "[[port]]\nname = " + in_quotes(profile.client_port.name) + "\n" + *device +
                       optional_line("address", profile.address);
    if (profile.balancer_mac) {
        text += "next_hop_mac = " + in_quotes(profile.balancer_mac->to_string()) + "\n";
    }
    if (profile.one_network) return text + "carries = \"both\"\n\n";
    const Result<std::string> server_device =
        device_line(profile.server_port, options.server_pci, "--server-pci");
    if (!server_device) return server_device.error();
    return text +
           "carries = \"clients\"\n\n[[port]]\nname = " + in_quotes(profile.server_port.name) +
           "\n" + *server_device + optional_line("address", profile.server_address) +
           optional_line("next_hop", profile.server_next_hop) + "carries = \"servers\"\n\n";
}

Result<std::string> render_pollux_pktgen(const Profile& profile, const ProfileOptions& options) {
    const Result<std::string> ports = render_port_list(profile, options);
    if (!ports) return ports.error();
    const auto& service = profile.service;
    std::string text = "# pollux-pktgen: " + title(profile) + "\n" + *ports;
    text += "[service]\naddress = " + in_quotes(service.address.to_string()) +
            "\nport = " + std::to_string(service.port) +
            "\nlvs_method = " + in_quotes(std::string(lb::method_name(service.lvs_method))) +
            "\n\n";
    for (const auto& server : service.real_server) {
        text += "[[server]]\naddress = " + in_quotes(server.address.to_string()) +
                "\nport = " + std::to_string(server.port) + "\n\n";
    }
    return text + "[traffic]\nkind = " + (is_udp(profile) ? "\"udp\"" : "\"tcp\"") +
           "\nflows = " + std::to_string(profile.flows) +
           "\nclients = " + in_quotes(profile.clients.to_string()) + "\n";
}

std::string other_services(const Profile& profile, const char* comment) {
    std::string text;
    for (const std::string& other : profile.others) {
        text += std::string(comment) + " also in the file: --service " + other + "\n";
    }
    return text;
}

}  // namespace

Result<std::string> render_profile(const Profile& profile, const ProfileOptions& options) {
    if (profile.service.protocol == lb::Protocol::Sctp) {
        return Error{"the generators do not send SCTP", "choose another --service"};
    }
    const char* comment = options.tool == ProfileTool::Pktgen ? "--" : "#";
    const auto with_others = [&](const Result<std::string>& text) -> Result<std::string> {
        if (!text) return text.error();
        return other_services(profile, comment) + *text;
    };
    switch (options.tool) {
        case ProfileTool::Pktgen:
            return with_others(render_pktgen(profile));
        case ProfileTool::Trex:
            return with_others(render_trex(profile));
        case ProfileTool::Dperf:
            return with_others(render_dperf(profile, options));
        case ProfileTool::PolluxPktgen:
            return with_others(render_pollux_pktgen(profile, options));
    }
    return Error{"unknown tool", ""};
}

}  // namespace pollux::cli
