// SPDX-License-Identifier: Apache-2.0
#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

using lb::Protocol;

lb::ServiceSpec nat_service() {
    return service(Protocol::Tcp, "10.1.0.10:80",
                   {real_server({1, lb::ForwardingMethod::Nat, 8080})});
}

TEST(Nat, FirstSynRewritesDestinationAndBothChecksums) {
    Rig rig;
    rig.spec.services = {nat_service()};
    rig.apply();
    const Reaction out = rig.from_client(client_frame().ipv4(kClient, kVip).tcp(1001, 80, "S"));
    EXPECT_TRUE(transmits(out.own, kServerSide,
                          to_server(1).ipv4(kClient, server_v4(1)).ttl(63).tcp(1001, 8080, "S")));
}

TEST(Nat, ReplyOnTheOtherWorkerIsTranslatedBack) {
    Rig rig(2);
    rig.spec.services = {nat_service()};
    rig.apply();
    rig.send(kClientSide, client_frame().ipv4(kClient, kVip).tcp(1001, 80, "S"));
    const Reaction out = rig.send(
        kServerSide, server_frame(1).ipv4(server_v4(1), kClient).tcp(8080, 1001, "SA"), {1});
    EXPECT_TRUE(transmits(out.own, kClientSide,
                          to_router().ipv4(kVip, kClient).ttl(63).tcp(80, 1001, "SA")));
}

TEST(Nat, UdpChecksumZeroStaysZero) {
    Rig rig;
    rig.spec.services = {service(Protocol::Udp, "10.1.0.10:53",
                                 {real_server({1, lb::ForwardingMethod::Nat, 5353})})};
    rig.apply();
    const Reaction out =
        rig.from_client(client_frame().ipv4(kClient, kVip).udp(2002, 53).no_checksum().payload(40));
    EXPECT_TRUE(transmits(out.own, kServerSide,
                          to_server(1)
                              .ipv4(kClient, server_v4(1))
                              .ttl(63)
                              .udp(2002, 5353)
                              .no_checksum()
                              .payload(40)));
}

TEST(Nat, Ipv6BothDirections) {
    Rig rig;
    rig.spec.services = {service(Protocol::Tcp, "[fd00:a::10]:80",
                                 {real_server({1, lb::ForwardingMethod::Nat, 8080, 1, true})})};
    rig.apply();
    const Reaction in = rig.from_client(client_frame().ipv6(kClient6, kVip6).tcp(1001, 80, "S"));
    EXPECT_TRUE(transmits(in.own, kServerSide,
                          to_server(1).ipv6(kClient6, server_v6(1)).ttl(63).tcp(1001, 8080, "S")));
    const Reaction out =
        rig.from_server(server_frame(1).ipv6(server_v6(1), kClient6).tcp(8080, 1001, "SA"));
    EXPECT_TRUE(transmits(out.own, kClientSide,
                          to_router().ipv6(kVip6, kClient6).ttl(63).tcp(80, 1001, "SA")));
}

}  // namespace
}  // namespace pollux::test
