// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/testbed.h"

#include <algorithm>

#include "dataplane/net/tcp.h"

namespace pollux::bench {
namespace {

constexpr std::uint16_t kServicePort = 80;
constexpr std::uint16_t kServerPort = 8080;
constexpr unsigned kLocals = 16;  // FullNAT's local addresses
constexpr std::uint32_t kSmallestTable = 1U << 16;

constexpr net::MacAddress kRouterMac{{2, 0, 0, 0, 0x0c, 1}};
constexpr net::MacAddress kClientSideMac{{2, 0, 0, 0, 0x0d, 1}};
constexpr net::MacAddress kServerSideMac{{2, 0, 0, 0, 0x0d, 2}};
constexpr net::MacAddress server_mac(unsigned n) {
    return {{2, 0, 0, 0, 5, static_cast<std::uint8_t>(n)}};
}

// 10.subnet/16 or fd00:subnet::/96, and the number in the lowest bits.
net::IpAddress address(net::Family family, std::uint8_t subnet, std::uint32_t number) {
    if (family == net::Family::V4) {
        return net::IpAddress::from_v4(
            net::Ipv4Address::from_host((10U << 24U) + (std::uint32_t{subnet} << 16U) + number));
    }
    net::Ipv6Address result{{0xfd, 0, 0, subnet}};
    for (unsigned i = 0; i < 4; ++i) {
        result.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
    }
    return net::IpAddress::from_v6(result);
}
net::IpAddress virtual_address(net::Family family) {
    return address(family, 1, 10);
}
net::IpAddress server_address(net::Family family, unsigned n) {
    return address(family, 2, n);
}
net::IpAddress local_address(net::Family family, unsigned n) {
    return address(family, 3, n);
}
net::IpAddress director_address(net::Family family) {
    return address(family, 2, 0xfffe);
}
unsigned last_byte(const net::IpAddress& of) {
    return of.bytes[of.is_v4() ? 3 : 15];
}

// A permutation of the 32-bit numbers, so that neighbouring flows have nothing in common.
std::uint32_t scramble(std::uint32_t value) {
    value *= 0x9e3779b1U;
    value ^= value >> 15U;
    value *= 0x85ebca77U;
    return value ^ (value >> 13U);
}

lb::RouteSpec route(const net::IpPrefix& destination, lb::PortId port, net::MacAddress next) {
    lb::RouteSpec result;
    result.destination = destination;
    result.port = port;
    result.source_mac = port == kClientSide ? kClientSideMac : kServerSideMac;
    result.destination_mac = next;
    result.resolved = true;
    return result;
}

bool answers_pass(lb::ForwardingMethod method) {
    return method == lb::ForwardingMethod::Nat || method == lb::ForwardingMethod::FullNat;
}

Error unexpected(std::string what) {
    return {std::move(what) + ": no figure is reported", "this is a defect of the data plane"};
}

}  // namespace

Result<lb::MemoryRegion> Testbed::make_buffers(std::uint32_t flows) {
    lb::RegionPlan plan;
    plan.add<FrameBuffer>("frames", kBatch);
    plan.add<Seen>("seen", std::max(flows, kBatch));
    return lb::MemoryRegion::create(plan, {});
}

Result<std::unique_ptr<Testbed>> Testbed::sibling(unsigned worker) const {
    auto region = make_buffers(options_.flows);
    if (!region) return region.error();
    std::unique_ptr<Testbed> bed(new Testbed(options_, std::move(region).value()));
    bed->plane_ = plane_;
    bed->worker_ = worker;
    std::copy(seen_.begin(), seen_.end(), bed->seen_.begin());
    bed->random_.seed(worker + 1);
    bed->now_ = now_;
    bed->pages_ = pages_;
    return bed;
}

Result<std::unique_ptr<Testbed>> Testbed::create(const Options& options, unsigned workers) {
    auto region = make_buffers(options.flows);
    if (!region) return region.error();
    std::unique_ptr<Testbed> bed(new Testbed(options, std::move(region).value()));

    lb::DataPlaneLimits limits;
    limits.max_connections = std::max(kSmallestTable, options.flows + options.flows / 4);
    limits.max_templates = 1024;
    limits.max_servers = 1024;
    limits.max_fragments = 64;
    limits.hash_secret = {11, 22, 33, 44};
    limits.workers = workers;
    auto plane = lb::DataPlane::create(limits);
    if (!plane) return plane.error();
    bed->plane_ = std::move(plane).value();
    for (unsigned worker = 1; worker < workers; ++worker) bed->plane_->worker(worker).offline();
    if (Status applied = bed->plane_->apply(bed->spec(), bed->now_); !applied) {
        return applied.error();
    }
    const std::vector<lb::MemoryView> memory = bed->plane_->memory();
    const bool huge = std::all_of(memory.begin(), memory.end(),
                                  [](const lb::MemoryView& view) { return view.hugepages; });
    bed->pages_ = "tables: " + std::string(huge ? "huge pages" : "normal pages") +
                  "; frames: " + std::string(lb::to_string(bed->region_.page_kind()));
    return bed;
}

Testbed::Testbed(const Options& options, lb::MemoryRegion region)
    : options_(options),
      region_(std::move(region)),
      buffers_(region_.section<FrameBuffer>("frames")),
      extra_(std::make_unique<lb::ExtraPackets>()),
      seen_(region_.section<Seen>("seen")),
      loaded_(kBatch),
      drawn_flows_(options.flows) {}

lb::DataPlaneSpec Testbed::spec() const {
    const net::Family family = options_.family;
    const auto host_bits = static_cast<std::uint8_t>(family == net::Family::V4 ? 32 : 128);
    lb::DataPlaneSpec spec;
    spec.ports = {{"client", kClientSideMac, {}, 1500}, {"server", kServerSideMac, {}, 1500}};
    spec.owned = {{virtual_address(family), kClientSide, kClientSideMac},
                  {director_address(family), kServerSide, kServerSideMac}};
    net::IpAddress any;
    any.family = family;
    spec.routes.push_back(route({any, 0}, kClientSide, kRouterMac));

    lb::ServiceSpec service;
    service.address = virtual_address(family);
    service.port = kServicePort;
    service.scheduler = lb::SchedulerKind::Rr;
    for (unsigned n = 1; n <= options_.servers; ++n) {
        const net::IpAddress server = server_address(family, n);
        spec.routes.push_back(route({server, host_bits}, kServerSide, server_mac(n)));
        spec.routes.back().preferred_source = director_address(family);
        lb::RealServerSpec real;
        real.address = server;
        real.port = answers_pass(options_.method) ? kServerPort : kServicePort;
        real.method = options_.method;
        service.servers.push_back(real);
    }
    spec.services.push_back(std::move(service));
    for (unsigned n = 0; n < kLocals; ++n) {
        const net::IpAddress local = local_address(family, n);
        spec.local_addresses.push_back({local, 1024, 65535});
        spec.owned.push_back({local, kServerSide, kServerSideMac});
    }
    spec.timeouts.tcp_established = established_timeout_;
    spec.timeouts.tcp_syn_recv = std::chrono::seconds(1);
    spec.timeouts.tcp_close = std::chrono::seconds(1);
    spec.timeouts.tcp_time_wait = std::chrono::seconds(1);
    spec.timeouts.tcp_last_ack = std::chrono::seconds(1);
    return spec;
}

Endpoint Testbed::client(std::uint64_t flow) const {
    const std::uint32_t value = scramble(static_cast<std::uint32_t>(flow));
    const std::uint32_t host = value >> 10U;  // 22 bits
    const net::IpAddress from = options_.family == net::Family::V4
                                    ? net::IpAddress::from_v4(net::Ipv4Address::from_host(
                                          0x64400000U + host))  // 100.64.0.0/10, RFC 6598
                                    : address(options_.family, 0xc, host);
    return {from, static_cast<std::uint16_t>(1024 + 61 * (value & 0x3ffU))};
}

Segment Testbed::segment_of(std::uint64_t flow, Travel travel, const Seen& seen) const {
    const net::Family family = options_.family;
    if (travel == Travel::Forward) {
        return {client(flow), {virtual_address(family), kServicePort}, 0};
    }
    const bool hidden = options_.method == lb::ForwardingMethod::FullNat;
    return {{server_address(family, seen.server), kServerPort},
            hidden ? Endpoint{local_address(family, seen.local), seen.local_port} : client(flow),
            0};
}

void Testbed::write(unsigned at, const Frame& frame, const Seen& seen) {
    Segment segment = segment_of(frame.flow, frame.travel, seen);
    segment.tcp_flags = frame.tcp_flags;
    const bool forward = frame.travel == Travel::Forward;
    const Link link = forward ? Link{kRouterMac, kClientSideMac}
                              : Link{server_mac(last_byte(segment.source.address)), kServerSideMac};
    frame_length_ = write_segment(link, segment, buffers_[at].data);
    port_ = forward ? kClientSide : kServerSide;
    loaded_[at] = frame.flow;
}

void Testbed::load(std::uint64_t first, unsigned count, std::uint8_t tcp_flags, Travel travel) {
    for (unsigned i = 0; i < count; ++i) {
        write(i, {first + i, tcp_flags, travel}, seen_[(first + i) % seen_.size()]);
    }
}

// Looks up first what was seen of the flows: what the frames are made of shall not be younger in
// the caches than the frames.
void Testbed::load_random(Travel travel) {
    std::vector<Seen> seen(kBatch);
    for (unsigned i = 0; i < kBatch; ++i) {
        loaded_[i] = random_() % drawn_flows_;
        seen[i] = seen_[loaded_[i] % seen_.size()];
    }
    for (unsigned i = 0; i < kBatch; ++i) {
        write(i, {loaded_[i], net::kTcpAck, travel}, seen[i]);
    }
}

void Testbed::load_flood(std::uint64_t& next_flow) {
    for (unsigned i = 0; i < kBatch; ++i) {
        if (i % 2 == 0) {
            write(i, {random_() % drawn_flows_, net::kTcpAck, Travel::Forward}, {});
        } else {
            write(i, {next_flow++, net::kTcpSyn, Travel::Forward}, {});
        }
    }
}

Status Testbed::learn_one(std::uint64_t flow, const lb::Packet& packet) {
    if (packet.verdict != lb::Verdict::Transmit) {
        return unexpected("a SYN was not forwarded (" +
                          std::string(lb::to_string(packet.drop_reason)) + ")");
    }
    if (!answers_pass(options_.method)) return ok_status();
    Segment sent;
    if (!read_segment({packet.data, packet.length}, sent)) {
        return unexpected("a forwarded SYN is damaged");
    }
    Seen& seen = seen_[flow % seen_.size()];
    seen.server = static_cast<std::uint16_t>(last_byte(sent.destination.address));
    seen.local = static_cast<std::uint8_t>(last_byte(sent.source.address));
    seen.local_port = sent.source.port;
    return ok_status();
}

Status Testbed::learn(std::uint64_t first, unsigned count) {
    Status status = ok_status();
    process(count, [&](unsigned at, std::span<const lb::Packet> packets) {
        for (std::size_t i = 0; i < packets.size() && status; ++i) {
            status = learn_one(first + at + i, packets[i]);
        }
    });
    return status;
}

Status Testbed::expect_forwarded(const lb::WorkerCounters& before, unsigned count,
                                 std::string_view what) const {
    const std::uint64_t sent = counters().transmitted - before.transmitted;
    if (sent == count) return ok_status();
    return unexpected(std::to_string(count - sent) + " of " + std::to_string(count) + " " +
                      std::string(what) + " packets were not forwarded");
}

Status Testbed::establish_batch(std::uint64_t first, unsigned count) {
    load(first, count, net::kTcpSyn, Travel::Forward);
    if (Status status = learn(first, count); !status) return status;
    const lb::WorkerCounters before = counters();
    if (answers_pass(options_.method)) {
        load(first, count, net::kTcpSyn | net::kTcpAck, Travel::Reply);
        process(count);
        if (Status status = expect_forwarded(before, count, "SYN/ACK"); !status) return status;
    }
    const lb::WorkerCounters answered = counters();
    load(first, count, net::kTcpAck, Travel::Forward);
    process(count);
    return expect_forwarded(answered, count, "ACK");
}

Status Testbed::establish(std::uint64_t begin, std::uint64_t count) {
    // Over at least a second, so that afterwards as many connections a second want their time
    // stamps renewed as in a steady state.
    const lb::Duration measuring = packet_time_;
    packet_time_ = std::max<lb::Duration>(measuring, std::chrono::seconds(1) / (3 * count));
    const std::uint64_t before = counters().connections_created;
    const std::uint64_t end = begin + count;
    for (std::uint64_t first = begin; first < end; first += kBatch) {
        const std::uint64_t batch = std::min<std::uint64_t>(kBatch, end - first);
        if (Status status = establish_batch(first, static_cast<unsigned>(batch)); !status) {
            return status;
        }
    }
    packet_time_ = measuring;
    const std::uint64_t created = counters().connections_created - before;
    if (created == count) return ok_status();
    return unexpected(std::to_string(created) + " connections instead of " + std::to_string(count));
}

Status Testbed::set_established_timeout(lb::Duration timeout) {
    established_timeout_ = timeout;
    return plane_->apply(spec(), now_);
}

bool Testbed::is_right(std::uint64_t flow, const lb::Packet& packet, Travel travel) const {
    const bool forward = travel == Travel::Forward;
    if (packet.verdict != lb::Verdict::Transmit ||
        packet.port != (forward ? kServerSide : kClientSide)) {
        return false;
    }
    std::span<const std::uint8_t> frame(packet.data, packet.length);
    const bool is_v4 = options_.family == net::Family::V4;
    if (options_.method == lb::ForwardingMethod::Tunnel) {
        // IPIP: the client's packet is behind the outer header, untouched.
        const std::size_t outer = is_v4 ? 20 : 40;
        if (packet.length != frame_length_ + outer) return false;
        std::array<std::uint8_t, kMaxSegmentFrame> inner{};
        std::copy_n(frame.begin(), 14, inner.begin());
        std::copy(frame.begin() + 14 + static_cast<std::ptrdiff_t>(outer), frame.end(),
                  inner.begin() + 14);
        Segment found;
        return read_segment({inner.data(), frame_length_}, found) && found.source == client(flow);
    }
    Segment found;
    if (!read_segment(frame, found)) return false;
    if (!forward) {
        return found.source == Endpoint{virtual_address(options_.family), kServicePort} &&
               found.destination == client(flow);
    }
    if (options_.method == lb::ForwardingMethod::DirectRouting) {
        return found.source == client(flow) && frame[4] == 5;  // a server's MAC
    }
    const Segment answer = segment_of(flow, Travel::Reply, seen_[flow % seen_.size()]);
    return found.source == answer.destination && found.destination == answer.source;
}

Status Testbed::verify(Travel travel) {
    unsigned wrong = 0;
    process(kBatch, [&](unsigned at, std::span<const lb::Packet> packets) {
        for (std::size_t i = 0; i < packets.size(); ++i) {
            wrong += is_right(loaded_[at + i], packets[i], travel) ? 0U : 1U;
        }
    });
    if (wrong == 0) return ok_status();
    return unexpected(std::to_string(wrong) + " of " + std::to_string(kBatch) +
                      " frames came out wrong");
}

void Testbed::expire_short_lived() {
    constexpr std::uint32_t kWholeTable = 0xffffffff;
    now_ += std::chrono::seconds(2);
    for (int round = 0; round < 3; ++round) {
        plane_->worker(worker_).quiescent();
        plane_->housekeep(now_, kWholeTable);
    }
}

}  // namespace pollux::bench
