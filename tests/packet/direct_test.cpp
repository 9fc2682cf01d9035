// SPDX-License-Identifier: Apache-2.0
#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

using lb::Protocol;

lb::ServiceSpec two_servers() {
    return service(Protocol::Tcp, "10.1.0.10:80", {real_server({1}), real_server({2})});
}

FrameBuilder syn(std::uint16_t port) {
    return client_frame().ipv4(kClient, kVip).tcp(port, 80, "S");
}

TEST(DirectRouting, ChangesOnlyMacsAndTtl) {
    Rig rig;
    rig.spec.services = {two_servers()};
    rig.apply();
    EXPECT_TRUE(transmits(rig.from_client(syn(1001)).own, kServerSide,
                          to_server(2).ipv4(kClient, kVip).ttl(63).tcp(1001, 80, "S")));
}

TEST(DirectRouting, ConnectionsTakeTurnsAndPacketsFollowTheirConnection) {
    Rig rig;
    rig.spec.services = {two_servers()};
    rig.apply();
    const auto macs = [](const Reaction& reaction) {
        return Bytes(reaction.own.frame.begin(), reaction.own.frame.begin() + 6);
    };
    const Bytes first = macs(rig.from_client(syn(1001)));
    const Bytes second = macs(rig.from_client(syn(1002)));
    EXPECT_NE(first, second);
    EXPECT_EQ(macs(rig.from_client(client_frame().ipv4(kClient, kVip).tcp(1001, 80, "A"))), first);
    EXPECT_EQ(macs(rig.from_client(client_frame().ipv4(kClient, kVip).tcp(1002, 80, "A"))), second);
}

TEST(DirectRouting, SynAndAckInOneBurstAreOneConnection) {
    Rig rig;
    rig.spec.services = {two_servers()};
    rig.apply();
    const auto out = rig.send_burst(
        kClientSide, {syn(1001), client_frame().ipv4(kClient, kVip).tcp(1001, 80, "A")});
    EXPECT_TRUE(transmits(out[0].own, kServerSide,
                          to_server(2).ipv4(kClient, kVip).ttl(63).tcp(1001, 80, "S")));
    EXPECT_TRUE(transmits(out[1].own, kServerSide,
                          to_server(2).ipv4(kClient, kVip).ttl(63).tcp(1001, 80, "A")));
    ASSERT_EQ(rig.connections().size(), 1U);
    EXPECT_EQ(rig.connections()[0].state, "ESTABLISHED");
}

TEST(DirectRouting, RemovedServerIsSilentUntilItComesBack) {
    Rig rig;
    rig.spec.services = {two_servers()};
    rig.apply();
    rig.from_client(syn(1001));  // goes to server 2
    rig.spec.services[0].servers.pop_back();
    rig.apply();
    EXPECT_TRUE(drops(rig.from_client(syn(1001)).own, lb::DropReason::ServerGone));
    EXPECT_TRUE(rig.plane().services(rig.now())[0].servers.at(1).removed);
    rig.spec.services[0].servers.push_back(real_server({2}));
    rig.apply();
    EXPECT_TRUE(
        transmits(rig.from_client(client_frame().ipv4(kClient, kVip).tcp(1001, 80, "A")).own,
                  kServerSide, to_server(2).ipv4(kClient, kVip).ttl(63).tcp(1001, 80, "A")));
    EXPECT_EQ(rig.server_view(0, 1).active, 1U);
}

TEST(DirectRouting, WeightZeroKeepsConnectionsAndTakesNoNewOnes) {
    Rig rig;
    rig.spec.services = {two_servers()};
    rig.apply();
    rig.from_client(syn(1001));
    rig.spec.services[0].servers[1].weight = 0;
    rig.apply();
    EXPECT_TRUE(
        transmits(rig.from_client(client_frame().ipv4(kClient, kVip).tcp(1001, 80, "A")).own,
                  kServerSide, to_server(2).ipv4(kClient, kVip).ttl(63).tcp(1001, 80, "A")));
    for (std::uint16_t port = 2000; port < 2004; ++port) {
        EXPECT_TRUE(transmits(rig.from_client(syn(port)).own, kServerSide,
                              to_server(1).ipv4(kClient, kVip).ttl(63).tcp(port, 80, "S")));
    }
}

TEST(DirectRouting, CountsOfServersComeAndGoWithTheirConnections) {
    Rig rig;
    rig.spec.services = {service(Protocol::Tcp, "10.1.0.10:80", {real_server({1})})};
    rig.apply();
    rig.from_client(syn(1001));
    EXPECT_EQ(rig.server_view(0, 0).active, 1U);
    EXPECT_EQ(rig.server_view(0, 0).inactive, 0U);
    rig.from_client(client_frame().ipv4(kClient, kVip).tcp(1001, 80, "A"));
    rig.from_client(client_frame().ipv4(kClient, kVip).tcp(1001, 80, "FA"));
    EXPECT_EQ(rig.server_view(0, 0).active, 0U);
    EXPECT_EQ(rig.server_view(0, 0).inactive, 1U);
    rig.advance(std::chrono::seconds(122));
    EXPECT_EQ(rig.server_view(0, 0).inactive, 0U);
    EXPECT_TRUE(rig.connections().empty());
    EXPECT_EQ(rig.server_view(0, 0).packets_in, 3U);
    EXPECT_EQ(rig.server_view(0, 0).connections, 1U);
}

}  // namespace
}  // namespace pollux::test
