// SPDX-License-Identifier: Apache-2.0
#pragma once

// DataPlane: everything that workers and the control core share. Control thread: create, apply,
// housekeep, all reads. Worker threads: only their own Worker. Free of I/O; the same object runs
// under DPDK, on pcap files (pollux-replay), in benchmarks and in tests.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/lb/packet.h"
#include "dataplane/lb/spec.h"
#include "dataplane/lb/stages.h"
#include "dataplane/lb/time.h"
#include "dataplane/net/result.h"

namespace pollux::lb {

// Restart-only sizes. Every container's maximum is here.
struct DataPlaneLimits {
    std::uint32_t max_connections = 1U << 20;
    std::uint32_t max_templates = 1U << 16;  // persistence
    std::uint32_t max_services = 4096;
    std::uint32_t max_servers = 65536;           // live and removed-but-still-referenced
    std::uint32_t max_fragments = 4096;          // datagrams being followed
    double embryonic_share = 0.25;               // of max_connections
    bool evict_embryonic = true;                 // when new ones find no room; false: refuse these
    unsigned workers = 1;                        // 1..64
    bool hugepages = true;                       // try 2 MiB pages for the tables
    std::array<std::uint64_t, 4> hash_secret{};  // from the system's random source at start
};

// Where a worker gets further frames (fragments of a too large packet, answers beside a parked
// packet) and releases parked ones. Function pointers, not virtual calls; used on slow paths only.
struct PacketSource {
    void* context = nullptr;
    // A frame with at least 128 bytes headroom and 2048 bytes room, length 0; data == nullptr:
    // none.
    Packet (*allocate)(void* context) = nullptr;
};

// The largest burst that process_burst takes.
inline constexpr unsigned kMaxBurst = 64;

// Extra frames that a burst produced; the adapter sends or punts them like the burst's own.
inline constexpr unsigned kMaxExtraPackets = 256;
struct ExtraPackets {
    unsigned count = 0;
    std::array<Packet, kMaxExtraPackets> packets;
};

// D10: received == transmitted + punted + sum(dropped) + parked. `originated` are our own answers
// and further fragments, which are not received; an answer made in place of a packet counts as
// originated, and the packet as dropped for the reason that the answer tells.
struct WorkerCounters {
    std::uint64_t received = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t transmitted = 0;
    std::uint64_t punted = 0;
    std::uint64_t originated = 0;
    std::uint64_t parked = 0;  // now: fragments that wait for their first one
    std::array<std::uint64_t, kDropReasonCount> dropped{};
    std::array<std::uint64_t, kPuntReasonCount> punted_by_reason{};
    std::uint64_t connections_created = 0;
    std::uint64_t embryonic_evicted = 0;  // half-open ones that made room for new connections
    std::uint64_t connection_hits = 0;
};

class Worker {
  public:
    struct Impl;

    explicit Worker(std::unique_ptr<Impl> impl) noexcept;
    Worker(Worker&&) noexcept;
    Worker& operator=(Worker&&) noexcept;
    ~Worker();

    // Gives each packet its verdict. The burst's packets belong to the worker until it returns;
    // at most kMaxBurst of them. Reports a quiescent state at its end.
    void process_burst(std::span<Packet> burst, TimePoint now, ExtraPackets& extra) noexcept;

    // The same, with the cost of each stage added to `watch`.
    void process_burst(std::span<Packet> burst, TimePoint now, ExtraPackets& extra,
                       StageWatch& watch) noexcept;

    // The adapter could not carry out a verdict (queue full): re-books the packet as a drop.
    void account_failed(const Packet& packet, DropReason reason) noexcept;

    // Reports a quiescent state without packets; every loop iteration calls this or process_burst.
    void quiescent() noexcept;

    // Around a sleep: an offline worker does not hold up reclamation and must not call anything
    // else. Workers start online.
    void offline() noexcept;
    void online() noexcept;

  private:
    friend class DataPlane;
    std::unique_ptr<Impl> impl_;
};

// One connection as the operator sees it.
struct ConnectionView {
    Protocol protocol{};
    net::IpAddress client, virtual_address, server, local;  // local: FullNAT's, else None
    std::uint16_t client_port = 0, virtual_port = 0, server_port = 0, local_port = 0;
    ForwardingMethod method{};
    std::string_view state;  // LVS's name, for example "ESTABLISHED"
    Duration expires_in{};
    bool is_template = false;
    std::uint32_t fwmark = 0;
};

struct ServerView {
    net::IpAddress address;
    std::uint16_t port = 0;
    ForwardingMethod method{};
    std::uint16_t weight = 0;
    std::uint32_t upper_threshold = 0, lower_threshold = 0;
    TunnelSpec tunnel;
    bool removed = false;  // gone from the service, connections remain
    std::uint64_t active = 0, inactive = 0, persistent = 0;
    std::uint64_t connections = 0, packets_in = 0, packets_out = 0, bytes_in = 0, bytes_out = 0;
};

struct ServiceView {
    ServiceSpec spec;                 // as applied
    std::vector<ServerView> servers;  // in order of adding, removed ones last
    std::uint64_t connections = 0, packets_in = 0, packets_out = 0, bytes_in = 0, bytes_out = 0;
    // These servers follow on those of the page before; the sums, which stand there, are zero here.
    bool continued = false;
};

struct ServicePage {
    std::vector<ServiceView> services;
    std::uint64_t next = 0;  // the cursor of the page that follows; 0: this was the last one
};

struct MemoryView {
    std::string name;  // "connection records", "connection index", ...
    std::uint64_t bytes = 0, capacity = 0, used = 0;
    bool hugepages = false;
};

class FlowKey;

// What `housekeep` is to be given every 10 ms, so that it goes round a table of this size in two
// seconds: records of connections that have ended do not take up room for long. At least 4,096, at
// most 65,536, which take a millisecond or two when all of them have expired.
[[nodiscard]] std::uint32_t sweep_budget(std::uint32_t max_connections) noexcept;

// The next snapshot in the making: for tables so large that building them must not hold up the
// control thread. DataPlane::begin gives it, run() may be another thread's, DataPlane::finish takes
// it back.
class SnapshotWork {
  public:
    struct Impl;

    explicit SnapshotWork(std::unique_ptr<Impl> impl);
    ~SnapshotWork();
    SnapshotWork(const SnapshotWork&) = delete;
    SnapshotWork& operator=(const SnapshotWork&) = delete;

    // Once, on any thread, after begin and before finish.
    void run(std::shared_ptr<const DataPlaneSpec> spec);
    // What run() was given.
    [[nodiscard]] const std::shared_ptr<const DataPlaneSpec>& spec() const;

  private:
    friend class DataPlane;
    std::unique_ptr<Impl> impl_;
};

class DataPlane {
  public:
    // Errors: memory not available (with the remedy), limits out of range.
    static Result<std::unique_ptr<DataPlane>> create(const DataPlaneLimits& limits);
    ~DataPlane();

    // Builds and publishes the next snapshot. A failed apply changes nothing. Not between begin and
    // finish.
    Status apply(const DataPlaneSpec& spec, TimePoint now);
    // The same in steps: one work at a time, and finish follows begin in any case. Meanwhile the
    // data plane serves on; ids of removed servers are given back later.
    [[nodiscard]] std::unique_ptr<SnapshotWork> begin();
    Status finish(std::unique_ptr<SnapshotWork> work, TimePoint now);

    // Frees retired snapshots, expires connections (looks at up to `budget` records), runs the
    // per-second defence. Call about every 10 ms. Control thread.
    void housekeep(TimePoint now, std::uint32_t budget);

    [[nodiscard]] Worker& worker(unsigned index);
    [[nodiscard]] unsigned worker_count() const;
    void set_packet_source(unsigned worker, PacketSource source);

    [[nodiscard]] std::uint64_t generation() const;
    [[nodiscard]] WorkerCounters counters(unsigned worker) const;
    [[nodiscard]] std::vector<ServiceView> services(TimePoint now) const;
    // The same in pages, so that a caller with a loop to serve can pause: from `cursor` (0 at the
    // start) services that count at most `budget` (at least 1) together, each as one and its
    // servers. A service is in one piece unless it alone is larger. Services that are there all the
    // time come once each, in the order of services(), whatever snapshots come in between.
    [[nodiscard]] ServicePage service_page(std::uint64_t cursor, std::uint32_t budget) const;
    // Visits live connections and templates while workers run; a consistent copy of each.
    void for_each_connection(TimePoint now,
                             const std::function<void(const ConnectionView&)>& visit) const;
    // The same in pieces, so that a caller with a loop to serve can pause: looks at up to `budget`
    // records from `cursor` (0 at the start) and returns the cursor to go on with, 0 at the end.
    std::uint64_t visit_connections(TimePoint now, std::uint64_t cursor, std::uint32_t budget,
                                    const std::function<void(const ConnectionView&)>& visit) const;
    // The live connection that packets of this key belong to, in either direction.
    [[nodiscard]] std::optional<ConnectionView> find_connection(const FlowKey& key,
                                                                TimePoint now) const;
    [[nodiscard]] std::vector<MemoryView> memory() const;

  private:
    DataPlane();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pollux::lb
