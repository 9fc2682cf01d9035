// SPDX-License-Identifier: Apache-2.0
// Packets of connections whose server has left the service: `on_server_down`.

#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

using lb::ForwardingMethod;
using lb::OnServerGone;
using lb::Protocol;

lb::ServiceSpec two_servers(Protocol protocol, ForwardingMethod method, OnServerGone policy) {
    lb::ServiceSpec spec = service(protocol, "10.1.0.10:80",
                                   {real_server({1, method, 80}), real_server({2, method, 80})});
    spec.scheduler = lb::SchedulerKind::Rr;
    spec.on_server_gone = policy;
    return spec;
}

// Takes the server away that the client's connection has; returns the number of the other one.
unsigned lose_server(Rig& rig) {
    const bool first = rig.connections().at(0).server.to_string() == server_v4(1);
    auto& servers = rig.spec.services[0].servers;
    servers.erase(servers.begin() + (first ? 0 : 1));
    rig.apply();
    return first ? 2 : 1;
}

FrameBuilder from_client() {
    return client_frame().ipv4(kClient, kVip);
}

class ServerGone : public ::testing::TestWithParam<ForwardingMethod> {};
INSTANTIATE_TEST_SUITE_P(Methods, ServerGone,
                         ::testing::Values(ForwardingMethod::Nat, ForwardingMethod::DirectRouting));

TEST_P(ServerGone, WithResetTheClientIsToldAtItsNextSegment) {
    Rig rig;
    rig.spec.services = {two_servers(Protocol::Tcp, GetParam(), OnServerGone::Reset)};
    rig.apply();
    rig.from_client(from_client().tcp(1001, 80, "S"));
    lose_server(rig);
    const Reaction out =
        rig.from_client(from_client().tcp(1001, 80, "PA").seq(7000, 9000).payload(100));
    EXPECT_EQ(rig.drops(lb::DropReason::ServerGone), 1U);
    EXPECT_TRUE(out.own.originated);
    EXPECT_TRUE(
        transmits(out.own, kClientSide,
                  to_router().ipv4(kVip, kClient).id(0).tcp(80, 1001, "R").seq(9000, 0).window(0)));
    EXPECT_TRUE(rig.connections().empty()) << "the connection has ended";
}

TEST_P(ServerGone, ByDefaultItIsSilent) {
    Rig rig;
    rig.spec.services = {two_servers(Protocol::Tcp, GetParam(), OnServerGone::Drop)};
    rig.apply();
    rig.from_client(from_client().tcp(1001, 80, "S"));
    lose_server(rig);
    const Reaction out = rig.from_client(from_client().tcp(1001, 80, "A"));
    EXPECT_TRUE(drops(out.own, lb::DropReason::ServerGone));
    EXPECT_EQ(rig.connections().size(), 1U);
}

TEST(ServerGoneUdp, WithRescheduleAnotherServerGoesOn) {
    Rig rig;
    rig.spec.services = {
        two_servers(Protocol::Udp, ForwardingMethod::Nat, OnServerGone::Reschedule)};
    rig.apply();
    rig.from_client(from_client().udp(1001, 80).payload(10));
    const unsigned other = lose_server(rig);
    const Reaction out = rig.from_client(from_client().udp(1001, 80).payload(10));
    EXPECT_TRUE(transmits(
        out.own, kServerSide,
        to_server(other).ipv4(kClient, server_v4(other)).ttl(63).udp(1001, 80).payload(10)));
    EXPECT_EQ(rig.connections().size(), 1U);
}

TEST(ServerGoneUdp, APolicyForTheOtherProtocolMeansSilence) {
    const std::pair<Protocol, OnServerGone> cases[] = {{Protocol::Udp, OnServerGone::Reset},
                                                       {Protocol::Tcp, OnServerGone::Reschedule}};
    for (const auto& [protocol, policy] : cases) {
        Rig rig;
        rig.spec.services = {two_servers(protocol, ForwardingMethod::Nat, policy)};
        rig.apply();
        const bool tcp = protocol == Protocol::Tcp;
        const auto packet = [tcp](const char* flags) -> Bytes {
            return tcp ? Bytes(from_client().tcp(1001, 80, flags))
                       : Bytes(from_client().udp(1001, 80));
        };
        rig.from_client(packet("S"));
        lose_server(rig);
        EXPECT_TRUE(drops(rig.from_client(packet("A")).own, lb::DropReason::ServerGone));
    }
}

// What cannot be answered by a reset ends the connection all the same.
TEST(ServerGoneTcp, AResetIsNotAnsweredByAReset) {
    Rig rig;
    rig.spec.services = {two_servers(Protocol::Tcp, ForwardingMethod::Nat, OnServerGone::Reset)};
    rig.apply();
    rig.from_client(from_client().tcp(1001, 80, "S"));
    lose_server(rig);
    EXPECT_TRUE(
        drops(rig.from_client(from_client().tcp(1001, 80, "R")).own, lb::DropReason::ServerGone));
    EXPECT_TRUE(rig.connections().empty());
}

}  // namespace
}  // namespace pollux::test
