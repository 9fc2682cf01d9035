// SPDX-License-Identifier: Apache-2.0

// FTP's ports, for which LVS has rules of its own.

#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

using lb::ForwardingMethod;
using lb::Protocol;

class Ftp : public ::testing::Test {
  protected:
    void set_up(bool persistent) {
        rig.spec.services = {service(Protocol::Tcp, "10.1.0.10:21",
                                     {real_server({1, ForwardingMethod::Nat, 2121}),
                                      real_server({2, ForwardingMethod::Nat, 2121})})};
        if (persistent) rig.spec.services[0].persistence = {std::chrono::seconds(300), 32};
        rig.apply();
    }
    Reaction syn(std::uint16_t port, std::uint16_t client_port = 1001) {
        return rig.from_client(client_frame().ipv4(kClient, kVip).tcp(client_port, port, "S"));
    }
    static Bytes to_2(std::uint16_t port) {
        return to_server(2).ipv4(kClient, server_v4(2)).ttl(63).tcp(1001, port, "S");
    }
    Rig rig;
};

TEST_F(Ftp, DataConnectionsFollowTheControlConnectionOfAPersistentService) {
    set_up(true);
    EXPECT_TRUE(transmits(syn(21).own, kServerSide, to_2(2121)));
    EXPECT_TRUE(transmits(syn(20).own, kServerSide, to_2(20)));
    EXPECT_TRUE(transmits(syn(50000).own, kServerSide, to_2(50000)));
}

TEST_F(Ftp, OtherPrivilegedPortsAreNoneOfItsBusiness) {
    set_up(true);
    EXPECT_TRUE(punts(syn(22).own, lb::PuntReason::LocalAddress));
    EXPECT_TRUE(punts(syn(1023).own, lb::PuntReason::LocalAddress));
}

TEST_F(Ftp, ServiceThatIsNotPersistentGetsNoDataConnections) {
    set_up(false);
    EXPECT_TRUE(transmits(syn(21).own, kServerSide, to_2(2121)));
    EXPECT_TRUE(punts(syn(50000).own, lb::PuntReason::LocalAddress));
}

TEST_F(Ftp, AnotherServiceOfTheDataPortGoesFirst) {
    set_up(true);
    rig.spec.services.push_back(
        service(Protocol::Tcp, "10.1.0.10:50000", {real_server({3, ForwardingMethod::Nat, 80})}));
    rig.apply();
    EXPECT_TRUE(transmits(syn(50000).own, kServerSide,
                          to_server(3).ipv4(kClient, server_v4(3)).ttl(63).tcp(1001, 80, "S")));
}

TEST_F(Ftp, NothingIsScheduledThatComesFromTheDataPort) {
    set_up(true);
    EXPECT_TRUE(punts(syn(21, 20).own, lb::PuntReason::LocalAddress));
}

}  // namespace
}  // namespace pollux::test
