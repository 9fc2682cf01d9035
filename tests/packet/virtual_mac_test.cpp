// SPDX-License-Identifier: Apache-2.0
// use_vmac: whatever leaves from a virtual address has its virtual MAC, as long as this node is
// MASTER (RFC 9568 section 7.3), and nothing else has.

#include <algorithm>

#include "tests/packet/rig.h"
#include "tests/packet/shapes.h"

namespace pollux::test {
namespace {

using lb::ForwardingMethod;
using lb::Protocol;

constexpr const char* kVmac = "00:00:5e:00:01:33";
constexpr const char* kVmac6 = "00:00:5e:00:02:33";
constexpr const char* kLanVmac = "00:00:5e:00:01:34";
constexpr const char* kLocal = "10.2.0.200";
constexpr std::uint16_t kLocalPort = 5000;

net::IpAddress address(const char* text) {
    return net::IpAddress::parse(text).value();
}

class VirtualMac : public ::testing::Test {
  protected:
    // What VRRP says when it becomes MASTER of the address with that MAC, or ends to be.
    void hold(const char* owned, const char* mac) {
        const auto found =
            std::ranges::find(rig_.spec.owned, address(owned), &lb::OwnedAddressSpec::address);
        ASSERT_NE(found, rig_.spec.owned.end());
        found->mac = net::MacAddress::parse(mac).value();
    }
    void serve(const char* endpoint, const ServerOptions& server) {
        rig_.spec.services = {service(Protocol::Tcp, endpoint, {real_server(server)})};
        hold(kVip, kVmac);
        hold(kVip6, kVmac6);
        rig_.apply();
    }
    Reaction client_sends(const char* flags) {
        return rig_.from_client(client_frame().ipv4(kClient, kVip).tcp(1001, 80, flags));
    }
    Reaction server_answers() {
        return rig_.from_server(server_frame(1).ipv4(server_v4(1), kClient).tcp(8080, 1001, "SA"));
    }
    static FrameBuilder from_vip(const char* mac = kVmac) { return frame().eth(mac, kRouterMac); }
    static Bytes answer(const char* mac) {
        return from_vip(mac).ipv4(kVip, kClient).ttl(63).tcp(80, 1001, "SA");
    }

    Rig rig_;
};

TEST_F(VirtualMac, IsTheSourceOfNatRepliesAndNotOfWhatGoesToServers) {
    serve("10.1.0.10:80", {1, ForwardingMethod::Nat, 8080});
    EXPECT_TRUE(transmits(client_sends("S").own, kServerSide,
                          to_server(1).ipv4(kClient, server_v4(1)).ttl(63).tcp(1001, 8080, "S")));
    EXPECT_TRUE(transmits(server_answers().own, kClientSide, answer(kVmac)));
}

// A service by mark has no address of its own: the packet's source decides.
TEST_F(VirtualMac, IsTheSourceOfRepliesOfAServiceByMark) {
    serve("10.1.0.10:80", {1, ForwardingMethod::Nat, 8080});
    lb::ServiceSpec& service = rig_.spec.services[0];
    service.fwmark = 7;
    service.protocol = Protocol::None;
    service.port = 0;
    lb::MarkRuleSpec rule;
    rule.protocol = Protocol::Tcp;
    rule.destination = {address(kVip), 32};
    rule.mark = 7;
    rig_.spec.marks = {rule};
    rig_.apply();
    client_sends("S");
    EXPECT_TRUE(transmits(server_answers().own, kClientSide, answer(kVmac)));
}

TEST_F(VirtualMac, IsTheSourceOfRepliesOfAServiceThatIsGone) {
    serve("10.1.0.10:80", {1, ForwardingMethod::Nat, 8080});
    client_sends("S");
    rig_.spec.services.clear();
    rig_.apply();
    EXPECT_TRUE(transmits(server_answers().own, kClientSide, answer(kVmac)));
}

TEST_F(VirtualMac, IsTheSourceOfIpv6NatReplies) {
    serve("[fd00:a::10]:80", {1, ForwardingMethod::Nat, 8080, 1, true});
    rig_.from_client(client_frame().ipv6(kClient6, kVip6).tcp(1001, 80, "S"));
    const Reaction back =
        rig_.from_server(server_frame(1).ipv6(server_v6(1), kClient6).tcp(8080, 1001, "SA"));
    EXPECT_TRUE(transmits(back.own, kClientSide,
                          from_vip(kVmac6).ipv6(kVip6, kClient6).ttl(63).tcp(80, 1001, "SA")));
}

TEST_F(VirtualMac, ComesAndGoesWithTheRole) {
    serve("10.1.0.10:80", {1, ForwardingMethod::Nat, 8080});
    client_sends("S");
    hold(kVip, kClientSideMac);
    rig_.apply();
    EXPECT_TRUE(transmits(server_answers().own, kClientSide, answer(kClientSideMac)));
    hold(kVip, kVmac);
    rig_.apply();
    EXPECT_TRUE(transmits(server_answers().own, kClientSide, answer(kVmac)));
}

// The virtual router is on one LAN; on another the address has the port's MAC.
TEST_F(VirtualMac, StaysOnItsOwnLan) {
    serve("10.1.0.10:80", {1, ForwardingMethod::Nat, 8080});
    client_sends("S");
    const auto vip =
        std::ranges::find(rig_.spec.owned, address(kVip), &lb::OwnedAddressSpec::address);
    vip->port = kServerSide;
    rig_.apply();
    EXPECT_TRUE(transmits(server_answers().own, kClientSide, answer(kClientSideMac)));
}

TEST_F(VirtualMac, IsTheSourceOfEveryShapeOfReply) {
    for (const Shape& shape : shapes()) {
        SCOPED_TRACE(shape.name);
        Rig rig;
        const char* vip = shape.is_v6 ? kVip6 : kVip;
        const char* client = shape.is_v6 ? kClient6 : kClient;
        const std::string server = shape.is_v6 ? server_v6(1) : server_v4(1);
        lb::ServiceSpec spec =
            service(shape.protocol, shape.is_v6 ? "[fd00:a::10]:80" : "10.1.0.10:80",
                    {real_server({1, ForwardingMethod::Nat, 8080, 1, shape.is_v6})});
        rig.spec.services = {spec};
        for (lb::OwnedAddressSpec& owned : rig.spec.owned) {
            if (owned.address == address(vip)) owned.mac = net::MacAddress::parse(kVmac).value();
        }
        rig.apply();
        const Shape opening = opening_shape(shape.protocol, shape.is_v6);
        rig.from_client(opening.on(client_frame(), {client, vip, 1001, 80}));
        const Reaction back =
            rig.from_server(shape.on(server_frame(1), {server, client, 8080, 1001}));
        EXPECT_TRUE(
            transmits(back.own, kClientSide, shape.on(from_vip(), {vip, client, 80, 1001, 63})));
    }
}

TEST_F(VirtualMac, IsTheSourceInBothDirectionsOfFullNat) {
    rig_.spec.local_addresses = {{address(kLocal), kLocalPort, kLocalPort}};
    rig_.spec.owned.push_back({address(kLocal), kServerSide, {}});
    hold(kLocal, kLanVmac);
    serve("10.1.0.10:80", {1, ForwardingMethod::FullNat, 8080});
    const Bytes to_the_server = frame()
                                    .eth(kLanVmac, server_mac(1))
                                    .ipv4(kLocal, server_v4(1))
                                    .ttl(63)
                                    .tcp(kLocalPort, 8080, "S");
    EXPECT_TRUE(transmits(client_sends("S").own, kServerSide, to_the_server));
    const Reaction back =
        rig_.from_server(server_frame(1).ipv4(server_v4(1), kLocal).tcp(8080, kLocalPort, "SA"));
    EXPECT_TRUE(transmits(back.own, kClientSide, answer(kVmac)));
}

TEST_F(VirtualMac, IsTheSourceOfTunnelsFromTheAddress) {
    for (lb::RouteSpec& route : rig_.spec.routes) {
        if (route.port == kServerSide && route.destination.address.is_v4()) {
            route.preferred_source = address(kDirector);
        }
    }
    hold(kDirector, kLanVmac);
    serve("10.1.0.10:80", {1, ForwardingMethod::Tunnel});
    const Output out = client_sends("S").own;
    const Bytes link = frame().eth(kLanVmac, server_mac(1)).ipv4(kDirector, server_v4(1));
    ASSERT_EQ(out.verdict, lb::Verdict::Transmit);
    EXPECT_TRUE(std::equal(out.frame.begin(), out.frame.begin() + 14, link.begin()));
}

TEST_F(VirtualMac, IsNotTheSourceOfDirectRouting) {
    serve("10.1.0.10:80", {1, ForwardingMethod::DirectRouting});
    EXPECT_TRUE(transmits(client_sends("S").own, kServerSide,
                          to_server(1).ipv4(kClient, kVip).ttl(63).tcp(1001, 80, "S")));
}

TEST_F(VirtualMac, IsTheSourceOfIcmpErrorsThatWeMake) {
    serve("10.1.0.10:80", {1, ForwardingMethod::Nat, 8080});
    rig_.spec.services[0].servers.clear();
    rig_.apply();
    const Bytes syn = client_frame().ipv4(kClient, kVip).tcp(1001, 80, "S");
    const Reaction out = rig_.from_client(syn);
    const Bytes expected =
        from_vip().ipv4(kVip, kClient).may_fragment().traffic_class(0xc0).icmp(3, 3).quote(syn);
    EXPECT_TRUE(out.own.originated);
    EXPECT_TRUE(transmits(out.own, kClientSide, expected));
}

TEST_F(VirtualMac, IsTheSourceOfIcmpErrorsThatWeTranslate) {
    serve("10.1.0.10:80", {1, ForwardingMethod::Nat, 8080});
    client_sends("S");
    const Bytes seen_by_server =
        frame().eth().ipv4(kClient, server_v4(1)).ttl(57).tcp(1001, 8080, "S");
    const Bytes seen_by_client = frame().eth().ipv4(kClient, kVip).ttl(57).tcp(1001, 80, "S");
    const Reaction out = rig_.from_server(
        server_frame(1).ipv4(server_v4(1), kClient).icmp(3, 3).quote(seen_by_server, 28));
    EXPECT_TRUE(
        transmits(out.own, kClientSide,
                  from_vip().ipv4(kVip, kClient).ttl(63).icmp(3, 3).quote(seen_by_client, 28)));
}

TEST_F(VirtualMac, IsTheSourceOfResets) {
    serve("10.1.0.10:80", {1, ForwardingMethod::Nat, 8080});
    rig_.spec.services[0].on_server_gone = lb::OnServerGone::Reset;
    rig_.apply();
    client_sends("S");
    rig_.spec.services[0].servers.clear();
    rig_.apply();
    const Reaction out = rig_.from_client(
        client_frame().ipv4(kClient, kVip).tcp(1001, 80, "PA").seq(7000, 9000).payload(100));
    EXPECT_TRUE(
        transmits(out.own, kClientSide,
                  from_vip().ipv4(kVip, kClient).id(0).tcp(80, 1001, "R").seq(9000, 0).window(0)));
}

// Each fragment of a reply that is too large for the way to the client.
TEST_F(VirtualMac, IsTheSourceOfFragments) {
    serve("10.1.0.10:80", {1, ForwardingMethod::Nat, 8080});
    for (lb::RouteSpec& route : rig_.spec.routes) {
        if (route.port == kClientSide) route.mtu = 600;
    }
    rig_.apply();
    client_sends("S");
    const Reaction out = rig_.from_server(server_frame(1)
                                              .ipv4(server_v4(1), kClient)
                                              .may_fragment()
                                              .tcp(8080, 1001, "A")
                                              .payload(1000));
    const Bytes link = from_vip().ipv4(kVip, kClient);
    ASSERT_EQ(out.own.verdict, lb::Verdict::Transmit);
    EXPECT_TRUE(std::equal(out.own.frame.begin(), out.own.frame.begin() + 14, link.begin()));
    ASSERT_FALSE(out.extra.empty());
    for (const Output& each : out.extra) {
        EXPECT_TRUE(std::equal(each.frame.begin(), each.frame.begin() + 14, link.begin()));
    }
}

}  // namespace
}  // namespace pollux::test
