// SPDX-License-Identifier: Apache-2.0
#include "tools/pollux/cli.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include <gtest/gtest.h>

#include "control/api/command.h"
#include "tools/pollux/rs_setup.h"
#include "tools/pollux/table.h"

namespace pollux::cli {
namespace {

using Words = std::vector<std::string>;

Result<Json> arguments_of(const Words& words) {
    const CommandRow* row = find_row(words);
    if (row == nullptr) return Error{"no such command", ""};
    const auto count = std::count(row->words.begin(), row->words.end(), ' ') + 1;
    return parse_arguments(*row, std::span(words).subspan(static_cast<std::size_t>(count)));
}

TEST(Cli, WordsBecomeRequestArguments) {
    struct Case {
        Words words;
        const char* args;
    };
    const Case cases[] = {
        {{"show", "services"}, "{}"},
        {{"show", "services", "--stats"}, R"({"stats":true})"},
        {{"show", "connections", "--virtual", "10.0.0.1:80", "--limit", "5"},
         R"({"virtual":"10.0.0.1","virtual_port":80,"limit":5})"},
        {{"show", "connections", "--client", "10.0.0.0/8"}, R"({"client":"10.0.0.0/8"})"},
        {{"show", "connections", "--client", "[2001:db8::1]:443"},
         R"({"client":"2001:db8::1","client_port":443})"},
        {{"show", "connections", "--client", "2001:db8::1"}, R"({"client":"2001:db8::1"})"},
        {{"reload", "--confirm", "2m"}, R"({"confirm_seconds":120})"},
        {{"reload", "--diff"}, R"({"preview":true})"},
        {{"server", "drain", "10.0.0.2:80"}, R"({"weight":0,"server":"10.0.0.2:80"})"},
        {{"server", "weight", "10.0.0.2", "7", "--service", "10.0.0.1:80"},
         R"({"server":"10.0.0.2","weight":7,"service":"10.0.0.1:80"})"},
    };
    for (const Case& test : cases) {
        const auto args = arguments_of(test.words);
        ASSERT_TRUE(args.ok()) << test.args << ": " << args.error().message;
        EXPECT_EQ(args->dump(), test.args);
    }
}

TEST(Cli, MisuseIsNamed) {
    struct Case {
        Words words;
        const char* message;
    };
    const Case cases[] = {
        {{"show", "services", "--stat"}, "unknown option --stat"},
        {{"show", "services", "extra"}, "what is extra?"},
        {{"show", "connections", "--limit"}, "--limit needs a value"},
        {{"show", "connections", "--limit", "many"}, "--limit many is not a number"},
        {{"show", "connections", "--client", "nonsense"}, "nonsense is not ADDRESS[:PORT]"},
        {{"show", "connections", "--client", "10.0.0.1:99999"},
         "port 99999 is not a number from 0 to 65535"},
        {{"reload", "--confirm", "60"}, "--confirm 60 is not a time"},
        {{"server", "weight", "10.0.0.2"}, "WEIGHT is missing"},
    };
    for (const Case& test : cases) {
        const auto args = arguments_of(test.words);
        ASSERT_FALSE(args.ok()) << test.message;
        EXPECT_EQ(args.error().message, test.message);
    }
}

TEST(Cli, EveryRowAsksForACommandThatTheDaemonHas) {
    for (const CommandRow& row : command_rows()) {
        EXPECT_NE(control::api::find_command(row.request), nullptr) << row.words;
    }
}

TEST(Cli, ExitCodesTellRefusedFromNotConnected) {
    std::ostringstream out;
    std::ostringstream err;
    EXPECT_EQ(run({"help"}, out, err), 0);
    EXPECT_EQ(run({"show", "nothing"}, out, err), 1);
    EXPECT_EQ(run({"--socket", "/nonexistent/socket", "show", "status"}, out, err), 2);
    EXPECT_NE(err.str().find("is polluxd running?"), std::string::npos);
}

TEST(Cli, HelpKnowsCommandsTheirFirstWordsAndTables) {
    struct Case {
        Words words;
        const char* text;
    };
    const Case cases[] = {
        {{"help"}, "show services"},
        {{"help", "show", "services"}, "--stats"},
        {{"help", "server"}, "server drain"},
        {{"help", "dpdk.port"}, "pci = "},
        {{"help", "virtual_router_id"}, "from 1 to 255"},
        {{"help", "tables"}, "[[vrrp_instance]]"},
        // Both a command's first word and a table.
        {{"help", "log"}, "log level"},
        {{"help", "log"}, "[log]"},
    };
    for (const Case& test : cases) {
        std::ostringstream out;
        std::ostringstream err;
        EXPECT_EQ(run(test.words, out, err), 0) << test.text;
        EXPECT_NE(out.str().find(test.text), std::string::npos) << test.text << "\n" << out.str();
    }
    std::ostringstream out;
    std::ostringstream err;
    EXPECT_EQ(run({"help", "global"}, out, err), 0);
    EXPECT_TRUE(out.str().starts_with("[global]\n")) << out.str();
    EXPECT_EQ(run({"help", "vrrp_instanec"}, out, err), 1);
    EXPECT_NE(err.str().find("did you mean \"vrrp_instance\"?"), std::string::npos);
}

TEST(Cli, OptionsMayStandBeforeACommandThatNeedsNoDaemon) {
    std::ostringstream out;
    std::ostringstream err;
    EXPECT_EQ(run({"--json", "check", "/nonexistent.toml"}, out, err), 3);
    EXPECT_EQ(Json::parse(out.str()).count("diagnostics"), 1U) << out.str();
    EXPECT_EQ(run({"--json", "rs-setup", "--method", "fnat"}, out, err), 1);
    EXPECT_NE(err.str().find("--json"), std::string::npos);
}

TEST(Cli, UnknownCommandShowsItsNeighbours) {
    std::ostringstream out;
    std::ostringstream err;
    run({"server", "kill"}, out, err);
    EXPECT_NE(err.str().find("one of: server drain, server enable, server weight"),
              std::string::npos);
}

TEST(Render, ServicesLookLikeIpvsadms) {
    const Json data = Json::parse(R"({"services":[
        {"protocol":"TCP","address":"10.0.0.100","port":80,"scheduler":"wrr","scheduler_flags":[],
         "one_packet":false,"persistence":{"timeout_seconds":50.0,"prefix":24},"servers":[
          {"address":"10.0.1.11","port":80,"method":"DR","weight":3,"active":1,"inactive":22,
           "removed":false}]},
        {"protocol":"","fwmark":3,"family":"ipv6","scheduler":"sh","scheduler_flags":["port"],
         "one_packet":false,"persistence":null,"servers":[
          {"address":"2001:db8::1","port":0,"method":"NAT","weight":0,"active":0,"inactive":0,
           "removed":true}]}]})");

    EXPECT_EQ(render_services(data, Json::object()),
              "Prot LocalAddress:Port Scheduler Flags\n"
              "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"
              "TCP  10.0.0.100:80 wrr persistent 50 mask /24\n"
              "  -> 10.0.1.11:80                 Route   3      1          22\n"
              "FWM  3 IPv6 sh (port)\n"
              "  -> [2001:db8::1]:0              Masq    -      0          0\n");
}

TEST(Render, WorkersShowTheirLastSecondAndTheirBursts) {
    const Json data = Json::parse(R"({"workers":[{"worker":0,"cpu":3,"received":900,
        "transmitted":800,"punted":60,"dropped":40,"connections_created":7,"sleeps":5,
        "burst_histogram":[100,50,25,0,0,0,0,0,25],
        "lately":{"packets_per_second":1234.6,"bits_per_second":2500000.0,"busy_share":0.251,
                  "cycles_per_packet":118.4}}]})");

    EXPECT_EQ(render_workers(data, Json::object()),
              "of the last second, counters since the start:\n"
              "worker  cpu  packets/s  Mbit/s   busy  cycles/packet  received  transmitted  punted"
              "  dropped  connections  sleeps\n"
              "     0    3       1235     2.5  25.1%            118       900          800      60"
              "       40            7       5\n"
              "\n"
              "packets taken at a time, since the start:\n"
              "worker  empty polls  bursts   of 1    2-4    5-8  9-16  17-32   33-\n"
              "     0        50.0%     100  50.0%  25.0%  25.0%  0.0%   0.0%  0.0%\n");
}

TEST(Render, MemoryHasUnitsFillAndBytesForAConnection) {
    const Json data = Json::parse(R"({"memory":[
        {"name":"connection records","bytes":67108864,"capacity":1048576,"used":262144,
         "hugepages":true},
        {"name":"connection index","bytes":25165824,"capacity":3145728,"used":0,
         "hugepages":true}]})");

    EXPECT_EQ(render_memory(data, Json::object()),
              "table                MiB  capacity    used   fill  pages\n"
              "connection records  64.0   1048576  262144  25.0%  huge\n"
              "connection index    24.0   3145728       0   0.0%  huge\n"
              "\n"
              "all tables: 88.0 MiB; a connection, index included: 88.0 bytes\n");
}

TEST(Render, ServicesMarkWhatIsNotAsInTheFile) {
    const Json data = Json::parse(R"({"services":[
        {"protocol":"TCP","address":"10.0.0.1","port":80,"scheduler":"rr","defined_by":"changed",
         "servers":[{"address":"10.0.1.1","port":80,"method":"NAT","weight":1,
                     "defined_by":"runtime"}]}],
        "deleted_at_runtime":["UDP 10.0.0.1:53"]})");

    EXPECT_EQ(render_services(data, Json::object()),
              "Prot LocalAddress:Port Scheduler Flags\n"
              "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"
              "TCP  10.0.0.1:80 rr  (changed at run time)\n"
              "  -> 10.0.1.1:80                  Masq    1      0          0  (runtime)\n"
              "deleted at run time: UDP 10.0.0.1:53\n");
}

TEST(Render, AWeightIsOfTheOperatorOrAsConfigured) {
    const Json data = Json::parse(R"({"changed":[{"service":"TCP 10.0.0.1:80",
        "server":"10.0.1.1:80","weight_before":0,"weight":3}]})");
    const std::string change = "TCP 10.0.0.1:80 real_server 10.0.1.1:80 weight 0 -> 3 ";

    EXPECT_EQ(render_weights(data, {{"weight", 3}}), change + "(runtime)\n");
    EXPECT_EQ(render_weights(data, {{"weight", -1}}), change + "(as configured)\n");
}

TEST(Render, AnswerOfAnotherVersionDoesNotConfuse) {
    for (const Renderer render :
         {render_status, render_services, render_connections, render_ports, render_workers,
          render_drops, render_neighbours, render_routes, render_memory, render_config,
          render_reload, render_weights, render_done}) {
        (void)render(Json::object(), Json::object());
        (void)render(Json::parse(R"({"services":[{}],"connections":[{}],"ports":[{}],
            "workers":[{}],"drops":[{}],"neighbours":[{}],"routes":[{}],"memory":[{}],
            "changes":[1],"virtual_servers":[{}]})"),
                     Json::object());
    }
}

TEST(Table, ColumnsAreAsWideAsNeededWithoutTrailingBlanks) {
    Table table{{"name"}, {"count", Align::Right}, {"note"}};
    table.add({"a", "7", ""});
    table.add({"longer", "123456", "x"});
    EXPECT_EQ(table.render(),
              "name     count  note\n"
              "a            7\n"
              "longer  123456  x\n");
}

TEST(Table, ControlCharactersAreShownNotObeyed) {
    EXPECT_EQ(printable("a\x1b[2Jb\n"), "a\\x1b[2Jb\\x0a");
}

TEST(RealServerSetup, DrQuietensArpBeforeTheAddressExists) {
    const auto setup = parse_rs_setup({"--method", "dr", "--vip", "10.0.0.100"});
    ASSERT_TRUE(setup.ok());
    const std::string text = render_rs_setup(*setup);
    EXPECT_LT(text.find("sysctl -w net.ipv4.conf.all.arp_ignore=1"),
              text.find("ip address add 10.0.0.100/32 dev lo"));
    EXPECT_NE(text.find("arp_announce=2"), std::string::npos);
}

TEST(RealServerSetup, MissingPartsAreNamed) {
    struct Case {
        Words args;
        const char* message;
    };
    const Case cases[] = {
        {{}, "--method is dr, tun, nat or fnat"},
        {{"--method", "dr"}, "--vip is missing"},
        {{"--method", "nat"}, "--director is missing: Pollux's address on the servers' network"},
        {{"--method"}, "--method needs a value"},
        {{"--method", "dr", "--vip", "x"}, "x is not an address"},
        {{"--colour", "red"}, "unknown option --colour"},
    };
    for (const Case& test : cases) {
        const auto setup = parse_rs_setup(test.args);
        ASSERT_FALSE(setup.ok()) << test.message;
        EXPECT_EQ(setup.error().message, test.message);
    }
}

}  // namespace
}  // namespace pollux::cli
