// SPDX-License-Identifier: Apache-2.0
#include "tests/support/frame_corpus.h"

namespace pollux::test {
namespace {

constexpr const char* kClient4 = "10.0.0.1";
constexpr const char* kVip4 = "10.1.0.10";
constexpr const char* kClient6 = "2001:db8::1";
constexpr const char* kVip6 = "2001:db8:1::10";

FrameBuilder v4() {
    return frame().eth().ipv4(kClient4, kVip4);
}
FrameBuilder v6() {
    return frame().eth().ipv6(kClient6, kVip6);
}
FrameBuilder reply4() {
    return frame().eth().ipv4(kVip4, kClient4);
}
FrameBuilder reply6() {
    return frame().eth().ipv6(kVip6, kClient6);
}

void add_link_layers(std::vector<NamedFrame>& all) {
    all.push_back({"vlan", frame().eth().vlan(5).ipv4(kClient4, kVip4).tcp(1001, 80, "S")});
    all.push_back({"priority-tag", frame().eth().vlan(0, 6).ipv6(kClient6, kVip6).udp(1001, 53)});
    all.push_back({"qinq", frame().eth().service_vlan(9).vlan(5).ipv4(kClient4, kVip4).udp(1, 53)});
    all.push_back({"arp", frame().eth().arp_request(kClientMac, kClient4, kVip4).pad_to(60)});
    all.push_back({"arp-vlan", frame().eth().vlan(5).arp_request(kClientMac, kClient4, kVip4)});
    all.push_back({"padded", v4().tcp(1001, 80, "FA").pad_to(60, 0xaa)});
}

void add_transport(std::vector<NamedFrame>& all, bool six) {
    const std::string suffix = six ? "-v6" : "-v4";
    const auto ip = [six] { return six ? v6() : v4(); };
    all.push_back(
        {"tcp-syn" + suffix, ip().tcp(1001, 80, "S").tcp_options({2, 4, 5, 0xb4, 1, 3, 3, 7})});
    all.push_back({"tcp-data" + suffix, ip().tcp(1001, 80, "PA").seq(7, 9).payload(32)});
    all.push_back({"udp" + suffix, ip().udp(1001, 53).payload(24)});
    all.push_back({"udp-empty" + suffix, ip().udp(1001, 53)});
    all.push_back({"sctp" + suffix, ip().sctp(1001, 2905, 7).sctp_chunk(1, 16)});
    all.push_back({"gre" + suffix, ip().gre().ipv4("10.7.0.1", "10.8.0.1").udp(1, 2)});
    all.push_back({"ipip" + suffix, ip().ipv4("10.7.0.1", "10.8.0.1").udp(1, 2)});
}

void add_ipv4(std::vector<NamedFrame>& all) {
    all.push_back({"udp-no-checksum", v4().udp(1001, 53).no_checksum().payload(4)});
    all.push_back(
        {"options", v4().ip_options({148, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0}).tcp(1, 80, "S")});
    all.push_back(
        {"most-options", v4().ip_options({68, 40, 5,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                          11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
                                          25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36})
                             .udp(1, 53)});
    const auto parts = fragment_frame(v4().udp(1001, 53).payload(100), 84, 7);
    all.push_back({"fragment-first-v4", parts.front()});
    all.push_back({"fragment-last-v4", parts.back()});
    all.push_back({"echo-v4", v4().icmp(8, 0, 0x00010001).payload(16)});
    all.push_back(
        {"vrrp-v4",
         frame().eth().ipv4("10.0.0.4", "224.0.0.18").ttl(255).protocol(112).payload(12)});
    all.push_back({"icmp-8-bytes", v4().icmp(3, 3).quote(reply4().udp(80, 1001), 28)});
    all.push_back({"icmp-tcp-8-bytes",
                   v4().icmp(3, 4, 1400).quote(reply4().tcp(80, 1001, "A").payload(9), 28)});
    all.push_back({"icmp-long", v4().icmp(11).quote(reply4().tcp(80, 1001, "A").payload(64))});
    all.push_back({"icmp-quote-options",
                   v4().icmp(11).quote(reply4().ip_options({1, 1, 1, 1}).udp(80, 1001), 32)});
    all.push_back({"icmp-quote-fragment",
                   v4().icmp(11).quote(reply4().fragment(1480, false, 7).protocol(17).payload(8))});
    all.push_back({"icmp-quote-icmp", v4().icmp(3, 1).quote(reply4().icmp(8).payload(8))});
}

void add_ipv6(std::vector<NamedFrame>& all) {
    all.push_back({"hop-by-hop", v6().hop_by_hop().udp(1001, 53)});
    all.push_back({"extensions", v6().hop_by_hop(16)
                                     .destination_options()
                                     .routing(2, 0, 24)
                                     .authentication()
                                     .destination_options(24)
                                     .tcp(1, 80, "S")});
    all.push_back({"atomic-fragment", v6().fragment(0, false, 7).udp(1001, 53).payload(8)});
    all.push_back({"no-next-header", v6().protocol(59).payload(8)});
    const auto parts = fragment_frame(v6().udp(1001, 53).payload(100), 112, 7);
    all.push_back({"fragment-first-v6", parts.front()});
    all.push_back({"fragment-last-v6", parts.back()});
    all.push_back({"echo-v6", v6().icmpv6(128, 0, 0x00010001).payload(16)});
    all.push_back(
        {"neighbor-solicitation",
         frame().eth().ipv6(kClient6, "ff02::1:ff00:10").ttl(255).icmpv6(135).payload(24)});
    all.push_back(
        {"icmpv6-too-big", v6().icmpv6(2, 0, 1280).quote(reply6().tcp(80, 1001, "A").payload(32))});
    all.push_back({"icmpv6-8-bytes", v6().icmpv6(1, 4).quote(reply6().udp(80, 1001), 48)});
    all.push_back({"icmpv6-quote-extensions",
                   v6().icmpv6(3).quote(
                       reply6().hop_by_hop().fragment(0, true, 7).udp(80, 1001).payload(8))});
    all.push_back({"icmpv6-quote-fragment",
                   v6().icmpv6(3).quote(reply6().fragment(1232, false, 7).payload(8))});
}

}  // namespace

std::vector<NamedFrame> frame_corpus() {
    std::vector<NamedFrame> all;
    add_link_layers(all);
    add_transport(all, false);
    add_transport(all, true);
    add_ipv4(all);
    add_ipv6(all);
    return all;
}

}  // namespace pollux::test
