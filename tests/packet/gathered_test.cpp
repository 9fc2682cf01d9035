// SPDX-License-Identifier: Apache-2.0
// The new connections of a burst are inserted together, at its end. What becomes of its packets is
// what would have become of each in a burst of its own: frames, counters and connections.
#include <algorithm>
#include <functional>
#include <set>

#include "tests/packet/rig.h"
#include "tests/support/frame_text.h"

namespace pollux::test {
namespace {

using lb::DropReason;
using lb::ForwardingMethod;
using lb::Protocol;

std::vector<std::string> described(const Rig& rig) {
    std::vector<std::string> lines;
    for (const lb::ConnectionView& view : rig.connections()) {
        lines.push_back(view.client.to_string() + ':' + std::to_string(view.client_port) + " -> " +
                        view.virtual_address.to_string() + ':' + std::to_string(view.virtual_port) +
                        " -> " + view.server.to_string() + ':' + std::to_string(view.server_port) +
                        ' ' + std::string(view.state) + (view.is_template ? " template " : " ") +
                        std::to_string(view.expires_in.count()));
    }
    std::sort(lines.begin(), lines.end());
    return lines;
}

void expect_same(const Output& actual, const Output& expected) {
    EXPECT_EQ(actual.verdict, expected.verdict);
    EXPECT_EQ(actual.drop_reason, expected.drop_reason);
    EXPECT_EQ(actual.punt_reason, expected.punt_reason);
    EXPECT_EQ(actual.port, expected.port);
    EXPECT_EQ(actual.originated, expected.originated);
    EXPECT_TRUE(same_frame(actual.frame, expected.frame));
}

void expect_same_counters(Rig& together, Rig& single) {
    const lb::WorkerCounters a = together.plane().counters(0);
    const lb::WorkerCounters b = single.plane().counters(0);
    EXPECT_EQ(a.received, b.received);
    EXPECT_EQ(a.received_bytes, b.received_bytes);
    EXPECT_EQ(a.transmitted, b.transmitted);
    EXPECT_EQ(a.punted, b.punted);
    EXPECT_EQ(a.originated, b.originated);
    EXPECT_EQ(a.dropped, b.dropped);
    EXPECT_EQ(a.connections_created, b.connections_created);
    EXPECT_EQ(a.connection_hits, b.connection_hits);
}

void expect_same_server(const lb::ServerView& a, const lb::ServerView& b) {
    EXPECT_EQ(a.active, b.active);
    EXPECT_EQ(a.inactive, b.inactive);
    EXPECT_EQ(a.persistent, b.persistent);
    EXPECT_EQ(a.connections, b.connections);
    EXPECT_EQ(a.packets_in, b.packets_in);
    EXPECT_EQ(a.packets_out, b.packets_out);
    EXPECT_EQ(a.bytes_in, b.bytes_in);
    EXPECT_EQ(a.bytes_out, b.bytes_out);
}

// Two balancers in the same state; one gets the frames together, one by one the other.
class Gathered : public ::testing::Test {
  protected:
    static lb::DataPlaneLimits limits() {
        lb::DataPlaneLimits limits;
        limits.max_connections = 1024;
        limits.max_templates = 256;
        limits.max_services = 8;
        limits.max_servers = 16;
        limits.max_fragments = 16;
        limits.embryonic_share = 0.25;
        limits.hugepages = false;
        return limits;
    }
    void both(const std::function<void(Rig&)>& what) {
        what(together);
        what(single);
    }
    void apply(const std::vector<lb::ServiceSpec>& services) {
        both([&services](Rig& rig) {
            rig.spec.services = services;
            rig.apply();
        });
    }
    // What became of the burst's packets, the same for both.
    std::vector<Reaction> expect_equal(const std::vector<Bytes>& frames) {
        std::vector<Reaction> reactions = together.send_burst(kClientSide, frames);
        for (std::size_t i = 0; i < frames.size(); ++i) {
            SCOPED_TRACE("packet " + std::to_string(i));
            const Reaction alone = single.from_client(frames[i]);
            expect_same(reactions[i].own, alone.own);
            EXPECT_TRUE(alone.extra.empty());
            EXPECT_TRUE(reactions[i].extra.empty());
        }
        expect_same_counters(together, single);
        EXPECT_EQ(described(together), described(single));
        for (std::size_t s = 0; s < together.spec.services.size(); ++s) {
            for (std::size_t r = 0; r < together.spec.services[s].servers.size(); ++r) {
                SCOPED_TRACE("service " + std::to_string(s) + " server " + std::to_string(r));
                expect_same_server(together.server_view(s, r), single.server_view(s, r));
            }
        }
        return reactions;
    }
    static Bytes tcp(std::uint16_t port, const char* flags, const char* client = kClient) {
        return client_frame().ipv4(client, kVip).tcp(port, 80, flags).payload(7);
    }
    static Bytes udp(std::uint16_t port, std::uint16_t to = 53) {
        return client_frame().ipv4(kClient, kVip).udp(port, to).payload(7);
    }
    static lb::ServiceSpec web(ForwardingMethod method = ForwardingMethod::Nat) {
        const std::uint16_t port = method == ForwardingMethod::Nat ? 8080 : 0;
        return service(Protocol::Tcp, "10.1.0.10:80",
                       {real_server({1, method, port}), real_server({2, method, port}),
                        real_server({3, method, port})});
    }
    static lb::ServiceSpec dns() {
        return service(Protocol::Udp, "10.1.0.10:53",
                       {real_server({1, ForwardingMethod::Nat, 5353}),
                        real_server({2, ForwardingMethod::Nat, 5353})});
    }
    Rig together{limits()};
    Rig single{limits()};
};

TEST_F(Gathered, SynAndDataOfOneConnection) {
    for (const ForwardingMethod method : {ForwardingMethod::Nat, ForwardingMethod::DirectRouting}) {
        apply({web(method)});
        expect_equal({tcp(1001, "S"), tcp(1001, "A"), tcp(1002, "S"), tcp(1001, "PA"),
                      tcp(1002, "R"), tcp(1003, "S"), tcp(1001, "FA")});
        both([](Rig& rig) { rig.advance(std::chrono::hours(1)); });
    }
}

TEST_F(Gathered, TwoSynsOfOneTuple) {
    apply({web()});
    expect_equal({tcp(1001, "S"), tcp(1001, "S"), tcp(1002, "S"), tcp(1001, "S")});
    EXPECT_EQ(together.connections().size(), 2U);
}

TEST_F(Gathered, SynAfterTheEndOfTheSameTuple) {
    apply({web()});
    expect_equal({tcp(1001, "S"), tcp(1001, "R"), tcp(1001, "S"), tcp(1002, "S")});
}

// A replay can bring the server's answer in the burst of the request.
TEST_F(Gathered, ReplyInTheSameBurst) {
    for (const bool nat_icmp_send : {false, true}) {
        both([nat_icmp_send](Rig& rig) { rig.spec.sysctl.nat_icmp_send = nat_icmp_send; });
        apply({web()});
        const auto port = static_cast<std::uint16_t>(nat_icmp_send ? 2001 : 1001);
        std::vector<Bytes> frames = {tcp(port, "S")};
        for (unsigned n = 1; n <= 3; ++n) {
            frames.push_back(frame()
                                 .eth(server_mac(n), kClientSideMac)
                                 .ipv4(server_v4(n), kClient)
                                 .tcp(8080, port, "SA"));
        }
        frames.push_back(tcp(port, "A"));
        const std::vector<Reaction> out = expect_equal(frames);
        const auto answered =
            std::count_if(out.begin() + 1, out.begin() + 4, [](const Reaction& r) {
                return r.own.verdict == lb::Verdict::Transmit && !r.own.originated;
            });
        EXPECT_EQ(answered, 1) << "the answer of the connection's server";
    }
}

TEST_F(Gathered, OnePacketSchedulingBetween) {
    lb::ServiceSpec once = dns();
    once.one_packet = true;
    lb::ServiceSpec kept = dns();
    kept.port = 54;
    apply({once, web(), kept});
    expect_equal({tcp(1001, "S"), udp(7), udp(8), tcp(1001, "A"), udp(7), udp(9, 54), udp(7),
                  udp(9, 54), tcp(1002, "S")});
    EXPECT_EQ(together.connections().size(), 3U);
}

TEST_F(Gathered, ServersAnswersThatTwoServicesWouldShare) {
    const lb::RealServerSpec same = real_server({1, ForwardingMethod::Nat, 8080});
    apply({service(Protocol::Udp, "10.1.0.10:80", {same}),
           service(Protocol::Udp, "10.1.0.10:81", {same})});
    const auto out = expect_equal({udp(1001, 80), udp(1001, 81), udp(1002, 81), udp(1001, 80)});
    EXPECT_TRUE(drops(out[1].own, DropReason::ReplyTaken));
}

// The table is full, or the half-open have used up their share, in the middle of the burst.
TEST_F(Gathered, HalfOpenShareUsedUpInTheMiddle) {
    apply({web()});
    constexpr unsigned kShare = 256;
    both([](Rig& rig) {
        for (unsigned n = 0; n < kShare - 3; ++n) {
            rig.from_client(tcp(static_cast<std::uint16_t>(2000 + n), "S"));
        }
    });
    const auto out = expect_equal({tcp(1001, "S"), tcp(1002, "S"), tcp(1001, "A"), tcp(1003, "S"),
                                   tcp(1004, "S"), tcp(1005, "S"), tcp(2000, "A"), tcp(1006, "S"),
                                   tcp(1007, "S")});
    EXPECT_TRUE(drops(out[8].own, DropReason::EmbryonicLimit));
}

TEST_F(Gathered, TableFullInTheMiddle) {
    apply({dns()});
    const auto filler = [](unsigned n) { return udp(static_cast<std::uint16_t>(2000 + n)); };
    both([&filler](Rig& rig) {
        unsigned n = 0;
        while (rig.from_client(filler(n)).own.verdict == lb::Verdict::Transmit) {
            ASSERT_LT(++n, 4096U);
        }
    });
    // A slot of the index is full. Others have room still, until no record is left.
    unsigned passed = 0;
    unsigned dropped = 0;
    for (unsigned round = 0; round < 8; ++round) {
        std::vector<Bytes> frames;
        for (unsigned n = 0; n < 10; ++n) {
            frames.push_back(udp(static_cast<std::uint16_t>(1000 + 10 * round + n)));
            frames.push_back(filler(n));
            frames.push_back(frames[frames.size() - 2]);
        }
        for (const Reaction& reaction : expect_equal(frames)) {
            const bool drop = reaction.own.verdict == lb::Verdict::Drop;
            (drop ? dropped : passed) += 1;
            if (drop) {
                EXPECT_TRUE(drops(reaction.own, DropReason::ConnectionTableFull));
            }
        }
    }
    EXPECT_GT(dropped, 20U);
    EXPECT_GT(passed, 80U + 20U) << "those that were in, and new ones";
}

TEST_F(Gathered, PersistenceTemplateOfTwoNewConnections) {
    lb::ServiceSpec persistent = web();
    persistent.persistence = lb::PersistenceSpec{std::chrono::seconds(300), 32};
    apply({persistent});
    expect_equal({tcp(1001, "S"), tcp(1002, "S"), tcp(1001, "S", "10.0.0.2"), tcp(1002, "A"),
                  tcp(1002, "S", "10.0.0.2")});
    const std::vector<std::string> lines = described(together);
    EXPECT_EQ(lines, described(single));
    std::set<std::string> servers;
    for (const lb::ConnectionView& view : together.connections()) {
        if (view.client.to_string() == kClient) servers.insert(view.server.to_string());
    }
    EXPECT_EQ(servers.size(), 1U) << "one client, one server";
}

}  // namespace
}  // namespace pollux::test
