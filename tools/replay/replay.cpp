// SPDX-License-Identifier: Apache-2.0
#include "tools/replay/replay.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/lb/flow_key.h"
#include "dataplane/net/parse.h"

namespace pollux::replay {

namespace {

constexpr std::size_t kHeadroom = 256;
constexpr std::size_t kRoom = 65536 + 2048;
constexpr auto kHousekeepingInterval = std::chrono::milliseconds(10);
// A longer silence in the capture is crossed in one step: everything has expired by then.
constexpr auto kLongestSteppedGap = std::chrono::hours(1);
constexpr auto kSecond = std::chrono::seconds(1);
constexpr std::uint32_t kWholeTable = 0xffffffff;

// Virtual time starts here, so that "long ago" can be told from "never".
constexpr auto kStart = std::chrono::hours(1);

}  // namespace

Result<std::unique_ptr<Replay>> Replay::create(const lb::DataPlaneSpec& spec,
                                               lb::DataPlaneLimits limits) {
    limits.workers = 1;
    limits.hugepages = false;
    limits.hash_secret = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb,
                          0xd6e8feb86659fd93};
    auto data_plane = lb::DataPlane::create(limits);
    if (!data_plane) return data_plane.error();
    std::unique_ptr<Replay> replay(new Replay);
    replay->data_plane_ = std::move(data_plane.value());
    replay->extra_ = std::make_unique<lb::ExtraPackets>();
    replay->buffer_.resize(kHeadroom + kRoom);
    replay->now_ = lb::TimePoint(kStart);
    replay->housekept_ = replay->now_;
    replay->data_plane_->set_packet_source(0, {replay.get(), &Replay::allocate});
    if (Status applied = replay->data_plane_->apply(spec, replay->now_); !applied) {
        return applied.error();
    }
    return replay;
}

Replay::~Replay() = default;

lb::Packet Replay::allocate(void* context) {
    auto* self = static_cast<Replay*>(context);
    self->spare_.push_back(std::make_unique<std::vector<std::uint8_t>>(kHeadroom + kRoom));
    lb::Packet packet;
    packet.data = self->spare_.back()->data() + kHeadroom;
    packet.headroom = kHeadroom;
    packet.tailroom = 65535;
    return packet;
}

void Replay::advance_to(std::uint64_t nanoseconds) {
    if (!origin_) origin_ = nanoseconds;
    // Captures may be out of order by a little; time does not go back.
    const auto elapsed = nanoseconds > *origin_ ? nanoseconds - *origin_ : 0;
    const lb::TimePoint target = std::max(
        now_, lb::TimePoint(kStart) + lb::Duration(static_cast<lb::Duration::rep>(elapsed)));
    if (target - housekept_ > kLongestSteppedGap) housekept_ = target - kLongestSteppedGap;
    while (target - housekept_ > kSecond) {
        housekept_ += kSecond;
        data_plane_->housekeep(housekept_, kWholeTable);
        data_plane_->worker(0).quiescent();
    }
    if (target - housekept_ >= kHousekeepingInterval) {
        housekept_ = target;
        data_plane_->housekeep(housekept_, kWholeTable);
        data_plane_->worker(0).quiescent();
    }
    now_ = target;
}

// By the packet as it was received: a NAT connection has keys for both sides.
std::optional<lb::ConnectionView> Replay::connection_of(const InputFrame& input) const {
    const net::ParseInput in{input.frame.bytes,
                             static_cast<std::uint32_t>(input.frame.bytes.size()), 0};
    net::ParsedPacket packet;
    if (net::parse_any(in, packet) != net::ParseError::None || !packet.has_ports()) {
        return std::nullopt;
    }
    const std::uint8_t* const frame = input.frame.bytes.data();
    const auto key =
        lb::FlowKey::make(packet.source(frame), packet.source_port, packet.destination(frame),
                          packet.destination_port, static_cast<lb::Protocol>(packet.protocol));
    return data_plane_->find_connection(key, now_);
}

lb::Packet Replay::load(const InputFrame& input) {
    const std::size_t length = std::min(input.frame.bytes.size(), kRoom - 2048);
    std::memcpy(buffer_.data() + kHeadroom, input.frame.bytes.data(), length);
    lb::Packet packet;
    packet.data = buffer_.data() + kHeadroom;
    packet.length = static_cast<std::uint32_t>(length);
    packet.frame_length = packet.length;
    packet.headroom = kHeadroom;
    packet.tailroom = static_cast<std::uint16_t>(std::min<std::size_t>(kRoom - length, 65535));
    packet.port = input.port;
    return packet;
}

Decision Replay::process(const InputFrame& input) {
    advance_to(input.frame.nanoseconds);
    spare_.clear();
    extra_->count = 0;
    const lb::WorkerCounters before = data_plane_->counters(0);
    lb::Packet packet = load(input);
    data_plane_->worker(0).process_burst(std::span(&packet, 1), now_, *extra_);
    const lb::WorkerCounters after = data_plane_->counters(0);

    Decision decision;
    decision.number = ++count_;
    decision.nanoseconds = input.frame.nanoseconds;
    decision.received_on = input.port;
    decision.verdict = packet.verdict;
    decision.drop_reason = packet.drop_reason;
    decision.punt_reason = packet.punt_reason;
    decision.unresolved = packet.next_hop;
    decision.connection_created = after.connections_created != before.connections_created;
    decision.connection_found = after.connection_hits != before.connection_hits;
    if (decision.connection_created || decision.connection_found) {
        decision.connection = connection_of(input);
    }
    decision.truncated = input.frame.bytes.size() < input.frame.wire_length;
    const auto take = [&decision](const lb::Packet& sent) {
        if (sent.verdict != lb::Verdict::Transmit) return;
        decision.sent.push_back({sent.port, {sent.data, sent.data + sent.length}});
    };
    take(packet);
    for (unsigned i = 0; i < extra_->count; ++i) take(extra_->packets[i]);
    return decision;
}

}  // namespace pollux::replay
