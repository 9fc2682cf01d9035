// SPDX-License-Identifier: Apache-2.0
#pragma once

// Replay: the real data plane on captures. Virtual time comes from the captures' time stamps, the
// hash secret is fixed, one worker runs: the same input gives the same output, byte for byte.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/lb/data_plane.h"
#include "tools/replay/pcap_file.h"

namespace pollux::replay {

struct InputFrame {
    lb::PortId port = lb::kNoPort;
    CapturedFrame frame;
};

struct OutputFrame {
    lb::PortId port = lb::kNoPort;
    std::vector<std::uint8_t> bytes;
};

// What became of one received frame.
struct Decision {
    std::uint64_t number = 0;  // from 1, in order of time
    std::uint64_t nanoseconds = 0;
    lb::PortId received_on = lb::kNoPort;
    lb::Verdict verdict = lb::Verdict::Pending;
    lb::DropReason drop_reason = lb::DropReason::None;
    lb::PuntReason punt_reason = lb::PuntReason::None;
    net::IpAddress unresolved;  // whose MAC is missing (PuntReason::Unresolved)
    bool connection_created = false;
    bool connection_found = false;
    std::optional<lb::ConnectionView> connection;  // after the packet
    bool truncated = false;                        // the capture holds less than the frame
    std::vector<OutputFrame> sent;  // the packet itself first, then further fragments, answers
};

class Replay {
  public:
    static Result<std::unique_ptr<Replay>> create(const lb::DataPlaneSpec& spec,
                                                  lb::DataPlaneLimits limits);
    ~Replay();

    Decision process(const InputFrame& input);
    [[nodiscard]] lb::DataPlane& data_plane() { return *data_plane_; }
    [[nodiscard]] lb::TimePoint now() const { return now_; }

  private:
    Replay() = default;
    void advance_to(std::uint64_t nanoseconds);
    lb::Packet load(const InputFrame& input);
    std::optional<lb::ConnectionView> connection_of(const InputFrame& input) const;
    static lb::Packet allocate(void* context);

    std::unique_ptr<lb::DataPlane> data_plane_;
    std::unique_ptr<lb::ExtraPackets> extra_;
    std::vector<std::uint8_t> buffer_;
    std::vector<std::unique_ptr<std::vector<std::uint8_t>>> spare_;  // of allocate(), this frame's
    std::uint64_t count_ = 0;
    std::optional<std::uint64_t> origin_;  // time stamp of the first frame
    lb::TimePoint now_{};
    lb::TimePoint housekept_{};
};

}  // namespace pollux::replay
