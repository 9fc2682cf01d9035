// SPDX-License-Identifier: Apache-2.0
#include "control/via/via_translator.h"

#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "tests/support/frame_builder.h"
#include "tests/support/frame_text.h"
#include "tests/unit/control/builders.h"

namespace pollux::control {
namespace {

using namespace testing;
using std::chrono::seconds;
using test::Bytes;
using test::frame;
using test::FrameBuilder;
using test::same_frame;

constexpr const char* kVip4 = "10.0.0.100";
constexpr const char* kVip6 = "fd00:1::100";
constexpr const char* kOwn4 = "10.0.0.5";
constexpr const char* kOwn6 = "fd00:1::5";
const ViaRange kRange{prefix("240.112.0.0/16"), prefix("fd70::/64")};

FrameBuilder packet(bool v6, const std::string& source, const std::string& destination) {
    FrameBuilder builder = frame().eth();
    return v6 ? builder.ipv6(source, destination) : builder.ipv4(source, destination);
}

Bytes ip_of(const Bytes& bytes) {
    return {bytes.begin() + 14, bytes.end()};
}

// The same for both families and all protocols: out, and back.
struct Shape {
    std::string name;
    bool v6;
    // Adds layer 4: from this node with that port, or to it.
    std::function<FrameBuilder(FrameBuilder, std::uint16_t own)> out, back;
};

std::vector<Shape> shapes() {
    std::vector<Shape> all;
    for (const bool v6 : {false, true}) {
        const std::string family = v6 ? "V6" : "V4";
        all.push_back({"Tcp" + family, v6,
                       [](FrameBuilder f, std::uint16_t own) { return f.tcp(own, 80, "S"); },
                       [](FrameBuilder f, std::uint16_t own) { return f.tcp(80, own, "SA"); }});
        all.push_back(
            {"TcpWithData" + family, v6,
             [](FrameBuilder f, std::uint16_t own) { return f.tcp(own, 80, "PA").payload(101); },
             [](FrameBuilder f, std::uint16_t own) { return f.tcp(80, own, "PA").payload(1000); }});
        all.push_back(
            {"Udp" + family, v6,
             [](FrameBuilder f, std::uint16_t own) { return f.udp(own, 53).payload(3); },
             [](FrameBuilder f, std::uint16_t own) { return f.udp(53, own).payload(64); }});
        const auto echo = [v6](std::uint8_t type4, std::uint8_t type6) {
            return [=](FrameBuilder f, std::uint16_t own) {
                const std::uint32_t body = (std::uint32_t{own} << 16U) | 7;
                return (v6 ? f.icmpv6(type6, 0, body) : f.icmp(type4, 0, body)).payload(24);
            };
        };
        all.push_back({"Echo" + family, v6, echo(8, 128), echo(0, 129)});
    }
    all.push_back(
        {"UdpWithoutChecksum", false,
         [](FrameBuilder f, std::uint16_t own) { return f.udp(own, 53).no_checksum().payload(3); },
         [](FrameBuilder f, std::uint16_t own) {
             return f.udp(53, own).no_checksum().payload(9);
         }});
    return all;
}

class ViaTranslatorShapes : public ::testing::TestWithParam<Shape> {
  protected:
    [[nodiscard]] std::string own() const { return GetParam().v6 ? kOwn6 : kOwn4; }
    [[nodiscard]] std::string vip() const { return GetParam().v6 ? kVip6 : kVip4; }
    net::IpAddress begin_one() {
        const auto stand_in = translator_.add(ip(vip()));
        translator_.begin_try(*stand_in);
        return *stand_in;
    }
    [[nodiscard]] Bytes from_kernel(const net::IpAddress& stand_in) const {
        return GetParam().out(packet(GetParam().v6, own(), stand_in.to_string()), 40000);
    }
    [[nodiscard]] Bytes on_wire(std::uint16_t port) const {
        const bool echo = GetParam().name.starts_with("Echo");
        return GetParam().out(packet(GetParam().v6, own(), vip()).ttl(echo ? 1 : 2), port);
    }

    ViaTranslator translator_{kRange};
};

TEST_P(ViaTranslatorShapes, ThePacketGoesToTheVirtualAddress) {
    const net::IpAddress stand_in = begin_one();
    Bytes bytes = from_kernel(stand_in);

    EXPECT_EQ(translator_.to_server(bytes, at(seconds(0))), stand_in);

    EXPECT_TRUE(same_frame(bytes, on_wire(40000)));
    EXPECT_EQ(translator_.counters().sent, 1U);
}

TEST_P(ViaTranslatorShapes, TheAnswerComesFromTheStandIn) {
    const net::IpAddress stand_in = begin_one();
    Bytes out = from_kernel(stand_in);
    translator_.to_server(out, at(seconds(0)));
    Bytes answer = GetParam().back(packet(GetParam().v6, vip(), own()), 40000);

    const auto translated = translator_.to_kernel(answer);

    const Bytes expected =
        GetParam().back(packet(GetParam().v6, stand_in.to_string(), own()), 40000);
    EXPECT_TRUE(same_frame(Bytes(translated.begin(), translated.end()), ip_of(expected)));
    EXPECT_EQ(translator_.counters().received, 1U);
}

TEST_P(ViaTranslatorShapes, TwoServersWithTheSameAddressAreToldApart) {
    const net::IpAddress first = begin_one(), second = begin_one();
    Bytes one = from_kernel(first), two = from_kernel(second);
    translator_.to_server(one, at(seconds(0)));
    translator_.to_server(two, at(seconds(0)));

    EXPECT_TRUE(same_frame(two, on_wire(40001)));
    Bytes answer = GetParam().back(packet(GetParam().v6, vip(), own()), 40001);
    const auto translated = translator_.to_kernel(answer);

    const Bytes expected = GetParam().back(packet(GetParam().v6, second.to_string(), own()), 40000);
    EXPECT_TRUE(same_frame(Bytes(translated.begin(), translated.end()), ip_of(expected)));
}

INSTANTIATE_TEST_SUITE_P(All, ViaTranslatorShapes, ::testing::ValuesIn(shapes()),
                         [](const auto& parameter) { return parameter.param.name; });

TEST(ViaTranslator, ABadChecksumDoesNotBecomeGood) {
    ViaTranslator translator(kRange);
    const auto stand_in = translator.add(ip(kVip4));
    translator.begin_try(*stand_in);
    Bytes out = packet(false, kOwn4, stand_in->to_string()).tcp(40000, 80, "S").bad_checksum();
    translator.to_server(out, at(seconds(0)));

    const Bytes good = packet(false, kOwn4, kVip4).ttl(2).tcp(40000, 80, "S");
    const std::size_t checksum_at = 14 + 20 + 16;
    ASSERT_EQ(out.size(), good.size());
    EXPECT_NE(Bytes(out.begin() + checksum_at, out.begin() + checksum_at + 2),
              Bytes(good.begin() + checksum_at, good.begin() + checksum_at + 2));
    std::copy_n(good.begin() + checksum_at, 2, out.begin() + checksum_at);
    EXPECT_TRUE(same_frame(out, good)) << "everything else is translated";
}

TEST(ViaTranslator, PaddingStaysBehind) {
    ViaTranslator translator(kRange);
    const auto stand_in = translator.add(ip(kVip4));
    translator.begin_try(*stand_in);
    Bytes out = packet(false, kOwn4, stand_in->to_string()).tcp(40000, 80, "S");
    translator.to_server(out, at(seconds(0)));
    Bytes answer = packet(false, kVip4, kOwn4).tcp(80, 40000, "SA").pad_to(60);

    EXPECT_EQ(translator.to_kernel(answer).size(), 40U);
}

TEST(ViaTranslator, NothingGoesOutWithoutATry) {
    ViaTranslator translator(kRange);
    const auto stand_in = translator.add(ip(kVip4));
    const Bytes syn = packet(false, kOwn4, stand_in->to_string()).tcp(40000, 80, "S");

    Bytes early = syn;
    EXPECT_FALSE(translator.to_server(early, at(seconds(0))));
    translator.begin_try(*stand_in);
    translator.end_try(*stand_in, at(seconds(0)));
    Bytes late = syn;
    EXPECT_FALSE(translator.to_server(late, at(seconds(0))));
    Bytes unknown = packet(false, kOwn4, "240.112.0.77").tcp(40000, 80, "S");
    EXPECT_FALSE(translator.to_server(unknown, at(seconds(0))));

    EXPECT_EQ(translator.counters().no_try, 3U);
    EXPECT_EQ(translator.flows(), 0U);
    EXPECT_EQ(late, syn) << "a packet that is not sent stays as it was";
}

TEST(ViaTranslator, TheLastSegmentsOfATryStillPass) {
    ViaTranslator translator(kRange);
    const auto stand_in = translator.add(ip(kVip4));
    translator.begin_try(*stand_in);
    Bytes syn = packet(false, kOwn4, stand_in->to_string()).tcp(40000, 80, "S");
    translator.to_server(syn, at(seconds(0)));
    translator.end_try(*stand_in, at(seconds(1)));

    Bytes fin = packet(false, kOwn4, stand_in->to_string()).tcp(40000, 80, "FA");
    EXPECT_TRUE(translator.to_server(fin, at(seconds(2))));
    Bytes answer = packet(false, kVip4, kOwn4).tcp(80, 40000, "FA");
    EXPECT_FALSE(translator.to_kernel(answer).empty());
}

TEST(ViaTranslator, APortThatIsUsedAgainBelongsToTheNewTry) {
    ViaTranslator translator(kRange);
    const auto stand_in = translator.add(ip(kVip4));
    for (int second = 0; second < 20; second += 3) {
        translator.begin_try(*stand_in);
        Bytes syn = packet(false, kOwn4, stand_in->to_string()).tcp(40000, 80, "S");
        ASSERT_TRUE(translator.to_server(syn, at(seconds(second))));
        translator.end_try(*stand_in, at(seconds(second + 1)));
    }
    EXPECT_EQ(translator.flows(), 1U);
}

TEST(ViaTranslator, WhatIsNoProbesIsLeftToOthers) {
    ViaTranslator translator(kRange);
    const auto stand_in = translator.add(ip(kVip4));
    translator.begin_try(*stand_in);
    Bytes syn = packet(false, kOwn4, stand_in->to_string()).tcp(40000, 80, "S");
    translator.to_server(syn, at(seconds(0)));
    const std::vector<Bytes> others = {
        packet(false, kVip4, kOwn4).tcp(80, 40001, "SA"),       // another port of ours
        packet(false, kVip4, kOwn4).tcp(81, 40000, "SA"),       // another port of theirs
        packet(false, "10.0.0.7", kOwn4).tcp(80, 40000, "SA"),  // another address
        packet(false, kVip4, kOwn4).udp(80, 40000),
        packet(false, kVip4, kOwn4).icmp(8, 0, 40000U << 16U),
        packet(false, kVip4, kOwn4).fragment(0, true, 5).tcp(80, 40000, "SA").payload(8),
        frame().eth().arp_request(test::kClientMac, kVip4, kOwn4),
        Bytes(10, 0),
    };
    for (const Bytes& other : others) {
        Bytes bytes = other;
        EXPECT_TRUE(translator.to_kernel(bytes).empty());
        EXPECT_EQ(bytes, other);
    }
}

TEST(ViaTranslator, WhatCannotBeTranslatedIsNotSent) {
    ViaTranslator translator(kRange);
    const auto stand_in = translator.add(ip(kVip4));
    translator.begin_try(*stand_in);
    const std::string to = stand_in->to_string();
    std::vector<Bytes> bad = {
        packet(false, kOwn4, to).fragment(0, true, 5).udp(40000, 53).payload(8),
        packet(false, kOwn4, to).icmp(13),
        packet(false, kOwn4, to).sctp(40000, 80),
        packet(false, kOwn4, to).protocol(99).payload(20),
        Bytes(10, 0),
    };
    for (Bytes& bytes : bad) EXPECT_FALSE(translator.to_server(bytes, at(seconds(0))));
    EXPECT_EQ(translator.counters().not_supported, bad.size());
}

// The error quotes the packet as it was on the wire; the kernel must find its own.
void expect_related(bool v6) {
    ViaTranslator translator(kRange);
    const std::string own = v6 ? kOwn6 : kOwn4, vip = v6 ? kVip6 : kVip4;
    const auto busy = translator.add(ip(vip)), stand_in = translator.add(ip(vip));
    for (const auto& each : {busy, stand_in}) {
        translator.begin_try(*each);
        Bytes out = packet(v6, own, each->to_string()).udp(40000, 53).payload(3);
        translator.to_server(out, at(seconds(0)));
    }
    const Bytes wire = packet(v6, own, vip).ttl(2).udp(40001, 53).payload(3);
    const std::string router = v6 ? "fd00:1::9" : "10.0.0.9";
    const auto error = [&](const std::string& source, const Bytes& quoted) -> Bytes {
        FrameBuilder f = packet(v6, source, own);
        return (v6 ? f.icmpv6(1, 4) : f.icmp(3, 3)).quote(quoted);
    };
    Bytes received = error(router, wire);

    const auto translated = translator.to_kernel(received);

    const std::size_t checksum_at = 14 + (v6 ? 40 : 20) + 6;
    Bytes quoted = packet(v6, own, stand_in->to_string()).ttl(2).udp(40000, 53).payload(3);
    std::copy_n(wire.begin() + static_cast<std::ptrdiff_t>(checksum_at), 2,
                quoted.begin() + static_cast<std::ptrdiff_t>(checksum_at));
    EXPECT_TRUE(same_frame(Bytes(translated.begin(), translated.end()),
                           ip_of(error(stand_in->to_string(), quoted))));
    EXPECT_EQ(translator.counters().errors, 1U);
    EXPECT_FALSE(translator.was_forwarded(*stand_in));
}

TEST(ViaTranslator, IcmpErrorsReachTheProbe) {
    expect_related(false);
}

TEST(ViaTranslator, Icmpv6ErrorsReachTheProbe) {
    expect_related(true);
}

TEST(ViaTranslator, TimeExceededTellsThatTheServerForwards) {
    ViaTranslator translator(kRange);
    const auto stand_in = translator.add(ip(kVip4));
    translator.begin_try(*stand_in);
    Bytes out = packet(false, kOwn4, stand_in->to_string()).tcp(40000, 80, "S");
    translator.to_server(out, at(seconds(0)));
    const Bytes wire = packet(false, kOwn4, kVip4).ttl(2).tcp(40000, 80, "S");
    Bytes error = packet(false, "10.0.0.9", kOwn4).icmp(11).quote(wire);
    translator.to_kernel(error);

    EXPECT_TRUE(translator.was_forwarded(*stand_in));
    translator.begin_try(*stand_in);
    EXPECT_FALSE(translator.was_forwarded(*stand_in)) << "only the try that it happened to";
}

TEST(ViaTranslator, RemovedStandInsAreUsedAgainLast) {
    ViaTranslator translator({prefix("240.0.0.0/30"), prefix("fd70::/126")});
    for (const char* vip : {kVip4, kVip6}) {
        const auto first = translator.add(ip(vip)), second = translator.add(ip(vip));
        ASSERT_TRUE(first && second);
        EXPECT_NE(*first, *second);
        EXPECT_FALSE(translator.add(ip(vip))) << "two fit";
        translator.remove(*first, at(seconds(0)));
        EXPECT_EQ(translator.add(ip(vip)), first);
    }
    EXPECT_EQ(translator.stand_ins(), 4U);
}

TEST(ViaTranslator, RemovalEndsTheFlows) {
    ViaTranslator translator(kRange);
    const auto stand_in = translator.add(ip(kVip4));
    translator.begin_try(*stand_in);
    Bytes out = packet(false, kOwn4, stand_in->to_string()).tcp(40000, 80, "S");
    translator.to_server(out, at(seconds(0)));
    translator.remove(*stand_in, at(seconds(0)));

    const auto other = translator.add(ip(kVip4));
    translator.begin_try(*other);
    Bytes next = packet(false, kOwn4, other->to_string()).tcp(40000, 80, "S");
    translator.to_server(next, at(seconds(6)));

    EXPECT_EQ(translator.flows(), 1U);
    EXPECT_TRUE(same_frame(next, packet(false, kOwn4, kVip4).ttl(2).tcp(40000, 80, "S").bytes()));
}

}  // namespace
}  // namespace pollux::control
