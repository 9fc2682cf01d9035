// SPDX-License-Identifier: Apache-2.0
#pragma once

// Testbed: the real data plane in the recordings' set-up (tests/golden/README.md), one worker,
// virtual time, no EAL. Frames go in at a link; what the data plane and the host's stack make of
// them comes out at once. Single thread.

#include <memory>
#include <string>
#include <vector>

#include "control/ipvs/console.h"
#include "control/ipvs/counter_baseline.h"
#include "control/ipvs/rate_estimator.h"
#include "dataplane/lb/data_plane.h"
#include "tools/golden/frames.h"
#include "tools/golden/host.h"

namespace pollux::golden {

struct TestbedOptions {
    std::vector<net::IpAddress> virtual_addresses = {*net::IpAddress::parse("10.1.0.10"),
                                                     *net::IpAddress::parse("fd00:a::10")};
    std::uint16_t client_mtu = 1500;
    std::uint16_t server_mtu = 1500;
};

// What became of a sysctl.
enum class SysctlResult : std::uint8_t { Set, Ignored, Unknown };

class Testbed {
  public:
    // Throws std::runtime_error when the data plane refuses the set-up.
    explicit Testbed(const TestbedOptions& options);
    ~Testbed();

    // `path` as in the recordings, "ipv4/vs/drop_packet". Ignored: a switch of the kernel that has
    // no meaning here. An illegal mode is undone without a word, as in the kernel.
    SysctlResult set_sysctl(const std::string& path, long long value);
    // ipv4/ip_forward, a switch of the host's: it routes nothing when off.
    [[nodiscard]] bool host_forwards() const { return host_.forwards(); }
    void own(const net::IpPrefix& prefix);
    // Before all rules so far: of several rules that match, iptables' last one counts.
    void add_mark(const lb::MarkRuleSpec& rule);

    // Sends one frame and lets the time that a recording took for it pass.
    std::vector<Emitted> put(Side side, const Bytes& frame);
    void sleep(lb::Duration duration);

    control::ipvs::Output ipvsadm(const std::vector<std::string>& arguments);
    [[nodiscard]] std::vector<lb::ConnectionView> connections() const;

  private:
    struct Buffer;

    control::ipvs::Backend backend();
    [[nodiscard]] std::vector<lb::ServiceView> services() const;
    void publish();
    void collect(const lb::Packet& packet, Side side, std::vector<Emitted>& out);
    static lb::Packet allocate(void* context);
    lb::Packet fresh(Side side);

    lb::DataPlaneSpec spec_;
    Host host_;
    control::ipvs::CounterBaseline baseline_;
    control::ipvs::RateEstimator estimator_;
    lb::TimePoint next_sample_{};
    control::ipvs::Table table_;
    control::ipvs::Console console_;
    lb::TimePoint now_{};
    std::unique_ptr<lb::DataPlane> data_plane_;
    std::vector<std::unique_ptr<Buffer>> buffers_;  // frames may stay parked in them
};

}  // namespace pollux::golden
