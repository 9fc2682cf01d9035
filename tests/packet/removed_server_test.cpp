// SPDX-License-Identifier: Apache-2.0

// A real server leaves its service while connections are open.

#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

using lb::DropReason;
using lb::ForwardingMethod;
using lb::Protocol;

class RemovedServer : public ::testing::Test {
  protected:
    void set_up(bool expire_nodest_conn, bool persistent = false) {
        rig.spec.sysctl.expire_nodest_conn = expire_nodest_conn;
        rig.spec.services = {service(Protocol::Tcp, "10.1.0.10:80",
                                     {real_server({1, ForwardingMethod::DirectRouting}),
                                      real_server({2, ForwardingMethod::DirectRouting})})};
        if (persistent) rig.spec.services[0].persistence = {std::chrono::seconds(300), 32};
        rig.apply();
        for (const char* client : {kClient, "10.0.0.2", "10.0.0.3", "10.0.0.4"}) open(client);
    }
    void open(const char* client) {
        rig.from_client(client_frame().ipv4(client, kVip).tcp(1001, 80, "S"));
        rig.from_client(client_frame().ipv4(client, kVip).tcp(1001, 80, "A"));
    }
    void remove_first() {
        rig.spec.services[0].servers.erase(rig.spec.services[0].servers.begin());
        rig.apply();
    }
    Reaction data(const char* client) {
        return rig.from_client(client_frame().ipv4(client, kVip).tcp(1001, 80, "PA").payload(5));
    }
    Rig rig;
};

// Round robin begins with the server added last: the second and fourth client are with server 1.
TEST_F(RemovedServer, ConnectionsStayAndTheirPacketsAreDroppedUntilItReturns) {
    set_up(false);
    remove_first();
    rig.advance(std::chrono::seconds(1));
    EXPECT_TRUE(drops(data("10.0.0.2").own, DropReason::ServerGone));
    EXPECT_EQ(rig.connections().size(), 4U);

    rig.spec.services[0].servers.push_back(real_server({1, ForwardingMethod::DirectRouting}));
    rig.apply();
    EXPECT_EQ(data("10.0.0.2").own.port, kServerSide);
}

TEST_F(RemovedServer, WithExpireNodestConnItsConnectionsGoAtOnce) {
    set_up(true);
    remove_first();
    rig.advance(std::chrono::milliseconds(50));
    const auto left = rig.connections();
    ASSERT_EQ(left.size(), 2U);
    for (const auto& connection : left) EXPECT_EQ(connection.server.to_string(), server_v4(2));
    EXPECT_TRUE(punts(data("10.0.0.2").own, lb::PuntReason::LocalAddress));
    EXPECT_EQ(data(kClient).own.port, kServerSide);
}

TEST_F(RemovedServer, WithExpireNodestConnItsTemplatesGoToo) {
    set_up(true, true);
    ASSERT_EQ(rig.connections().size(), 8U);
    remove_first();
    rig.advance(std::chrono::milliseconds(50));
    EXPECT_EQ(rig.connections().size(), 4U);
    EXPECT_EQ(rig.plane().services(rig.now())[0].servers.size(), 1U) << "nothing is left of it";
}

TEST_F(RemovedServer, WithExpireNodestConnAllConnectionsOfARemovedServiceGo) {
    set_up(true);
    rig.spec.services.clear();
    rig.apply();
    rig.advance(std::chrono::milliseconds(50));
    EXPECT_TRUE(rig.connections().empty());
}

TEST_F(RemovedServer, QuiescedServerLosesSynsInEachReuseMode) {
    for (std::uint8_t mode = 0; mode <= 2; ++mode) {
        Rig fresh;
        fresh.spec.sysctl.expire_nodest_conn = true;
        fresh.spec.sysctl.conn_reuse_mode = mode;
        fresh.spec.services = {service(Protocol::Tcp, "10.1.0.10:80",
                                       {real_server({1, ForwardingMethod::DirectRouting})})};
        fresh.apply();
        const Bytes syn = client_frame().ipv4(kClient, kVip).tcp(1001, 80, "S");
        fresh.from_client(syn);
        fresh.spec.services[0].servers[0].weight = 0;
        fresh.spec.services[0].servers.push_back(real_server({2, ForwardingMethod::DirectRouting}));
        fresh.apply();
        EXPECT_TRUE(transmits(fresh.from_client(syn).own, kServerSide,
                              to_server(2).ipv4(kClient, kVip).ttl(63).tcp(1001, 80, "S")))
            << "mode " << unsigned{mode};
    }
}

}  // namespace
}  // namespace pollux::test
