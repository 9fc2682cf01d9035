// SPDX-License-Identifier: Apache-2.0
// The configurations of tutorials: their mistakes are named with the line, and what remains without
// them is a good configuration.
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "control/config/load.h"
#include "tests/unit/import/importing.h"

namespace pollux::control::testing {
namespace {

std::string fixture(const std::string& name) {
    std::ifstream file(POLLUX_SOURCE_ROOT "/tests/unit/import/tutorials/" + name);
    EXPECT_TRUE(file.good()) << name;
    return std::string(std::istreambuf_iterator<char>(file), {});
}

struct Case {
    std::string file;
    // "LINE what" of each mistake: the start of the word that it is about, or of the message.
    std::vector<std::string> mistakes;
};

std::ostream& operator<<(std::ostream& out, const Case& value) {
    return out << value.file;
}

class Tutorial : public ::testing::TestWithParam<Case> {};

ImportOptions with_ports(bool lenient) {
    ImportOptions options;
    options.lenient = lenient;
    int next = 0;
    for (const char* name : {"eth0", "eth1", "eth2", "eth33", "ens33", "enp0s3"}) {
        options.devices.push_back({name, "0000:3b:00." + std::to_string(next++)});
    }
    return options;
}

std::string errors_of(const LoadResult& loaded) {
    std::string text;
    for (const Diagnostic& diagnostic : loaded.diagnostics) {
        if (diagnostic.severity == Severity::Error) text += diagnostic.title + "\n";
    }
    return text;
}

TEST_P(Tutorial, HasItsMistakesNamed) {
    const ImportResult result = import_text(fixture(GetParam().file), with_ports(false));
    std::vector<std::string> found;
    for (const std::string& mistake : mistakes(result)) {
        const std::size_t word = mistake.find('`');
        const std::size_t end = mistake.find('`', word + 1);
        found.push_back(mistake.substr(0, mistake.find(' ')) + " " +
                        mistake.substr(word + 1, end - word - 1));
    }
    EXPECT_EQ(found, GetParam().mistakes);
    EXPECT_EQ(result.errors, GetParam().mistakes.size());
    EXPECT_EQ(result.toml.empty(), !GetParam().mistakes.empty());
}

TEST_P(Tutorial, IsAGoodConfigurationWithoutThem) {
    const ImportResult result = import_text(fixture(GetParam().file), with_ports(true));
    EXPECT_EQ(result.errors, 0U);
    EXPECT_EQ(result.warnings, GetParam().mistakes.size());
    LoadOptions options;
    options.check_secret_permissions = false;
    const LoadResult loaded = load_config_text(result.toml, "imported.toml", options);
    EXPECT_EQ(errors_of(loaded), "") << result.toml;
}

const Case kCases[] = {
    {"lb01-annotated.conf", {}},
    {"lb01.conf", {}},
    {"lb02.conf", {}},
    {"lb01-track-script.conf", {}},
    {"lb01-nopreempt.conf", {"7 noreempt"}},
    {"nginx-master.conf", {}},
    {"nginx-backup.conf", {}},
    {"two-instances-with-services.conf",
     {"16 track_script", "18 notify_master", "19 notify_backup", "20 notify_fault",
      "60 virtual_server 192.168.184.201 80"}},
    {"complete.conf",
     {"26 state", "31 authentication", "75 authentication",
      "83 virtual_server 192.168.119.131 80"}},
    {"default-file.conf", {"3 notification_email", "4 ...", "13 state", "18 authentication"}},
    {"lvs-dr-master.conf", {"29 nb_get_retry", "38 nb_get_retry"}},
    {"lvs-dr-slave.conf", {"6 state", "29 nb_get_retry", "38 nb_get_retry"}},
    {"nginx1.conf", {}},
    {"nginx2.conf", {}},
    {"dual-nginx1.conf", {}},
    {"dual-nginx2.conf", {}},
    {"all-keywords.conf",
     {"13 vrrp_script SCRIPT_NAME", "19 use_vmac", "32 dev", "37 nopreempt|preempt", "38 preempt",
      "41 notify_master", "42 notify_backup", "43 notify_fault", "47 lb_algo", "48 lb_kind",
      "49 nat_mask", "55 MISC_CHECK", "56 SMTP_CHEKC", "58 connect_port", "59 bindto", "62 SSL_GET",
      "63 notify_up", "79 connect_port", "80 bindto"}},
};

std::string name_of(const ::testing::TestParamInfo<Case>& parameter) {
    std::string name;
    for (const char c : parameter.param.file) name += c == '-' || c == '.' ? '_' : c;
    return name;
}

INSTANTIATE_TEST_SUITE_P(All, Tutorial, ::testing::ValuesIn(kCases), name_of);

TEST(Tutorials, RulesOfIpvsadmAreGoodConfigurations) {
    for (const char* name : {"lvs-dr.ipvsadm", "lvs-nat.ipvsadm", "persistence.ipvsadm"}) {
        const ImportResult result = import_ipvsadm(fixture(name), name, with_ports(false));
        EXPECT_EQ(mistakes(result), std::vector<std::string>{}) << name;
        EXPECT_EQ(errors_of(load_config_text(result.toml, name)), "") << result.toml;
    }
}

}  // namespace
}  // namespace pollux::control::testing
