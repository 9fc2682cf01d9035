// SPDX-License-Identifier: Apache-2.0
#pragma once

// Testbed: a DataPlane with one virtual service between a client link (port 0) and a server link
// (port 1), connections that were set up through it by real packets, and buffers laid out as a
// driver's. Virtual time: a packet takes 100 ns. One thread; no EAL.

#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/lb/data_plane.h"
#include "dataplane/lb/memory_region.h"
#include "tools/bench/frames.h"
#include "tools/bench/options.h"

namespace pollux::bench {

// Packets that the buffers hold: at 100 cycles each well below 1 ms.
inline constexpr unsigned kBatch = 4096;

inline constexpr lb::PortId kClientSide{0};
inline constexpr lb::PortId kServerSide{1};

// As DPDK lays out an mbuf: 64 bytes of pool header, 128 of mbuf, 128 of headroom, 2 KiB of room.
// An odd number of cache lines, so that the frames spread over the cache's sets.
struct FrameBuffer {
    static constexpr std::size_t kHeadroom = 128;
    static constexpr std::size_t kRoom = 2048;
    std::uint8_t metadata[64 + 128];
    std::uint8_t headroom[kHeadroom];
    std::uint8_t data[kRoom];
};
static_assert(sizeof(FrameBuffer) == 37 * 64);

class Testbed {
  public:
    // The service and its servers, no connection yet. Room for options.flows connections at a load
    // of 80 %. The bed is worker 0's; the others are offline. Errors: memory.
    static Result<std::unique_ptr<Testbed>> create(const Options& options, unsigned workers = 1);
    // Another worker's bed on the same data plane, with the same connections. Errors: memory.
    [[nodiscard]] Result<std::unique_ptr<Testbed>> sibling(unsigned worker) const;

    // For beds beside others: a worker that is not at work must be offline.
    void online() { plane_->worker(worker_).online(); }
    void offline() { plane_->worker(worker_).offline(); }

    // Sets up connections through the data plane: SYN, SYN/ACK where replies pass, ACK; all
    // options.flows, or `count` of them from `first`. Errors: the data plane did anything else than
    // forward these packets.
    Status establish() { return establish(0, options_.flows); }
    Status establish(std::uint64_t first, std::uint64_t count);
    // How long connections that are established from now on live without a packet.
    Status set_established_timeout(lb::Duration timeout);

    // Virtual time, and how much of it a packet takes.
    [[nodiscard]] lb::TimePoint now() const noexcept { return now_; }
    void set_now(lb::TimePoint now) noexcept { now_ = now; }
    void set_packet_time(lb::Duration time) noexcept { packet_time_ = time; }
    // The control thread's round, for beds whose control thread is this one.
    void housekeep(std::uint32_t budget) { plane_->housekeep(now_, budget); }

    // load_random takes the first `flows` connections (at the beginning: all).
    void draw_from(std::uint32_t flows) noexcept { drawn_flows_ = flows; }
    // Fills the buffers with frames of established connections, uniformly at random.
    void load_random(Travel travel);
    // The same from the clients, but every second frame is a SYN of a flow that was never seen: of
    // `next_flow`, which is counted on.
    void load_flood(std::uint64_t& next_flow);
    // Fills `count` buffers with the client's or the server's segment of the flows from `first`.
    void load(std::uint64_t first, unsigned count, std::uint8_t tcp_flags, Travel travel);
    // Passes the first `count` buffers through the worker in bursts. The measured code: what is
    // written into the burst's packet views, as a driver's adapter does it, and process_burst.
    void process(unsigned count) noexcept {
        process(count, [](unsigned, std::span<const lb::Packet>) {});
    }
    // The same, and looks at each burst: `after(position of the first, packets)`.
    template <typename After>
    void process(unsigned count, After&& after) noexcept;

    // From now on adds up the cost of the stages in `watch`; nullptr: no longer.
    void watch_stages(lb::StageWatch* watch) noexcept { watch_ = watch; }

    // Passes loaded SYNs of the flows from `first` and learns whom the server sees (`load` of
    // replies needs it). Errors: a SYN was not forwarded.
    Status learn(std::uint64_t first, unsigned count);
    // Passes what load_random loaded and compares every frame that comes out with what it must be.
    Status verify(Travel travel);

    // Ends the half-open and the closed connections: lets two seconds of virtual time pass and
    // sweeps the table. They are set to expire after one second here.
    void expire_short_lived();

    [[nodiscard]] lb::WorkerCounters counters() const { return plane_->counters(worker_); }
    [[nodiscard]] std::string_view pages() const { return pages_; }
    [[nodiscard]] lb::DataPlane& plane() { return *plane_; }

  private:
    // How the server sees a client: by FullNAT's local endpoint, else as it is.
    struct Seen {
        std::uint16_t server = 0;
        std::uint16_t local_port = 0;
        std::uint8_t local = 0;
    };
    Testbed(const Options& options, lb::MemoryRegion region);
    // Frames, and what is seen of each flow: in huge pages, so that looking it up between two
    // samples does not push the tables' address translations out of the processor.
    static Result<lb::MemoryRegion> make_buffers(std::uint32_t flows);
    [[nodiscard]] lb::DataPlaneSpec spec() const;
    [[nodiscard]] Endpoint client(std::uint64_t flow) const;
    struct Frame {
        std::uint64_t flow;
        std::uint8_t tcp_flags;
        Travel travel;
    };
    // `seen` matters for replies only.
    [[nodiscard]] Segment segment_of(std::uint64_t flow, Travel travel, const Seen& seen) const;
    void write(unsigned at, const Frame& frame, const Seen& seen);
    Status learn_one(std::uint64_t flow, const lb::Packet& packet);
    [[nodiscard]] bool is_right(std::uint64_t flow, const lb::Packet& packet, Travel travel) const;
    Status establish_batch(std::uint64_t first, unsigned count);
    Status expect_forwarded(const lb::WorkerCounters& before, unsigned count,
                            std::string_view what) const;

    Options options_;
    lb::MemoryRegion region_;
    std::span<FrameBuffer> buffers_;
    std::shared_ptr<lb::DataPlane> plane_;
    unsigned worker_ = 0;
    std::unique_ptr<lb::ExtraPackets> extra_;
    lb::StageWatch* watch_ = nullptr;
    std::array<lb::Packet, lb::kMaxBurst> packets_;
    std::span<Seen> seen_;  // by flow modulo its size
    std::vector<std::uint64_t> loaded_;
    std::mt19937_64 random_{1};
    std::uint32_t frame_length_ = 0;
    lb::PortId port_ = kClientSide;
    lb::TimePoint now_{std::chrono::seconds(1000)};
    lb::Duration packet_time_{100};
    std::uint32_t drawn_flows_;
    lb::Duration established_timeout_ = std::chrono::hours(24 * 10);
    std::string pages_;
};

template <typename After>
void Testbed::process(unsigned count, After&& after) noexcept {
    lb::Worker& worker = plane_->worker(worker_);
    for (unsigned first = 0; first < count; first += options_.burst) {
        const unsigned burst = std::min(options_.burst, count - first);
        for (unsigned i = 0; i < burst; ++i) {
            lb::Packet& packet = packets_[i];
            packet = lb::Packet{};
            packet.data = buffers_[first + i].data;
            packet.length = packet.frame_length = frame_length_;
            packet.headroom = FrameBuffer::kHeadroom;
            packet.tailroom = static_cast<std::uint16_t>(FrameBuffer::kRoom - frame_length_);
            packet.port = port_;
            __builtin_prefetch(packet.data);
        }
        if (watch_ == nullptr) {
            worker.process_burst({packets_.data(), burst}, now_, *extra_);
        } else {
            worker.process_burst({packets_.data(), burst}, now_, *extra_, *watch_);
        }
        after(first, std::span<const lb::Packet>(packets_.data(), burst));
        now_ += packet_time_ * burst;
    }
}

}  // namespace pollux::bench
