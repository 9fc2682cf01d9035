// SPDX-License-Identifier: Apache-2.0
#include "tools/pktgen/generator.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "dataplane/net/neighbor_frames.h"
#include "dataplane/net/tcp.h"
#include "tools/pktgen/plan_load.h"

namespace pollux::pktgen {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kAskAgain = milliseconds(200);
constexpr auto kAnswerLimit = seconds(10);
constexpr std::uint8_t kTrials = 128;

// MACs of servers for which the plan names none: locally administered, by position.
net::MacAddress made_mac(std::size_t server) {
    return {{0x02, 0x70, 0x67, 0x01, static_cast<std::uint8_t>(server >> 8U),
             static_cast<std::uint8_t>(server)}};
}

std::vector<net::MacAddress> macs_of(const Plan& plan) {
    std::vector<net::MacAddress> macs;
    for (std::size_t i = 0; i < plan.servers.size(); ++i) {
        const net::MacAddress& given = plan.servers[i].mac;
        macs.push_back(given.is_zero() ? made_mac(i) : given);
    }
    return macs;
}

Counts empty_counts(const Plan& plan) {
    Counts counts;
    counts.by_server.resize(plan.servers.size());
    return counts;
}

std::string describe(const Counts& counts) {
    std::string text;
    for (std::size_t i = 0; i < kFindingCount; ++i) {
        const auto finding = static_cast<Finding>(i);
        if (counts.of(finding) == 0 || finding == Finding::Right) continue;
        text += (text.empty() ? "" : ", ") + std::to_string(counts.of(finding)) + " " +
                std::string(kFindingNames[i]);
    }
    return text.empty() ? "nothing else was received" : "received: " + text;
}

}  // namespace

Generator::Generator(const Plan& plan, Wire& wire, std::span<const net::MacAddress> port_macs)
    : plan_(plan),
      wire_(wire),
      server_macs_(macs_of(plan)),
      judge_(plan, port_macs[plan.client_port()], server_macs_),
      counts_(empty_counts(plan)) {
    sides_[0].port = plan.client_port();
    sides_[1].port = plan.server_port_index();
    for (Side& side : sides_) {
        side.own_mac = port_macs[side.port];
        side.next_hop_mac = plan.ports[side.port].next_hop_mac;
        side.is_resolved = !side.next_hop_mac.is_zero();
    }
    for (const std::uint16_t length : frame_lengths(plan)) {
        writers_.emplace_back(plan.service.address.family, plan.protocol(),
                              static_cast<std::uint16_t>(length - 4));
    }
}

Status Generator::resolve() {
    const PortPlan& clients = plan_.ports[sides_[0].port];
    const bool direct = clients.next_hop.family == net::Family::None;
    Status status = resolve_side(sides_[0], direct ? plan_.service.address : clients.next_hop);
    if (!status || !plan_.sends_replies()) return status;
    return resolve_side(sides_[1], plan_.ports[sides_[1].port].next_hop);
}

Status Generator::resolve_side(Side& side, const net::IpAddress& target) {
    if (side.is_resolved) return ok_status();
    const net::NeighborFrame question =
        net::build_neighbor_question({target, plan_.ports[side.port].address, side.own_mac});
    const lb::TimePoint limit = wire_.now() + kAnswerLimit;
    lb::TimePoint ask = wire_.now();
    while (wire_.now() < limit && !wire_.stopping()) {
        if (wire_.now() >= ask) {
            transmit_frame(side.port, question.span());
            ask = wire_.now() + kAskAgain;
        }
        for (std::size_t port = 0; port < plan_.ports.size(); ++port) {
            const unsigned received = wire_.receive(port, packets_);
            for (unsigned i = 0; i < received; ++i) {
                const std::span<const std::uint8_t> frame(packets_[i].data, packets_[i].length);
                const auto claim = net::parse_neighbor_claim(frame);
                if (claim && claim->address == target && port == side.port) {
                    side.next_hop_mac = claim->mac;
                    side.is_resolved = true;
                }
                receive_neighbour(port, frame);
            }
            wire_.release({packets_.data(), received});
        }
        if (side.is_resolved) return ok_status();
    }
    return Error{"nobody answers for " + target.to_string() + " on port '" +
                     plan_.ports[side.port].name + "'",
                 "see that the balancer runs, that the link is up and the address is its own; or "
                 "write next_hop_mac"};
}

bool Generator::receive_neighbour(std::size_t port, std::span<const std::uint8_t> frame) {
    const auto question = net::parse_neighbor_question(frame);
    if (!question) return false;
    const auto answer = [&](const net::MacAddress& mac) {
        transmit_frame(port, net::build_neighbor_answer(*question, mac, false).span());
        return true;
    };
    const Side& clients = sides_[0];
    const Side& servers = sides_[1];
    if (port == servers.port) {
        for (std::size_t i = 0; i < plan_.servers.size(); ++i) {
            if (plan_.servers[i].address == question->target) return answer(server_macs_[i]);
        }
    }
    const bool is_client = port == clients.port && plan_.traffic.clients.contains(question->target);
    if (is_client || plan_.ports[port].address == question->target) {
        return answer(port == clients.port ? clients.own_mac : servers.own_mac);
    }
    return true;
}

void Generator::transmit_frame(std::size_t port, std::span<const std::uint8_t> frame) {
    lb::Packet packet;
    const std::span one(&packet, 1);
    if (wire_.allocate(one) == 0) return;
    std::copy(frame.begin(), frame.end(), packet.data);
    packet.length = packet.frame_length = static_cast<std::uint32_t>(frame.size());
    if (wire_.transmit(port, one) == 0) wire_.release(one);
}

Status Generator::warm_up() {
    std::vector<Stage> stages;
    if (plan_.traffic.kind == Kind::Udp) stages = {{"first datagram", 0, false}};
    if (plan_.traffic.kind == Kind::Tcp) {
        stages.push_back({"SYN", net::kTcpSyn, false});
        if (plan_.answers_pass()) {
            stages.push_back({"SYN/ACK", net::kTcpSyn | net::kTcpAck, true});
        }
        stages.push_back({"ACK", net::kTcpAck, false});
    }
    for (const Stage& stage : stages) {
        if (Status status = run_stage(stage); !status) return status;
    }
    return ok_status();
}

Status Generator::run_stage(const Stage& stage) {
    std::vector<FlowState>& flows = judge_.flows();
    const unsigned direction = stage.reply ? 1 : 0;
    std::vector<std::uint32_t> before(flows.size());
    std::vector<std::uint32_t> pending(flows.size());
    for (std::uint32_t i = 0; i < flows.size(); ++i) {
        before[i] = flows[i].got[direction].last();
        pending[i] = i;
    }
    counts_ = empty_counts(plan_);
    const lb::TimePoint limit = wire_.now() + plan_.traffic.warm_up_limit;
    while (!pending.empty() && wire_.now() < limit) {
        send_to_pending(stage, pending);
        drain();
        if (wire_.stopping()) return Error{"stopped", ""};
        std::erase_if(pending, [&](std::uint32_t flow) {
            return flows[flow].got[direction].last() != before[flow];
        });
    }
    if (pending.empty() && counts_.wrong() == 0) return ok_status();
    if (pending.empty()) {
        return Error{"the balancer forwards frames wrong (" + describe(counts_) + ")",
                     "compare the traffic file with the balancer's configuration"};
    }
    return Error{
        std::string(stage.name) + " of " + std::to_string(pending.size()) + " of " +
            std::to_string(flows.size()) + " flows does not get through (" + describe(counts_) +
            ")",
        "see `pollux show drops`, the servers of the traffic file and the balancer's route "
        "to the clients; or lower traffic.warm_up_rate"};
}

void Generator::send_to_pending(const Stage& stage, const std::vector<std::uint32_t>& pending) {
    Pacer pacer(*parse_rate(plan_.traffic.warm_up_rate), plan_.traffic.catch_up, wire_.now());
    std::size_t at = 0;
    while (at < pending.size() && !wire_.stopping()) {
        const auto most =
            static_cast<unsigned>(std::min<std::size_t>(plan_.traffic.burst, pending.size() - at));
        const unsigned count = pacer.grant(wire_.now(), most);
        if (count > 0) send(std::span(pending).subspan(at, count), stage.reply, stage.tcp_flags);
        at += count;
        receive_all();
    }
}

std::uint32_t Generator::next_flow() {
    const std::uint32_t flows = plan_.traffic.flows;
    if (plan_.traffic.order == Order::Random && plan_.traffic.kind != Kind::TcpSyn) {
        // A multiplication maps the random number into the range; a division would cost more.
        return static_cast<std::uint32_t>((std::uint64_t{random_()} * flows) >> 32U);
    }
    const std::uint32_t flow = next_flow_;
    next_flow_ = next_flow_ + 1 == flows ? 0 : next_flow_ + 1;
    return flow;
}

Path Generator::path_of(std::uint32_t flow, bool reply, std::uint8_t tcp_flags) const {
    if (!reply) {
        return {sides_[0].own_mac,
                sides_[0].next_hop_mac,
                client_of(plan_.traffic, flow),
                {plan_.service.address, plan_.service.port},
                tcp_flags};
    }
    const FlowState& state = judge_.flows()[flow];
    const ServerPlan& server = plan_.servers[state.server];
    return {server_macs_[state.server],
            sides_[1].next_hop_mac,
            {server.address, plan_.server_port(server)},
            state.seen,
            tcp_flags};
}

unsigned Generator::write_burst(std::span<const std::uint32_t> flows, bool reply,
                                std::uint8_t tcp_flags) {
    assert(flows.size() <= packets_.size());
    const unsigned count = wire_.allocate({packets_.data(), flows.size()});
    const std::uint32_t now = now_ns();
    for (unsigned i = 0; i < count; ++i) {
        FlowState& state = judge_.flows()[flows[i]];
        Tag tag;
        tag.trial = trial_;
        tag.reply = reply;
        tag.flow = flows[i];
        tag.sequence = ++state.sent[reply ? 1 : 0];
        tag.time = now;
        const FrameWriter& writer = writers_[next_writer_];
        next_writer_ = next_writer_ + 1 == writers_.size() ? 0 : next_writer_ + 1;
        writer.write(path_of(flows[i], reply, tcp_flags), tag, packets_[i].data);
        packets_[i].length = packets_[i].frame_length = writer.length();
    }
    return count;
}

void Generator::send(std::span<const std::uint32_t> flows, bool reply, std::uint8_t tcp_flags) {
    const unsigned direction = reply ? 1 : 0;
    const unsigned written = write_burst(flows, reply, tcp_flags);
    const unsigned taken = wire_.transmit(sides_[direction].port, {packets_.data(), written});
    wire_.release({packets_.data() + taken, written - taken});
    counts_.offered[direction] += flows.size();
    counts_.refused[direction] += flows.size() - taken;
}

void Generator::send_trial_burst(unsigned count, bool reply) {
    std::array<std::uint32_t, 64> flows;
    for (unsigned i = 0; i < count; ++i) flows[i] = next_flow();
    send({flows.data(), count}, reply, data_flags());
}

std::uint8_t Generator::data_flags() const {
    return plan_.traffic.kind == Kind::TcpSyn ? net::kTcpSyn : net::kTcpAck;
}

unsigned Generator::receive_all() {
    unsigned ours = 0;
    for (std::size_t port = 0; port < plan_.ports.size(); ++port) {
        const unsigned received = wire_.receive(port, packets_);
        if (received == 0) continue;
        const std::uint32_t now = now_ns();
        for (unsigned i = 0; i < received; ++i) {
            const std::span<std::uint8_t> frame(packets_[i].data, packets_[i].length);
            const Finding finding = judge_.judge(frame, trial_, now, counts_);
            counts_.add(finding);
            if (finding == Finding::Foreign) {
                // Its own packet for the answer: this one is released below.
                receive_neighbour(port, frame);
            } else {
                ++ours;
            }
        }
        wire_.release({packets_.data(), received});
    }
    return ours;
}

void Generator::drain() {
    lb::TimePoint last = wire_.now();
    while (!wire_.stopping()) {
        const std::uint64_t expected =
            counts_.all_offered() - counts_.refused[0] - counts_.refused[1];
        if (counts_.all_arrived() >= expected) return;
        if (receive_all() > 0) last = wire_.now();
        if (wire_.now() - last > plan_.traffic.drain) return;
    }
}

Trial Generator::run_trial(double rate) {
    trial_ = static_cast<std::uint8_t>(trial_ % (kTrials - 1) + 1);
    counts_ = empty_counts(plan_);
    Trial trial;
    trial.rate = rate;
    const lb::TimePoint start = wire_.now();
    const lb::TimePoint end = start + plan_.traffic.duration;
    const unsigned directions = plan_.traffic.direction == Direction::Both ? 2 : 1;
    std::array<Pacer, 2> pacers{Pacer(rate, plan_.traffic.catch_up, start),
                                Pacer(rate, plan_.traffic.catch_up, start)};
    lb::TimePoint now = start;
    bool owes = true;
    // A sender that was held up at the end still sends what was due by then: it was a longer trial.
    while ((now < end || owes) && !wire_.stopping()) {
        if (now < end) now = wire_.now();
        owes = false;
        for (unsigned direction = 0; direction < directions; ++direction) {
            const unsigned count = pacers[direction].grant(now, plan_.traffic.burst);
            if (count > 0) send_trial_burst(count, direction == 1);
            owes |= count > 0;
        }
        receive_all();
    }
    drain();
    trial.elapsed = now - start;
    trial.counts = counts_;
    for (unsigned i = 0; i < directions; ++i) trial.counts.forfeited += pacers[i].forfeited();
    const double span = std::chrono::duration<double>(trial.elapsed).count();
    trial.reached = static_cast<double>(counts_.all_offered()) / span / directions;
    trial.throughput = static_cast<double>(counts_.all_arrived()) / span / directions;
    return trial;
}

std::uint32_t Generator::now_ns() {
    return static_cast<std::uint32_t>(wire_.now().time_since_epoch().count());
}

}  // namespace pollux::pktgen
