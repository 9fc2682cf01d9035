// SPDX-License-Identifier: Apache-2.0
// Whole-frame equality: each shape of packet through each forwarding method, in each direction that
// passes the balancer.
#include "tests/packet/shapes.h"

#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

using lb::ForwardingMethod;

constexpr std::uint16_t kClientPort = 1001;
constexpr std::uint16_t kVirtualPort = 80;
constexpr std::uint16_t kServerPort = 8080;
constexpr std::uint16_t kLocalPort = 5000;

std::string client_of(const Shape& shape) {
    return shape.is_v6 ? kClient6 : kClient;
}
std::string vip_of(const Shape& shape) {
    return shape.is_v6 ? kVip6 : kVip;
}
std::string server_of(const Shape& shape) {
    return shape.is_v6 ? server_v6(1) : server_v4(1);
}
std::string local_of(const Shape& shape) {
    return shape.is_v6 ? kDirector6 : kDirector;
}

Ends from_client(const Shape& shape) {
    return {client_of(shape), vip_of(shape), kClientPort, kVirtualPort, 64};
}
Ends to_client(const Shape& shape) {
    return {vip_of(shape), client_of(shape), kVirtualPort, kClientPort, 63};
}

// A balancer with one service of the shape's kind and one open connection of it.
void open(Rig& rig, const Shape& shape, ForwardingMethod method) {
    const bool is_full = method == ForwardingMethod::FullNat;
    const bool keeps_port = method == ForwardingMethod::DirectRouting;
    const std::string endpoint = shape.is_v6 ? "[fd00:a::10]:80" : "10.1.0.10:80";
    rig.spec.services = {service(
        shape.protocol, endpoint,
        {real_server({1, method, keeps_port ? std::uint16_t{0} : kServerPort, 1, shape.is_v6})})};
    if (is_full) {
        rig.spec.local_addresses = {
            {net::IpAddress::parse(local_of(shape)).value(), kLocalPort, kLocalPort}};
    }
    rig.apply();
    const Shape opening = opening_shape(shape.protocol, shape.is_v6);
    ASSERT_EQ(rig.from_client(opening.on(client_frame(), from_client(shape))).own.verdict,
              lb::Verdict::Transmit);
}

TEST(Shapes, DirectRoutingChangesMacsAndTtlOnly) {
    for (const Shape& shape : shapes()) {
        SCOPED_TRACE(shape.name);
        Rig rig;
        open(rig, shape, ForwardingMethod::DirectRouting);
        Ends after = from_client(shape);
        after.ttl = 63;
        EXPECT_TRUE(transmits(rig.from_client(shape.on(client_frame(), from_client(shape))).own,
                              kServerSide, shape.on(to_server(1), after)));
        EXPECT_EQ(rig.connections().size(), 1U);
    }
}

TEST(Shapes, NatRewritesTheDestinationForwardAndTheSourceBack) {
    for (const Shape& shape : shapes()) {
        SCOPED_TRACE(shape.name);
        Rig rig;
        open(rig, shape, ForwardingMethod::Nat);
        const Ends after{client_of(shape), server_of(shape), kClientPort, kServerPort, 63};
        EXPECT_TRUE(transmits(rig.from_client(shape.on(client_frame(), from_client(shape))).own,
                              kServerSide, shape.on(to_server(1), after)));
        const Ends answer{server_of(shape), client_of(shape), kServerPort, kClientPort, 64};
        EXPECT_TRUE(transmits(rig.from_server(shape.on(server_frame(1), answer)).own, kClientSide,
                              shape.on(to_router(), to_client(shape))));
        EXPECT_EQ(rig.connections().size(), 1U);
    }
}

TEST(Shapes, FullNatRewritesBothEndsBothWays) {
    for (const Shape& shape : shapes()) {
        SCOPED_TRACE(shape.name);
        Rig rig;
        open(rig, shape, ForwardingMethod::FullNat);
        const Ends after{local_of(shape), server_of(shape), kLocalPort, kServerPort, 63};
        EXPECT_TRUE(transmits(rig.from_client(shape.on(client_frame(), from_client(shape))).own,
                              kServerSide, shape.on(to_server(1), after)));
        const Ends answer{server_of(shape), local_of(shape), kServerPort, kLocalPort, 64};
        EXPECT_TRUE(transmits(rig.from_server(shape.on(server_frame(1), answer)).own, kClientSide,
                              shape.on(to_router(), to_client(shape))));
        EXPECT_EQ(rig.connections().size(), 1U);
    }
}

}  // namespace
}  // namespace pollux::test
