// SPDX-License-Identifier: Apache-2.0
// Each malformed frame has its own reason, in the general parser and in the quick one alike.
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/net/parse.h"
#include "tests/support/frame_builder.h"
#include "tests/support/frame_text.h"

namespace pollux::net {
namespace {

using test::Bytes;
using test::frame;
using test::FrameBuilder;

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

struct Case {
    const char* what;
    Bytes bytes;
    ParseError error;
    std::uint16_t checksums = 0;
};

Bytes cut(Bytes bytes, std::size_t size) {
    bytes.resize(size);
    return bytes;
}

void expect_errors(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
        const ParseInput input{c.bytes, static_cast<std::uint32_t>(c.bytes.size()), c.checksums};
        ParsedPacket packet;
        EXPECT_EQ(parse(input, packet), c.error) << c.what << ": " << test::describe(c.bytes);
        EXPECT_EQ(parse_any(input, packet), c.error) << c.what;
    }
}

TEST(ParseRejects, BadLinkLayers) {
    const Bytes tagged = frame().eth().vlan(1).ipv4(kClient4, kVip4).udp(1, 2);
    const Bytes request = frame().eth().arp_request(test::kClientMac, kClient4, kVip4);
    expect_errors({
        {"nothing", {}, ParseError::FrameTooShort},
        {"13 bytes", cut(v4().udp(1, 2), 13), ParseError::FrameTooShort},
        {"half a VLAN tag", cut(tagged, 17), ParseError::FrameTooShort},
        {"three tags",
         frame().eth().service_vlan(1).vlan(2).vlan(3).ipv4(kClient4, kVip4).udp(1, 2),
         ParseError::TooManyVlanTags},
        {"MPLS", frame().eth().ether_type(0x8847).payload(50), ParseError::UnknownEtherType},
        {"IEEE 802.3 length", frame().eth().ether_type(46).payload(46),
         ParseError::UnknownEtherType},
        {"nothing behind a tag", frame().eth().vlan(1).ether_type(0x88cc).payload(46),
         ParseError::UnknownEtherType},
        {"short ARP", cut(request, 14 + 27), ParseError::ArpMalformed},
        {"ARP of other hardware",
         frame().eth().arp_request(test::kClientMac, kClient4, kVip4).set16(0, 6).pad_to(60),
         ParseError::ArpMalformed},
        {"ARP of other protocol",
         frame().eth().arp_request(test::kClientMac, kClient4, kVip4).set16(2, 0x86dd).pad_to(60),
         ParseError::ArpMalformed},
    });
}

TEST(ParseRejects, BadIpv4Headers) {
    const Bytes tcp = v4().tcp(1, 2, "S");
    expect_errors({
        {"no IP header", cut(tcp, 14), ParseError::Ipv4HeaderTruncated},
        {"19 bytes of it", cut(tcp, 33), ParseError::Ipv4HeaderTruncated},
        {"version 5", v4().set8(0, 0x55).tcp(1, 2, "S"), ParseError::Ipv4BadVersion},
        {"version 0", v4().set8(0, 0x05).tcp(1, 2, "S"), ParseError::Ipv4BadVersion},
        {"IHL 4", v4().set8(0, 0x44).tcp(1, 2, "S"), ParseError::Ipv4BadHeaderLength},
        {"IHL 0", v4().set8(0, 0x40).tcp(1, 2, "S"), ParseError::Ipv4BadHeaderLength},
        {"IHL beyond the frame", v4().set8(0, 0x4f).udp(1, 2), ParseError::Ipv4BadHeaderLength},
        {"total length 0", v4().set16(2, 0).tcp(1, 2, "S"), ParseError::Ipv4BadTotalLength},
        {"total length below IHL", v4().set16(2, 19).tcp(1, 2, "S").pad_to(60),
         ParseError::Ipv4BadTotalLength},
        {"total length below its options", v4().ip_options({1, 1, 1, 1}).set16(2, 23).udp(1, 2),
         ParseError::Ipv4BadTotalLength},
        {"total length beyond the frame", v4().set16(2, 41).tcp(1, 2, "S"),
         ParseError::Ipv4BadTotalLength},
        {"frame cut", cut(tcp, tcp.size() - 1), ParseError::Ipv4BadTotalLength},
        {"checksum", v4().bad_checksum().tcp(1, 2, "S"), ParseError::Ipv4BadChecksum},
        {"checksum with options", v4().ip_options({1, 1, 1, 1}).bad_checksum().tcp(1, 2, "S"),
         ParseError::Ipv4BadChecksum},
        {"checksum that the NIC refused", tcp, ParseError::Ipv4BadChecksum, RxChecksum::kIpBad},
        {"checksum that the NIC contradicts itself about", tcp, ParseError::Ipv4BadChecksum,
         RxChecksum::kIpBad | RxChecksum::kIpGood},
    });
}

TEST(ParseRejects, BadIpv4Addresses) {
    for (const char* source : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.255", "224.0.0.18",
                               "239.255.255.255", "255.255.255.255"}) {
        expect_errors({{source, frame().eth().ipv4(source, kVip4).tcp(1, 2, "S"),
                        ParseError::Ipv4BadSource}});
    }
    for (const char* destination : {"224.0.1.1", "225.0.0.1", "255.255.255.254"}) {
        expect_errors({{destination, frame().eth().ipv4("0.0.0.0", destination).udp(68, 67),
                        ParseError::Ipv4BadSource}});
    }
    expect_errors(
        {{"0.0.0.1 to everybody", frame().eth().ipv4("0.0.0.1", "255.255.255.255").udp(68, 67),
          ParseError::Ipv4BadSource}});
    for (const char* source :
         {"1.0.0.0", "126.0.0.1", "128.0.0.1", "223.255.255.255", "240.0.0.1", "255.255.255.254"}) {
        expect_errors(
            {{source, frame().eth().ipv4(source, kVip4).tcp(1, 2, "S"), ParseError::None}});
    }
    expect_errors(
        {{"source equals destination", frame().eth().ipv4(kVip4, kVip4).tcp(80, 80, "S"),
          ParseError::LandAttack},
         {"the same of ICMP", frame().eth().ipv4(kVip4, kVip4).icmp(8), ParseError::LandAttack}});
}

TEST(ParseRejects, BadIpv4Options) {
    expect_errors({
        {"loose source route", v4().ip_options({131, 7, 4, 10, 0, 0, 9}).tcp(1, 2, "S"),
         ParseError::Ipv4SourceRoute},
        {"strict source route", v4().ip_options({1, 137, 7, 4, 10, 0, 0, 9}).udp(1, 2),
         ParseError::Ipv4SourceRoute},
        {"option of length 0", v4().ip_options({7, 0, 0, 0}).udp(1, 2), ParseError::Ipv4BadOption},
        {"option of length 1", v4().ip_options({7, 1, 0, 0}).udp(1, 2), ParseError::Ipv4BadOption},
        {"option beyond the header", v4().ip_options({7, 5, 4, 0}).udp(1, 2),
         ParseError::Ipv4BadOption},
        {"option without length", v4().ip_options({1, 1, 1, 7}).udp(1, 2),
         ParseError::Ipv4BadOption},
    });
}

TEST(ParseRejects, BadIpv6Headers) {
    const Bytes tcp = v6().tcp(1, 2, "S");
    expect_errors({
        {"39 bytes of it", cut(tcp, 53), ParseError::Ipv6HeaderTruncated},
        {"version 4", v6().set8(0, 0x40).tcp(1, 2, "S"), ParseError::Ipv6BadVersion},
        {"payload length beyond the frame", v6().set16(4, 21).tcp(1, 2, "S"),
         ParseError::Ipv6BadPayloadLength},
        {"frame cut", cut(tcp, tcp.size() - 1), ParseError::Ipv6BadPayloadLength},
        {"source equals destination", frame().eth().ipv6(kVip6, kVip6).tcp(1, 2, "S"),
         ParseError::LandAttack},
    });
    for (const char* source : {"ff02::1", "::1", "::ffff:10.0.0.1", "::"}) {
        expect_errors(
            {{source, frame().eth().ipv6(source, kVip6).tcp(1, 2, "S"), ParseError::Ipv6BadSource},
             {source, frame().eth().ipv6(source, kVip6).hop_by_hop().udp(1, 2),
              ParseError::Ipv6BadSource}});
    }
    for (const char* source :
         {"::2", "0:0:0:1::", "::fffe:10.0.0.1", "1::ffff:10.0.0.1", "fe80::1"}) {
        expect_errors(
            {{source, frame().eth().ipv6(source, kVip6).tcp(1, 2, "S"), ParseError::None}});
    }
}

TEST(ParseRejects, BadIpv6ExtensionHeaders) {
    auto nine = v6();
    for (unsigned i = 0; i <= kMaxIpv6ExtensionHeaders; ++i) nine.destination_options();
    expect_errors({
        {"nine headers", nine.tcp(1, 2, "S"), ParseError::Ipv6BadExtension},
        {"264 bytes", v6().destination_options(8).destination_options(256).udp(1, 2),
         ParseError::Ipv6BadExtension},
        {"hop-by-hop not first", v6().destination_options().hop_by_hop().udp(1, 2),
         ParseError::Ipv6BadExtension},
        {"two hop-by-hop", v6().hop_by_hop().hop_by_hop().udp(1, 2), ParseError::Ipv6BadExtension},
        {"header beyond the packet", v6().destination_options().set8(1, 200).udp(1, 2),
         ParseError::Ipv6BadExtension},
        {"header beyond the packet, in the padding",
         v6().destination_options().set8(1, 4).udp(1, 2).pad_to(200), ParseError::Ipv6BadExtension},
        {"no room for a header", v6().protocol(60).payload(7), ParseError::Ipv6BadExtension},
        {"AH of 8 bytes", v6().authentication().set8(1, 0).udp(1, 2), ParseError::Ipv6BadExtension},
        {"two atomic fragment headers", v6().fragment(0, false, 1).fragment(0, false, 1).udp(1, 2),
         ParseError::Ipv6BadExtension},
        {"a fragment within a fragment",
         v6().fragment(0, true, 1).fragment(0, true, 1).udp(1, 2).payload(8),
         ParseError::Ipv6BadExtension},
        {"routing header 0", v6().routing(0, 0, 24).udp(1, 2), ParseError::Ipv6RoutingHeader0},
        {"routing header 0 with segments", v6().routing(0, 1, 24).udp(1, 2),
         ParseError::Ipv6RoutingHeader0},
        {"segment routing under way", v6().routing(4, 1, 24).udp(1, 2),
         ParseError::Ipv6SourceRoute},
        {"segment routing done", v6().routing(4, 0, 24).udp(1, 2), ParseError::None},
    });
}

TEST(ParseRejects, BadTransportHeaders) {
    for (const bool six : {false, true}) {
        const auto ip = [six] { return six ? v6() : v4(); };
        expect_errors({
            {"19 bytes of TCP", ip().protocol(6).payload(19), ParseError::TcpHeaderTruncated},
            {"no TCP", ip().protocol(6).pad_to(90), ParseError::TcpHeaderTruncated},
            {"data offset 4", ip().tcp(1, 2, "S").set8(12, 0x40), ParseError::TcpBadDataOffset},
            {"data offset beyond the packet", ip().tcp(1, 2, "S").set8(12, 0x60),
             ParseError::TcpBadDataOffset},
            {"data offset into the padding", ip().tcp(1, 2, "S").set8(12, 0x60).pad_to(90),
             ParseError::TcpBadDataOffset},
            {"7 bytes of UDP", ip().protocol(17).payload(7), ParseError::UdpHeaderTruncated},
            {"UDP length 7", ip().udp(1, 2).set16(4, 7), ParseError::UdpBadLength},
            {"UDP length 0", ip().udp(1, 2).set16(4, 0), ParseError::UdpBadLength},
            {"UDP length beyond", ip().udp(1, 2).set16(4, 9).pad_to(90), ParseError::UdpBadLength},
            {"UDP length short of it", ip().udp(1, 2).set16(4, 8).payload(3), ParseError::None},
            {"11 bytes of SCTP", ip().protocol(132).payload(11), ParseError::SctpHeaderTruncated},
            {"7 bytes of ICMP", ip().protocol(six ? 58 : 1).payload(7),
             ParseError::IcmpHeaderTruncated},
        });
    }
    const Bytes offender = frame().eth().ipv4(kVip4, kClient4).udp(80, 1001);
    const Bytes offender6 = frame().eth().ipv6(kVip6, kClient6).udp(80, 1001);
    expect_errors({
        {"ICMP error", v4().icmp(3, 1).bad_checksum().quote(offender), ParseError::IcmpBadChecksum},
        {"ICMPv6 error", v6().icmpv6(1).bad_checksum().quote(offender6),
         ParseError::IcmpBadChecksum},
        {"ICMP error that the NIC knows better", v4().icmp(3, 1).bad_checksum().quote(offender),
         ParseError::None, RxChecksum::kL4Good},
    });
}

TEST(ParseRejects, BadFragments) {
    for (const bool six : {false, true}) {
        const auto part = [six](unsigned offset, bool more) {
            auto builder = six ? v6() : v4();
            builder.fragment(static_cast<std::uint16_t>(offset), more, 7);
            return builder;
        };
        expect_errors({
            {"first with half of TCP", part(0, true).protocol(6).payload(16),
             ParseError::FragmentTooSmall},
            {"first with half of UDP's options",
             part(0, true).tcp(1, 2, "S").set8(12, 0x80).payload(4), ParseError::FragmentTooSmall},
            {"first with 8 bytes of SCTP", part(0, true).protocol(132).payload(8),
             ParseError::FragmentTooSmall},
            {"first with its UDP length", part(0, true).udp(1, 2).set16(4, 4000).payload(800),
             ParseError::None},
            {"middle one of odd size", part(800, true).protocol(17).payload(801),
             ParseError::FragmentBadLength},
            {"last one of odd size", part(800, false).protocol(17).payload(801), ParseError::None},
            {"empty last", part(800, false).protocol(17), ParseError::FragmentBadLength},
            {"empty middle", part(800, true).protocol(17), ParseError::FragmentBadLength},
            {"beyond 65535", part(65528, false).protocol(17).payload(8),
             ParseError::FragmentOversize},
            {"up to 65528", part(65000, true).protocol(17).payload(400), ParseError::None},
        });
    }
    expect_errors({
        // RFC 7112: all headers belong into the first fragment.
        {"chain continues in the next fragment", v6().fragment(0, true, 7).protocol(60).payload(0),
         ParseError::FragmentTooSmall},
        {"chain cut by the fragment",
         v6().fragment(0, true, 7).destination_options(8).set8(1, 9).payload(64),
         ParseError::FragmentTooSmall},
    });
}

// RFC 791: a datagram has at most 65535 bytes, headers included; RFC 8200: 65535 of payload.
TEST(ParseRejects, OversizeCountsTheHeadersToo) {
    expect_errors({
        {"v4 at the limit", v4().fragment(65504, false, 1).protocol(17).payload(11),
         ParseError::None},
        {"v4 beyond it", v4().fragment(65504, false, 1).protocol(17).payload(12),
         ParseError::FragmentOversize},
        {"v4 options count",
         v4().ip_options({1, 1, 1, 1}).fragment(65504, false, 1).protocol(17).payload(8),
         ParseError::FragmentOversize},
        {"v6 at the limit", v6().fragment(65528, false, 1).protocol(17).payload(7),
         ParseError::None},
        {"v6 beyond it", v6().fragment(65528, false, 1).protocol(17).payload(8),
         ParseError::FragmentOversize},
        {"v6 options count", v6().hop_by_hop().fragment(65528, false, 1).protocol(17).payload(1),
         ParseError::FragmentOversize},
    });
}

// The frame goes on in another buffer: `contiguous` bytes are here.
ParseError of_segments(const Bytes& bytes, std::size_t contiguous) {
    ParsedPacket packet;
    const ParseInput input{std::span(bytes).first(contiguous),
                           static_cast<std::uint32_t>(bytes.size()), 0};
    return parse(input, packet);
}

TEST(ParseRejects, HeadersAcrossSegments) {
    const Bytes offender = frame().eth().ipv4(kVip4, kClient4).udp(80, 1001);
    struct Segmented {
        Bytes bytes;
        std::size_t needed;
    };
    for (const Segmented& c :
         {Segmented{v4().tcp(1, 2, "S").tcp_options({1, 1, 1, 1}).payload(100), 58},
          Segmented{v6().tcp(1, 2, "S").payload(100), 74}, Segmented{v4().udp(1, 2).payload(9), 42},
          Segmented{v6().hop_by_hop(24).udp(1, 2).payload(9), 86},
          Segmented{v4().ip_options({1, 1, 1, 1}).sctp(1, 2).payload(9), 50},
          Segmented{v4().icmp(3, 1).quote(offender), 42},
          Segmented{frame().eth().vlan(1).ipv4(kClient4, kVip4).udp(1, 2).payload(9), 46},
          Segmented{frame().eth().arp_request(test::kClientMac, kClient4, kVip4).pad_to(60), 42}}) {
        for (std::size_t contiguous = 0; contiguous < c.bytes.size(); ++contiguous) {
            EXPECT_EQ(of_segments(c.bytes, contiguous),
                      contiguous < c.needed ? ParseError::MultiSegment : ParseError::None)
                << contiguous << " of " << test::describe(c.bytes);
        }
    }
}

}  // namespace
}  // namespace pollux::net
