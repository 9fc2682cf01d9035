// SPDX-License-Identifier: Apache-2.0
#include "control/netlink/kernel_parse.h"

#include <memory>

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "tests/unit/control/builders.h"

namespace pollux::control {
namespace {

using namespace testing;

struct FreeMessage {
    void operator()(nl_msg* message) const { nlmsg_free(message); }
};
using Message = std::unique_ptr<nl_msg, FreeMessage>;

template <typename Header>
Message make_message(int type, const Header& header) {
    Message message(nlmsg_alloc_simple(type, 0));
    nlmsg_append(message.get(), const_cast<Header*>(&header), sizeof(header), NLMSG_ALIGNTO);
    return message;
}

void put(const Message& message, int type, const net::IpAddress& address) {
    nla_put(message.get(), type, address.is_v4() ? 4 : 16, address.bytes.data());
}

rtmsg route_header(unsigned char family, unsigned char length) {
    rtmsg header{};
    header.rtm_family = family;
    header.rtm_dst_len = length;
    header.rtm_table = RT_TABLE_MAIN;
    header.rtm_type = RTN_UNICAST;
    return header;
}

TEST(KernelParse, RouteThroughAGateway) {
    const Message message = make_message(RTM_NEWROUTE, route_header(AF_INET, 16));
    put(message, RTA_DST, ip("10.9.0.0"));
    put(message, RTA_GATEWAY, ip("10.0.0.254"));
    nla_put_u32(message.get(), RTA_OIF, 11);
    nla_put_u32(message.get(), RTA_PRIORITY, 20);

    const auto parsed = parse_route(nlmsg_hdr(message.get()));

    ASSERT_TRUE(parsed.has_value());
    KernelRoute expected = route("10.9.0.0/16", kWanTap, "10.0.0.254");
    expected.metric = 20;
    EXPECT_EQ(*parsed, expected);
}

TEST(KernelParse, DefaultRouteHasAFamilyWithoutADestination) {
    const Message message = make_message(RTM_NEWROUTE, route_header(AF_INET6, 0));
    put(message, RTA_GATEWAY, ip("fe80::1"));
    nla_put_u32(message.get(), RTA_OIF, 11);

    EXPECT_EQ(parse_route(nlmsg_hdr(message.get()))->destination, prefix("::/0"));
}

TEST(KernelParse, Ipv4RouteMayHaveAnIpv6Gateway) {
    const Message message = make_message(RTM_NEWROUTE, route_header(AF_INET, 0));
    std::array<std::uint8_t, 2 + 16> via{AF_INET6, 0};
    const auto gateway = ip("fe80::1");
    std::copy(gateway.bytes.begin(), gateway.bytes.end(), via.begin() + 2);
    nla_put(message.get(), RTA_VIA, via.size(), via.data());
    nla_put_u32(message.get(), RTA_OIF, 11);

    EXPECT_EQ(parse_route(nlmsg_hdr(message.get()))->hops.at(0).gateway, gateway);
}

TEST(KernelParse, MultipathRouteHasAllItsHops) {
    const Message message = make_message(RTM_NEWROUTE, route_header(AF_INET, 0));
    struct Hop {
        rtnexthop header;
        nlattr attribute;
        std::array<std::uint8_t, 4> gateway;
    };
    std::array<Hop, 2> hops{};
    for (std::size_t i = 0; i < hops.size(); ++i) {
        hops[i].header.rtnh_len = sizeof(Hop);
        hops[i].header.rtnh_ifindex = static_cast<int>(11 + i);
        hops[i].attribute = {sizeof(nlattr) + 4, RTA_GATEWAY};
        hops[i].gateway = {10, 0, static_cast<std::uint8_t>(i), 254};
    }
    hops[1].header.rtnh_flags = RTNH_F_LINKDOWN;
    nla_put(message.get(), RTA_MULTIPATH, sizeof(hops), hops.data());

    const auto parsed = parse_route(nlmsg_hdr(message.get()));

    ASSERT_EQ(parsed->hops.size(), 2U);
    EXPECT_EQ(parsed->hops[0], (RouteHop{kWanTap, ip("10.0.0.254"), true}));
    EXPECT_EQ(parsed->hops[1], (RouteHop{kLanTap, ip("10.0.1.254"), false}));
}

TEST(KernelParse, OtherTablesAndKindsAreNotForUs) {
    rtmsg local = route_header(AF_INET, 32);
    local.rtm_type = RTN_LOCAL;
    rtmsg other_table = route_header(AF_INET, 32);
    other_table.rtm_table = RT_TABLE_LOCAL;
    rtmsg cloned = route_header(AF_INET6, 128);
    cloned.rtm_flags = RTM_F_CLONED;
    for (const rtmsg& header : {local, other_table, cloned}) {
        const Message message = make_message(RTM_NEWROUTE, header);
        nla_put_u32(message.get(), RTA_OIF, 11);
        EXPECT_FALSE(parse_route(nlmsg_hdr(message.get())).has_value());
    }
}

TEST(KernelParse, BlackholeIsUnreachable) {
    rtmsg header = route_header(AF_INET, 8);
    header.rtm_type = RTN_BLACKHOLE;
    const Message message = make_message(RTM_NEWROUTE, header);
    put(message, RTA_DST, ip("10.0.0.0"));

    EXPECT_TRUE(parse_route(nlmsg_hdr(message.get()))->unreachable);
}

TEST(KernelParse, NeighbourStatesKeepTheirNames) {
    struct Case {
        std::uint16_t nud;
        std::optional<NeighbourState> state;
    };
    const Case cases[] = {
        {NUD_NONE, NeighbourState::Incomplete},
        {NUD_INCOMPLETE, NeighbourState::Incomplete},
        {NUD_REACHABLE, NeighbourState::Reachable},
        {NUD_STALE, NeighbourState::Stale},
        {NUD_DELAY, NeighbourState::Delay},
        {NUD_PROBE, NeighbourState::Probe},
        {NUD_FAILED, NeighbourState::Failed},
        {NUD_PERMANENT, NeighbourState::Permanent},
        {NUD_NOARP, std::nullopt},
    };
    for (const Case& test : cases) {
        ndmsg header{};
        header.ndm_family = AF_INET;
        header.ndm_ifindex = 12;
        header.ndm_state = test.nud;
        const Message message = make_message(RTM_NEWNEIGH, header);
        put(message, NDA_DST, ip("10.0.1.7"));
        const auto address = mac("02:aa:00:00:00:07");
        nla_put(message.get(), NDA_LLADDR, 6, address.bytes.data());

        const auto parsed = parse_neighbour(nlmsg_hdr(message.get()));

        ASSERT_EQ(parsed.has_value(), test.state.has_value()) << test.nud;
        if (!parsed) continue;
        EXPECT_EQ(parsed->first, (NeighbourKey{kLanTap, ip("10.0.1.7")}));
        EXPECT_EQ(parsed->second, (Neighbour{*test.state, address}));
    }
}

TEST(KernelParse, TruncatedMessagesAreRefused) {
    ndmsg header{};
    header.ndm_family = AF_INET;
    header.ndm_state = NUD_REACHABLE;
    const Message message = make_message(RTM_NEWNEIGH, header);
    const std::array<std::uint8_t, 2> cut{10, 0};
    nla_put(message.get(), NDA_DST, 2, cut.data());

    EXPECT_FALSE(parse_neighbour(nlmsg_hdr(message.get())).has_value());
    nlmsg_hdr(message.get())->nlmsg_len = sizeof(nlmsghdr) + 2;
    EXPECT_FALSE(parse_route(nlmsg_hdr(message.get())).has_value());
    EXPECT_FALSE(parse_link(nlmsg_hdr(message.get())).has_value());
    EXPECT_FALSE(parse_address(nlmsg_hdr(message.get())).has_value());
}

}  // namespace
}  // namespace pollux::control
