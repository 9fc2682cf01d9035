// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rig: a DataPlane between a client link (port 0) and a server link (port 1), set up as the
// director of the kernel's recordings (tests/golden/README.md). Frames go in by `send`, what came
// of them is a Reaction. The accounting rule (decision D10) is checked at the end of each test.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/lb/data_plane.h"
#include "tests/support/frame_builder.h"

namespace pollux::test {

inline constexpr lb::PortId kClientSide{0};
inline constexpr lb::PortId kServerSide{1};

inline constexpr const char* kRouterMac = "02:00:00:00:0c:01";      // where clients come from
inline constexpr const char* kClientSideMac = "02:00:00:00:0d:01";  // ours
inline constexpr const char* kServerSideMac = "02:00:00:00:0d:02";  // ours
inline constexpr const char* kVip = "10.1.0.10";
inline constexpr const char* kVip6 = "fd00:a::10";
inline constexpr const char* kClient = "10.0.0.1";
inline constexpr const char* kClient6 = "fd00:c::1";
inline constexpr const char* kDirector = "10.2.0.254";  // our address on the server side
inline constexpr const char* kDirector6 = "fd00:b::fe";

// 1..20: 10.2.0.n, fd00:b::n, 02:00:00:00:05:nn.
std::string server_v4(unsigned n);
std::string server_v6(unsigned n);
std::string server_mac(unsigned n);

// A frame that came out, or a verdict without one.
struct Output {
    lb::Verdict verdict = lb::Verdict::Pending;
    lb::PuntReason punt_reason = lb::PuntReason::None;
    lb::DropReason drop_reason = lb::DropReason::None;
    lb::PortId port = lb::kNoPort;
    std::string next_hop;
    bool originated = false;
    Bytes frame;
};

// The packet's own verdict first, extra packets behind it.
struct Reaction {
    Output own;
    std::vector<Output> extra;
};

struct ServerOptions {
    unsigned number = 1;
    lb::ForwardingMethod method = lb::ForwardingMethod::DirectRouting;
    std::uint16_t port = 0;
    std::uint16_t weight = 1;
    bool is_v6 = false;
    lb::TunnelSpec tunnel{};
};
lb::RealServerSpec real_server(const ServerOptions& options);

// `endpoint`: "10.1.0.10:80" or "[fd00:a::10]:80".
lb::ServiceSpec service(lb::Protocol protocol, std::string_view endpoint,
                        std::vector<lb::RealServerSpec> servers);

struct SendOptions {
    unsigned worker = 0;
    std::uint16_t headroom = 128;
    std::uint32_t first_segment = 0xffffffff;  // contiguous bytes; fewer: a multi-segment frame
};

class Rig {
  public:
    explicit Rig(unsigned workers = 1);
    explicit Rig(const lb::DataPlaneLimits& limits);
    // Checks the accounting of every worker.
    ~Rig();

    // Change it, then `apply`.
    lb::DataPlaneSpec spec;
    void apply();
    [[nodiscard]] std::string apply_error();

    Reaction send(lb::PortId port, const Bytes& frame, const SendOptions& options = {});
    // One burst.
    std::vector<Reaction> send_burst(lb::PortId port, const std::vector<Bytes>& frames,
                                     unsigned worker = 0);

    Reaction from_client(const Bytes& frame) { return send(kClientSide, frame); }
    Reaction from_server(const Bytes& frame) { return send(kServerSide, frame); }

    // Lets time pass and does the control thread's work on the way.
    void advance(lb::Duration span);
    // Every worker and the control thread pass a quiescent point.
    void settle();
    [[nodiscard]] lb::TimePoint now() const { return now_; }

    lb::DataPlane& plane() { return *plane_; }
    [[nodiscard]] lb::ServerView server_view(std::size_t service, std::size_t server) const;
    [[nodiscard]] std::vector<lb::ConnectionView> connections() const;
    [[nodiscard]] std::uint64_t drops(lb::DropReason reason) const;

    void expect_accounts_balance() const;

  private:
    struct Buffer;
    static lb::Packet allocate(void* context);
    lb::Packet make_packet(lb::PortId port, const Bytes& frame, const SendOptions& options);
    static Output output_of(const lb::Packet& packet);

    std::vector<std::unique_ptr<Buffer>> buffers_;
    std::unique_ptr<lb::DataPlane> plane_;
    lb::TimePoint now_{std::chrono::seconds(1000)};
};

// Frames on the two links, with the right MAC addresses.
FrameBuilder client_frame();            // router -> us
FrameBuilder server_frame(unsigned n);  // server n -> us
FrameBuilder to_router();               // us -> router
FrameBuilder to_server(unsigned n);     // us -> server n

// Matchers with readable failures.
::testing::AssertionResult transmits(const Output& output, lb::PortId port, const Bytes& expected);
::testing::AssertionResult drops(const Output& output, lb::DropReason reason);
::testing::AssertionResult punts(const Output& output, lb::PuntReason reason);

}  // namespace pollux::test
