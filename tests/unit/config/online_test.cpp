// SPDX-License-Identifier: Apache-2.0
// Checks against a host, on a made-up one.
#include "control/config/online.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/config/judge.h"

namespace pollux::control::testing {
namespace {

namespace fs = std::filesystem;

class Host : public ::testing::Test {
  protected:
    Host() {
        // Directories of the path must belong to root alone, so not under a shared /tmp subtree of
        // another owner: the sticky /tmp itself is accepted.
        std::string name = "/tmp/pollux-host-XXXXXX";
        root_ = ::mkdtemp(name.data());
        paths_ = {root_ / "sys", root_ / "proc"};
    }
    ~Host() override { fs::remove_all(root_); }

    std::string write(const std::string& name, const std::string& text, mode_t mode = 0644) {
        const fs::path path = root_ / name;
        fs::create_directories(path.parent_path());
        std::ofstream(path) << text;
        ::chmod(path.c_str(), mode);
        return path;
    }

    // What `check` finds in the configuration, as "E0701 LINE:COLUMN title | label".
    template <typename Check>
    std::vector<std::string> found(const std::string& toml, const Check& check) {
        const LoadResult result = load_config_text(toml, "pollux.toml");
        EXPECT_TRUE(result.config) << toml;
        if (!result.config) return {"does not load"};
        Sources sources = *result.config->sources.get;
        Reporter reporter(sources);
        check(*result.config, reporter);
        std::vector<std::string> lines;
        for (const Diagnostic& diagnostic : reporter.take()) {
            const Label& label = diagnostic.labels.front();
            lines.push_back(diagnostic.code + " " + std::to_string(label.line) + ":" +
                            std::to_string(label.column) + " " + diagnostic.title + " | " +
                            label.message);
        }
        return lines;
    }

    std::vector<std::string> scripts(const std::string& path) {
        const std::string toml =
            "[[vrrp_script]]\nname = \"s\"\nscript = [\"" + path +
            "\"]\n[[vrrp_instance]]\nname = \"VI_1\"\ninterface = \"wan\"\nvirtual_router_id = 51\n"
            "track_script = [{ name = \"s\" }]\n"
            "virtual_ipaddress = [{ address = \"198.51.100.10\" }]\n" +
            std::string(kPorts);
        return found(toml, check_scripts);
    }

    fs::path root_;
    HostPaths paths_;
};

TEST_F(Host, PciDeviceMustExistAndBeBoundToAUsableDriver) {
    const std::string toml =
        "[dpdk]\nidle = \"adaptive\"\n[[dpdk.port]]\nname = \"wan\"\n"
        "pci = \"0000:3b:00.0\"\n";
    const auto run = [this, &toml] {
        return found(toml, [this](const Config& config, Reporter& reporter) {
            check_devices(config, paths_, reporter);
        });
    };
    EXPECT_EQ(run(), std::vector<std::string>{
                         "E0701 5:7 this host has no PCI device 0000:3b:00.0 | not in " +
                         paths_.sys + "/bus/pci/devices"});
    const fs::path device = root_ / "sys/bus/pci/devices/0000:3b:00.0";
    fs::create_directories(device);
    EXPECT_EQ(run(), std::vector<std::string>{
                         "E0702 5:7 PCI device 0000:3b:00.0 is not bound to a driver that DPDK can "
                         "use | no driver"});
    fs::create_symlink("../../drivers/ixgbe", device / "driver");
    EXPECT_EQ(run(), std::vector<std::string>{
                         "E0702 5:7 PCI device 0000:3b:00.0 is not bound to a driver that DPDK can "
                         "use | driver ixgbe"});
    fs::remove(device / "driver");
    fs::create_symlink("../../drivers/vfio-pci", device / "driver");
    EXPECT_EQ(run(), std::vector<std::string>{});
}

TEST_F(Host, InterfacesOfVirtualDevicesMustExist) {
    const std::string toml =
        "[dpdk]\nidle = \"adaptive\"\n[[dpdk.port]]\nname = \"wan\"\n"
        "vdev = \"net_af_packet0,blocksz=4096,iface=eth9\"\n";
    const auto run = [this, &toml] {
        return found(toml, [this](const Config& config, Reporter& reporter) {
            check_devices(config, paths_, reporter);
        });
    };
    EXPECT_EQ(run(), std::vector<std::string>{
                         "E0703 5:8 this host has no interface \"eth9\" | not in `ip link`"});
    write("sys/class/net/eth9/mtu", "1500\n");
    EXPECT_EQ(run(), std::vector<std::string>{});
    write("sys/class/net/wan/mtu", "1500\n");
    EXPECT_EQ(run(), std::vector<std::string>{
                         "W0704 4:8 interface \"wan\" exists already on this host | the exception "
                         "path of the port needs this name"});
}

TEST_F(Host, HugepagesAndMemoryMustSuffice) {
    const auto run = [this] {
        return found(std::string(kPorts), [this](const Config& config, Reporter& reporter) {
            check_memory(config, paths_, reporter);
        });
    };
    write("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "127\n");
    write("proc/meminfo", "MemTotal: 900 kB\nMemAvailable: 1048576 kB\n");
    EXPECT_EQ(run(), std::vector<std::string>{
                         "E0705 2:1 not enough free hugepages: 254M of 256M | asked for by this "
                         "(default \"256M\")"});
    write("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "128\n");
    EXPECT_EQ(run(), std::vector<std::string>{});
    write("proc/meminfo", "MemTotal: 900 kB\nMemAvailable: 1024 kB\n");
    EXPECT_EQ(run().at(0).substr(0, 5), "E0706");
}

TEST_F(Host, MemoryMustSufficeWithoutHugepages) {
    const auto run = [this](const std::string& more) {
        std::string toml(kPorts);
        toml.insert(toml.find("[dpdk]\n") + 7, more);
        return found(toml, [this](const Config& config, Reporter& reporter) {
            check_memory(config, paths_, reporter);
        });
    };
    write("proc/meminfo", "MemTotal: 900 kB\nMemAvailable: 1048576 kB\n");
    EXPECT_EQ(run("hugepages = false\nhugepage_mem = \"1G\"\n"), std::vector<std::string>{});
    EXPECT_EQ(run("hugepages = false\nhugepage_mem = \"1T\"\n"),
              std::vector<std::string>{
                  "E0714 4:16 the packet buffers' memory is 1T, this host has 1G left | also "
                  "without huge pages"});
}

TEST_F(Host, CertificatesMustBeReadable) {
    const auto run = [this](const std::string& path) {
        const std::string toml =
            "[[virtual_server]]\naddress = \"198.51.100.2\"\nport = 443\nprotocol = \"TCP\"\n"
            "[[virtual_server.real_server]]\naddress = \"10.0.0.12\"\n"
            "[[virtual_server.real_server.check]]\ntype = \"SSL_GET\"\nurl = [{ path = \"/\" }]\n"
            "ca_file = \"" +
            path + "\"\n" + std::string(kPorts);
        return found(toml, check_other_files);
    };
    EXPECT_EQ(run(write("ca.pem", "certificate\n")), std::vector<std::string>{});
    EXPECT_EQ(run("/nowhere/ca.pem"),
              std::vector<std::string>{
                  "E0709 10:11 cannot read /nowhere/ca.pem | no such file, or not readable"});
}

TEST_F(Host, CpusMustBeOnline) {
    const std::string toml =
        "[dpdk]\ncontrol_lcore = 0\nworker_lcores = \"1-3\"\n[[dpdk.port]]\n"
        "name = \"wan\"\nvdev = \"net_null0\"\n";
    fs::create_directories(root_ / "sys/devices/system/cpu/cpu0");
    write("sys/devices/system/cpu/cpu1/online", "1\n");
    write("sys/devices/system/cpu/cpu2/online", "0\n");
    EXPECT_EQ(found(toml, [this](const Config& config,
                                 Reporter& reporter) { check_cpus(config, paths_, reporter); }),
              (std::vector<std::string>{"E0707 3:17 this host has no CPU 2 | the CPU is offline",
                                        "E0707 3:17 this host has no CPU 3 | see `lscpu`"}));
}

TEST_F(Host, AccountsMustExist) {
    EXPECT_EQ(
        found("[global.scripts]\nuser = \"no_such_user:no_such_group\"\n" + std::string(kPorts),
              check_accounts),
        (std::vector<std::string>{
            "E0708 2:8 this host has no user \"no_such_user\" | not in /etc/passwd",
            "E0708 2:8 this host has no group \"no_such_group\" | not in /etc/group"}));
    EXPECT_EQ(
        found("[global.scripts]\nuser = \"root:root\"\n" + std::string(kPorts), check_accounts),
        std::vector<std::string>{});
}

TEST_F(Host, ScriptsMustExistAndBeExecutable) {
    EXPECT_EQ(
        scripts(root_ / "none.sh"),
        std::vector<std::string>{"E0710 3:10 there is no script " + (root_ / "none.sh").string() +
                                 " | No such file or directory"});
    const std::string plain = write("plain.sh", "#!/bin/sh\n", 0644);
    const auto found = scripts(plain);
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found.at(0), "E0711 3:10 script " + plain + " is not executable | has mode 0644");
}

TEST_F(Host, ScriptsMustBeChangeableByRootOnly) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to make files of root";
    const std::string good = write("bin/good.sh", "#!/bin/sh\n", 0755);
    EXPECT_EQ(scripts(good), std::vector<std::string>{});
    ::chmod(good.c_str(), 0757);
    EXPECT_EQ(scripts(good), std::vector<std::string>{"E0712 3:10 script " + good +
                                                      " can be changed by others than "
                                                      "root | " +
                                                      good + " is owned by root, mode 0757"});
    ::chmod(good.c_str(), 0755);
    const std::string directory = root_ / "bin";
    ::chmod(directory.c_str(), 0777);
    EXPECT_EQ(scripts(good), std::vector<std::string>{"E0712 3:10 script " + good +
                                                      " can be changed by others than "
                                                      "root | " +
                                                      directory + " is owned by root, mode 0777"});
}

TEST_F(Host, ScriptThatStopsTheDaemonIsNamed) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to make files of root";
    const std::string path =
        write("check_nginx.sh", "#!/bin/sh\npidof nginx || systemctl stop keepalived\n", 0755);
    EXPECT_EQ(scripts(path), std::vector<std::string>{
                                 "W0713 3:10 [[vrrp_script]] \"s\" stops the daemon | \"systemctl "
                                 "stop keepalived\" in it"});
}

}  // namespace
}  // namespace pollux::control::testing
