// SPDX-License-Identifier: Apache-2.0
// Files, includes, nodes, secrets, inheritance.
#include "control/config/load.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "control/config/render.h"
#include "tests/unit/config/judge.h"

namespace pollux::control::testing {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// A directory of its own, removed at the end.
class Files : public ::testing::Test {
  protected:
    Files() {
        std::string name = fs::temp_directory_path() / "pollux-config-XXXXXX";
        root_ = ::mkdtemp(name.data());
    }
    ~Files() override { fs::remove_all(root_); }

    std::string write(const std::string& name, const std::string& text, mode_t mode = 0644) {
        const fs::path path = root_ / name;
        fs::create_directories(path.parent_path());
        std::ofstream(path) << text;
        ::chmod(path.c_str(), mode);
        return path;
    }
    std::string main(const std::string& text, mode_t mode = 0644) {
        return write("pollux.toml", text + std::string(kPorts), mode);
    }
    [[nodiscard]] std::string path(const std::string& name) const { return root_ / name; }

    fs::path root_;
};

std::vector<std::string> codes(const LoadResult& result) {
    std::vector<std::string> codes;
    for (const Diagnostic& diagnostic : result.diagnostics) {
        codes.push_back(diagnostic.code + " " + diagnostic.title);
    }
    return codes;
}

TEST_F(Files, MissingFileIsUnreadable) {
    const LoadResult result = load_config(path("none.toml"));
    EXPECT_TRUE(result.unreadable);
    EXPECT_EQ(codes(result), std::vector<std::string>{"E0102 cannot read " + path("none.toml")});
}

TEST_F(Files, AFileForOtherNodesSaysHowToChooseOne) {
    const std::string path = write("pair.toml",
                                   "[dpdk]\nidle = \"adaptive\"\n[[dpdk.port]]\n"
                                   "when = { node = \"lb1\" }\nname = \"wan\"\n"
                                   "vdev = \"net_null0\"\n");
    LoadOptions options;
    options.node = "desk";
    const LoadResult result = load_config(path, options);
    ASSERT_EQ(codes(result), std::vector<std::string>{"E0404 no port is defined"});
    ASSERT_EQ(result.diagnostics[0].helps.size(), 1U);
    EXPECT_EQ(result.diagnostics[0].helps[0],
              "this is node \"desk\", the file is for lb1: choose with --node NAME, or set "
              "[global] router_id");

    options.node = "lb1";
    EXPECT_TRUE(load_config(path, options).config.has_value());
}

TEST_F(Files, DirectoryIsUnreadable) {
    EXPECT_TRUE(load_config(root_).unreadable);
}

TEST_F(Files, IncludesAreReadInOrderOfNameAndKeepTheirPlaces) {
    write("conf.d/b.toml", "[[mark]]\nmark = 2\n");
    write("conf.d/a.toml", "[[mark]]\nmark = 1\n");
    const LoadResult result = load_config(main("[global]\ninclude = [\"conf.d/*.toml\"]\n"));
    ASSERT_TRUE(result.config) << render_all(result);
    ASSERT_EQ(result.config->marks.size(), 2U);
    EXPECT_EQ(result.config->marks[0].mark, 1U);
    EXPECT_EQ(result.config->marks[1].origin.line, 1U);
    EXPECT_EQ(result.files, (std::vector<std::string>{path("pollux.toml"), path("conf.d/a.toml"),
                                                      path("conf.d/b.toml")}));
}

TEST_F(Files, ErrorsOfIncludedFilesNameThem) {
    write("conf.d/vrrp.toml",
          "[[vrrp_instance]]\nnoreempt = true\nname = \"VI_1\"\n"
          "interface = \"wan\"\nvirtual_router_id = 51\n"
          "virtual_ipaddress = [{ address = \"198.51.100.10\" }]\n");
    const LoadResult result = load_config(main("[global]\ninclude = [\"conf.d/*.toml\"]\n"));
    ASSERT_EQ(result.diagnostics.size(), 1U);
    EXPECT_EQ(result.diagnostics[0].labels[0].file, path("conf.d/vrrp.toml"));
    EXPECT_EQ(result.diagnostics[0].labels[0].line, 2U);
}

TEST_F(Files, IncludeWithoutWildcardMustExist) {
    EXPECT_EQ(codes(load_config(main("[global]\ninclude = [\"none.toml\"]\n"))),
              std::vector<std::string>{"E0102 cannot read the included " + path("none.toml")});
    EXPECT_TRUE(load_config(main("[global]\ninclude = [\"none/*.toml\"]\n")).config);
}

TEST_F(Files, FileThatIncludesItselfIsRefused) {
    EXPECT_EQ(codes(load_config(main("[global]\ninclude = [\"pollux.toml\"]\n"))),
              std::vector<std::string>{"E0121 " + path("pollux.toml") + " is included twice"});
}

TEST_F(Files, OneTableMayStandInTwoFilesButAKeyOnlyOnce) {
    write("more.toml", "[log]\nlevel = \"debug\"\n");
    const LoadResult apart =
        load_config(main("[global]\ninclude = [\"more.toml\"]\n[log]\nformat = \"json\"\n"));
    ASSERT_TRUE(apart.config) << render_all(apart);
    EXPECT_EQ(apart.config->log.level, LogLevel::Debug);
    EXPECT_EQ(apart.config->log.format, LogFormat::Json);
    EXPECT_EQ(codes(load_config(main("[global]\ninclude = [\"more.toml\"]\n[log]\n"
                                     "level = \"info\"\n"))),
              std::vector<std::string>{"E0113 `level` is defined twice"});
}

constexpr const char* kAuth =
    "[[vrrp_instance]]\nname = \"VI_1\"\ninterface = \"wan\"\nvirtual_router_id = 51\n"
    "virtual_ipaddress = [{ address = \"198.51.100.10/24\" }]\n";

TEST_F(Files, LiteralSecretNeedsAPrivateFile) {
    const std::string text =
        std::string(kAuth) + "authentication = { type = \"PASS\", password = \"secret12\" }\n";
    EXPECT_EQ(codes(load_config(main(text, 0644))),
              std::vector<std::string>{"E0114 the password of [[vrrp_instance]] \"VI_1\" stands in "
                                       "a file that others can read"});
    EXPECT_EQ(codes(load_config(main(text, 0640))).size(), 1U);
    const LoadResult result = load_config(main(text, 0600));
    ASSERT_TRUE(result.config) << render_all(result);
    EXPECT_EQ(result.config->vrrp_instances[0].authentication.password, "secret12");
}

TEST_F(Files, SecretFileGivesItsFirstLine) {
    write("vrrp", "secret12\n", 0600);
    const std::string text = std::string(kAuth) +
                             "authentication = { type = \"PASS\", "
                             "password_file = \"" +
                             path("vrrp") + "\" }\n";
    const LoadResult result = load_config(main(text));
    ASSERT_TRUE(result.config) << render_all(result);
    EXPECT_EQ(result.config->vrrp_instances[0].authentication.password, "secret12");
    ::chmod(path("vrrp").c_str(), 0644);
    EXPECT_EQ(codes(load_config(main(text))).size(), 1U);
}

TEST_F(Files, SecretFileWhoseFirstLineIsEmptyIsAnError) {
    write("vrrp", "\nsecret12\n", 0600);
    const std::string text = std::string(kAuth) +
                             "authentication = { type = \"PASS\", "
                             "password_file = \"" +
                             path("vrrp") + "\" }\n";
    EXPECT_EQ(
        codes(load_config(main(text))),
        std::vector<std::string>{"E0116 the password of [[vrrp_instance]] \"VI_1\" is empty"});
}

TEST_F(Files, CredentialsDirectoryIsExpanded) {
    write("credentials/vrrp", "secret12\n", 0400);
    const std::string text = std::string(kAuth) +
                             "authentication = { type = \"PASS\", "
                             "password_file = \"${CREDENTIALS_DIRECTORY}/vrrp\" }\n";
    LoadOptions options;
    options.credentials_directory = path("credentials");
    const LoadResult result = load_config(main(text), options);
    ASSERT_TRUE(result.config) << render_all(result);
    EXPECT_EQ(result.config->vrrp_instances[0].authentication.password, "secret12");
}

TEST_F(Files, MissingSecretIsAnErrorUnlessTheFileIsOnlyChecked) {
    const std::string text = std::string(kAuth) +
                             "authentication = { type = \"PASS\", "
                             "password_file = \"" +
                             path("none") + "\" }\n";
    EXPECT_EQ(codes(load_config(main(text))),
              std::vector<std::string>{
                  "E0115 the password of [[vrrp_instance]] \"VI_1\" cannot be read"});
    LoadOptions options;
    options.require_secrets = false;
    EXPECT_TRUE(load_config(main(text), options).config);
}

TEST(Load, ElementsOfOtherNodesAreLeftOut) {
    const char* text =
        "[global]\nrouter_id = \"lb01\"\n"
        "[[mark]]\nmark = 1\nwhen = { node = \"lb01\" }\n"
        "[[mark]]\nmark = 2\nwhen = { node = [\"lb02\", \"lb03\"] }\n"
        "[[mark]]\nmark = 3\nwhen = { not_node = \"lb01\" }\n"
        "[[mark]]\nmark = 4\n";
    const auto marks = [](const Config& config) {
        std::vector<std::uint32_t> numbers;
        for (const MarkConfig& mark : config.marks) numbers.push_back(mark.mark);
        return numbers;
    };
    EXPECT_EQ(marks(good(text)), (std::vector<std::uint32_t>{1, 4}));
    EXPECT_EQ(marks(good(text, "lb02")), (std::vector<std::uint32_t>{2, 3, 4}));
}

TEST(Load, MistakesOfAnotherNodeAreFoundToo) {
    EXPECT_EQ(judge("[global]\nrouter_id = \"lb01\"\n[[mark]]\nmark = 0\nwhen = { node = \"lb02\" "
                    "}\n"),
              std::vector<std::string>{
                  "E0104 4:8 `mark` is out of range | expected a whole number from 1 to "
                  "4294967295"});
}

std::string pair(const std::string& lb01, const std::string& lb02) {
    const auto instance = [](const std::string& node, const std::string& lines) {
        return "[[vrrp_instance]]\nwhen = { node = \"" + node +
               "\" }\nname = \"VI_1\"\ninterface = \"wan\"\nvirtual_router_id = 51\n"
               "virtual_ipaddress = [{ address = \"198.51.100.10/24\" }]\n" +
               lines + "\n";
    };
    return "[global]\nrouter_id = \"lb01\"\n" + instance("lb01", lb01) + instance("lb02", lb02);
}

TEST(Load, NodesOfOneFileAreCompared) {
    EXPECT_EQ(judge(pair("priority = 150", "priority = 100")), std::vector<std::string>{});
    EXPECT_EQ(
        judge(pair("priority = 100", "priority = 100")),
        std::vector<std::string>{"W0332 9:12 virtual router 51 on \"wan\" has priority 100 on "
                                 "node \"lb02\" too | this node's"});
    EXPECT_EQ(judge(pair("priority = 150\nadvert_int = \"2s\"", "priority = 100")),
              std::vector<std::string>{"E0331 10:14 virtual router 51 on \"wan\" has another "
                                       "advert_int on node \"lb02\" | this node's"});
}

TEST(Load, ChecksInheritFromServerAndService) {
    const Config config = good(R"(
[[virtual_server]]
address = "198.51.100.2"
port = 80
protocol = "TCP"
delay_loop = "6s"
retry = 4
virtualhost = "a.example.com"
weight = 7
[[virtual_server.real_server]]
address = "10.0.0.12"
delay_loop = "3s"
[[virtual_server.real_server.check]]
type = "HTTP_GET"
connect_timeout = "2s"
url = [{ path = "/a" }, { path = "/b", virtualhost = "b.example.com" }]
[[virtual_server.real_server.check]]
type = "DNS_CHECK"
retry = 9
[[virtual_server.real_server]]
address = "10.0.0.13"
port = 8080
weight = 0
check = [{ type = "MISC_CHECK", misc_path = ["/bin/true"] }]
)");
    const VirtualServerConfig& service = config.virtual_servers.at(0);
    const RealServerConfig& first = service.real_server.at(0);
    EXPECT_EQ(first.weight, 7);
    EXPECT_EQ(first.port, 80);
    const CheckConfig& http = first.check.at(0);
    EXPECT_EQ(http.delay_loop, 3s);
    EXPECT_EQ(http.warmup, 3s);
    EXPECT_EQ(http.retry, 4U);
    EXPECT_EQ(http.connect_timeout, 2s);
    EXPECT_EQ(http.delay_before_retry, 3s);  // HTTP_GET's own default
    EXPECT_EQ(http.connect_ip.to_string(), "10.0.0.12");
    EXPECT_EQ(http.connect_port, 80);
    EXPECT_EQ(http.url.at(0).virtualhost, "a.example.com");
    EXPECT_EQ(http.url.at(1).virtualhost, "b.example.com");
    EXPECT_EQ(http.url.at(0).status_code, (std::vector<NumberRange>{{200, 299}}));
    EXPECT_EQ(first.check.at(1).retry, 9U);
    EXPECT_EQ(first.check.at(1).delay_before_retry, 3s);  // DNS_CHECK: delay_loop
    const RealServerConfig& second = service.real_server.at(1);
    EXPECT_EQ(second.weight, 0);
    EXPECT_EQ(second.check.at(0).connect_port, 8080);
    EXPECT_EQ(second.check.at(0).misc_timeout, 6s);
}

TEST(Load, ChecksThroughAServiceAskItsAddressAtTheServer) {
    const auto check_of = [](const std::string& server, const std::string& check) {
        const Config config = good(
            "[[virtual_server]]\naddress = \"198.51.100.2\"\nport = 80\nprotocol = \"TCP\"\n"
            "lvs_method = \"DR\"\n[[virtual_server.real_server]]\naddress = \"10.0.0.12\"\n" +
            server + "\ncheck = [{ type = \"TCP_CHECK\", check_via = \"service\"" + check +
            " }]\n");
        return config.virtual_servers.at(0).real_server.at(0).check.at(0);
    };
    const CheckConfig direct_routing = check_of("", "");
    EXPECT_EQ(direct_routing.connect_ip.to_string(), "198.51.100.2");
    EXPECT_EQ(direct_routing.connect_port, 80);
    ASSERT_TRUE(direct_routing.via);
    EXPECT_EQ(direct_routing.via->server.to_string(), "10.0.0.12");
    EXPECT_EQ(direct_routing.via->method, lb::ForwardingMethod::DirectRouting);

    const CheckConfig tunnel =
        check_of("lvs_method = \"TUN\"\ntunnel = { type = \"gre\" }", ", connect_port = 8080");
    EXPECT_EQ(tunnel.connect_port, 8080);
    ASSERT_TRUE(tunnel.via);
    EXPECT_EQ(tunnel.via->method, lb::ForwardingMethod::Tunnel);
    EXPECT_EQ(tunnel.via->tunnel.type, lb::TunnelKind::Gre);

    // NAT sends to the server's own address, and so does the check.
    const CheckConfig nat = check_of("lvs_method = \"NAT\"", "");
    EXPECT_EQ(nat.connect_ip.to_string(), "10.0.0.12");
    EXPECT_FALSE(nat.via);
}

TEST(Load, RetryDependsOnTheTypeOfCheck) {
    const Config config = good(R"(
[[virtual_server]]
address = "198.51.100.2"
port = 80
protocol = "TCP"
[[virtual_server.real_server]]
address = "10.0.0.12"
check = [
    { type = "TCP_CHECK" },
    { type = "DNS_CHECK" },
    { type = "MISC_CHECK", misc_path = ["/bin/true"] },
]
)");
    const auto& checks = config.virtual_servers.at(0).real_server.at(0).check;
    EXPECT_EQ(checks.at(0).retry, 1U);
    EXPECT_EQ(checks.at(0).delay_loop, 60s);
    EXPECT_EQ(checks.at(0).delay_before_retry, 1s);
    EXPECT_EQ(checks.at(1).retry, 3U);
    EXPECT_EQ(checks.at(1).delay_before_retry, 60s);
    EXPECT_EQ(checks.at(2).retry, 0U);
}

TEST(Load, InstancesInheritFromGlobalVrrpWhereverItStands) {
    const Config config = good(R"(
[[vrrp_instance]]
name = "VI_1"
interface = "wan"
virtual_router_id = 51
garp_master_repeat = 2
virtual_ipaddress = [{ address = "198.51.100.10/24" }]
[[vrrp_instance]]
name = "VI_2"
interface = "wan"
virtual_router_id = 51
virtual_ipaddress = [{ address = "2001:db8::10/64" }]
[global.vrrp]
garp_master_repeat = 7
garp_master_delay = "9s"
[global.email]
smtp_alert = true
)");
    const VrrpInstanceConfig& first = config.vrrp_instances.at(0);
    EXPECT_EQ(first.tuning.garp_master_repeat, 2U);
    EXPECT_EQ(first.tuning.garp_master_delay, 9s);
    EXPECT_EQ(first.tuning.version, 2);
    EXPECT_EQ(first.family, net::Family::V4);
    EXPECT_TRUE(first.notify.smtp_alert);
    EXPECT_EQ(first.virtual_ipaddress.at(0).dev, "wan");
    const VrrpInstanceConfig& second = config.vrrp_instances.at(1);
    EXPECT_EQ(second.tuning.garp_master_repeat, 7U);
    EXPECT_EQ(second.tuning.version, 3);
    EXPECT_EQ(second.family, net::Family::V6);
}

TEST(Load, WhereSomethingStandsDoesNotMakeItAnotherThing) {
    const std::string text = "[[mark]]\nmark = 3\n";
    EXPECT_EQ(good(text), good("# a comment\n\n" + text));
    EXPECT_NE(good(text), good("[[mark]]\nmark = 4\n"));
}

}  // namespace
}  // namespace pollux::control::testing
