// SPDX-License-Identifier: Apache-2.0
#include "control/api/json_views.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "control/api/connection_filter.h"
#include "tests/unit/control/builders.h"

namespace pollux::control::api {
namespace {

using namespace testing;

lb::ConnectionView connection() {
    lb::ConnectionView view;
    view.protocol = lb::Protocol::Tcp;
    view.client = ip("192.0.2.7");
    view.client_port = 40000;
    view.virtual_address = ip("10.0.0.100");
    view.virtual_port = 80;
    view.server = ip("10.0.1.1");
    view.server_port = 8080;
    view.method = lb::ForwardingMethod::Nat;
    view.state = "ESTABLISHED";
    view.expires_in = std::chrono::milliseconds(1500);
    return view;
}

TEST(JsonViews, ConnectionHasLvssWords) {
    EXPECT_EQ(connection_json(connection()).dump(),
              R"({"protocol":"TCP","state":"ESTABLISHED","expires_seconds":1.5,)"
              R"("client":"192.0.2.7","client_port":40000,"virtual":"10.0.0.100",)"
              R"("virtual_port":80,"server":"10.0.1.1","server_port":8080,"method":"NAT"})");
}

TEST(JsonViews, OptionalMembersOfAConnectionAppearWhenTheyMeanSomething) {
    lb::ConnectionView view = connection();
    view.local = ip("10.0.1.250");
    view.local_port = 1024;
    view.is_template = true;
    view.fwmark = 3;

    const Json json = connection_json(view);

    EXPECT_EQ(json["local"], "10.0.1.250");
    EXPECT_EQ(json["local_port"], 1024);
    EXPECT_EQ(json["template"], true);
    EXPECT_EQ(json["fwmark"], 3);
}

TEST(JsonViews, ServiceShowsItsServersInOrder) {
    lb::ServiceView service;
    service.spec.address = ip("10.0.0.100");
    service.spec.port = 80;
    service.spec.scheduler = lb::SchedulerKind::Wrr;
    service.spec.persistence = lb::PersistenceSpec{std::chrono::seconds(50), 24};
    lb::ServerView server;
    server.address = ip("10.0.1.1");
    server.port = 80;
    server.weight = 3;
    server.active = 2;
    service.servers = {server};

    const Json json = services_json(std::vector{service}).at(0);

    EXPECT_EQ(json["address"], "10.0.0.100");
    EXPECT_EQ(json["scheduler"], "wrr");
    EXPECT_EQ(json["persistence"]["timeout_seconds"], 50.0);
    EXPECT_EQ(json["persistence"]["prefix"], 24);
    EXPECT_EQ(json["servers"][0]["weight"], 3);
    EXPECT_EQ(json["servers"][0]["active"], 2);
}

TEST(JsonViews, AServicesFurtherPieceHasItsNameAndServersOnly) {
    lb::ServiceView service;
    service.spec.fwmark = 3;
    service.spec.protocol = lb::Protocol::None;
    service.spec.address.family = net::Family::V6;
    service.continued = true;

    EXPECT_EQ(services_json(std::vector{service}).dump(),
              R"([{"protocol":"","fwmark":3,"family":"ipv6","continued":true,"servers":[]}])");
}

TEST(JsonViews, DropsNameReasonsThatOccurredUnlessAllAreAsked) {
    lb::WorkerCounters first;
    lb::WorkerCounters second;
    first.dropped[static_cast<std::size_t>(lb::DropReason::NoRoute)] = 2;
    second.dropped[static_cast<std::size_t>(lb::DropReason::NoRoute)] = 3;
    const std::vector workers{first, second};

    const Json occurred = drops_json(workers, false);
    ASSERT_EQ(occurred.size(), 1U);
    EXPECT_EQ(occurred[0]["reason"], "no-route");
    EXPECT_EQ(occurred[0]["packets"], 5);
    EXPECT_EQ(drops_json(workers, true).size(), lb::kDropReasonCount - 1);
}

TEST(ConnectionFilter, EachMemberNarrowsDown) {
    struct Case {
        const char* args;
        bool matches;
    };
    const Case cases[] = {
        {R"({})", true},
        {R"({"protocol":"tcp"})", true},
        {R"({"protocol":"UDP"})", false},
        {R"({"state":"established"})", true},
        {R"({"state":"SYN_RECV"})", false},
        {R"({"state":"udp"})", false},
        {R"({"state":"S-SENT"})", false},
        {R"({"client":"192.0.2.0/24"})", true},
        {R"({"client":"192.0.3.0/24"})", false},
        {R"({"client_port":40000})", true},
        {R"({"client_port":40001})", false},
        {R"({"virtual":"10.0.0.100","virtual_port":80})", true},
        {R"({"virtual":"10.0.0.100","virtual_port":81})", false},
        {R"({"server":"10.0.1.1"})", true},
        {R"({"server":"10.0.1.2"})", false},
        {R"({"templates":false})", true},
        {R"({"templates":true})", false},
    };
    for (const Case& test : cases) {
        const auto filter = ConnectionFilter::parse(Json::parse(test.args));
        ASSERT_TRUE(filter.ok()) << test.args;
        EXPECT_EQ(filter->matches(connection()), test.matches) << test.args;
    }
}

TEST(ConnectionFilter, WrongArgumentsAreNamed) {
    for (const char* args : {R"({"protocol":"icmp"})", R"({"client":"nonsense"})",
                             R"({"client_port":70000})", R"({"client_port":"80"})",
                             R"({"templates":1})", R"({"state":5})", R"({"state":"ESTABLISHD"})"}) {
        EXPECT_FALSE(ConnectionFilter::parse(Json::parse(args)).ok()) << args;
    }
}

}  // namespace
}  // namespace pollux::control::api
