// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything DPDK does for Pollux, behind an interface without an rte_ name (decision D2): EAL,
// ports, worker loops, and the control core's own send and receive paths (decision D12).
// All functions are the control thread's unless said otherwise.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/dpdk/burst_processor.h"
#include "dataplane/dpdk/worker_io.h"
#include "dataplane/lb/data_plane.h"
#include "dataplane/net/mac_address.h"
#include "dataplane/net/result.h"

namespace pollux::dpdk {

enum class IdleMode : std::uint8_t { Poll, Adaptive };

struct PortOptions {
    std::string name;  // the operator's name, unique
    std::string pci;   // "0000:3b:00.0", or
    std::string vdev;  // "net_tap0,iface=ltap0"
    std::uint16_t rx_descriptors = 1024, tx_descriptors = 1024;
    std::uint16_t mtu = 1500;
    bool rss = true;
    bool promiscuous = false;
};

struct RuntimeOptions {
    std::string program;                 // argv[0] for EAL
    std::string file_prefix = "pollux";  // unique per process of a host
    std::string control_lcore = "0";     // CPU number
    std::vector<unsigned> worker_cpus;   // one worker each; CPUs may repeat and may equal control's
    unsigned memory_mib = 256;
    bool hugepages = true;  // false: --no-huge
    bool in_memory = true;  // no files in hugetlbfs; no secondary processes
    bool telemetry = true;  // DPDK's own socket, in the runtime directory, mode 0600
    std::string iova_mode;  // "", "va", "pa"
    std::uint32_t mbufs_per_port = 16384;
    std::uint16_t burst = 32;  // 1..64
    IdleMode idle = IdleMode::Adaptive;
    std::vector<std::string> extra_eal_args;
    std::vector<PortOptions> ports;
};

struct PortView {
    std::string name, driver;
    net::MacAddress mac;
    std::uint16_t mtu = 0;
    std::uint16_t rx_queues = 0, tx_queues = 0;
    bool rss = false, tx_checksum = false, control_queue = false, promiscuous = false;
    bool link_up = false;
    unsigned if_index = 0;  // kernel interface behind the port; 0 = none
    std::uint64_t rx_packets = 0, tx_packets = 0, rx_bytes = 0, tx_bytes = 0;
    std::uint64_t rx_missed = 0, rx_errors = 0, tx_errors = 0, no_mbuf = 0;
    std::vector<std::string> notes;  // what the driver refused, and what that means
};

struct WorkerView {
    unsigned index = 0, cpu = 0;
    std::uint64_t heartbeat = 0;  // grows with each loop iteration, also when idle
    std::uint64_t loops = 0, idle_loops = 0, sleeps = 0;
    std::uint64_t busy_cycles = 0, total_cycles = 0, cycles_per_second = 0;
    std::vector<std::uint64_t> burst_histogram;  // index = packets in the burst
};

struct PoolView {
    std::string name;
    std::uint32_t buffers = 0, free = 0;  // free: cached ones included
};

// What became of the control core's own frames.
struct ControlCounters {
    std::uint64_t received = 0;         // punted frames taken
    std::uint64_t transmitted = 0;      // taken by the port, or queued to the worker that sends
    std::uint64_t transmit_failed = 0;  // port gone or queue full
    std::uint64_t no_buffer = 0;
    std::uint64_t expired = 0;  // queued, but a stalled port kept them too long to be sent
};

// A frame that workers handed to the control core. Valid until the next receive_punted.
struct PuntedFrame {
    std::span<std::uint8_t> bytes;
    lb::PortId port = lb::kNoPort;  // received on; for Unresolved: leaves by
    lb::PuntReason reason = lb::PuntReason::None;
    net::IpAddress next_hop;  // Unresolved only
};

class Runtime {
  public:
    // Starts EAL and brings the ports up. One per process. Errors carry the remedy and leave
    // nothing behind (no interface, no file, no half-started EAL thread that sends packets).
    static Result<std::unique_ptr<Runtime>> start(const RuntimeOptions& options);
    ~Runtime();  // stops workers and ports

    // `data_plane` must outlive the workers and have as many workers as options.worker_cpus.
    Status launch_workers(lb::DataPlane& data_plane);
    // The same with other processors, one for each worker; they must outlive the workers.
    Status launch_workers(std::span<const BurstProcessor> processors);
    // One task for each worker, for tools that send by themselves. Needs a transmit queue of every
    // port for every worker; Runtime::transmit and receive_punted have no effect meanwhile.
    Status launch_tasks(std::span<const WorkerTask> tasks);
    // Whether a worker or task has not returned.
    [[nodiscard]] bool workers_running() const;
    // Waits for the workers, at most 5 s for a stuck one (which then keeps everything alive until
    // the process ends). They can be launched again.
    void stop_workers();

    // Extra frames for lb::DataPlane::set_packet_source; launch_workers(DataPlane&) sets it.
    [[nodiscard]] lb::PacketSource packet_source() const;

    // The clock that workers stamp bursts with. Any thread.
    [[nodiscard]] lb::TimePoint now() const;

    // Readable when punted frames wait (level: stays so until receive_punted finds nothing). Call
    // receive_punted until it finds nothing, then wait: only then do workers write the event.
    [[nodiscard]] int punt_event_fd() const;
    // At most 64 frames, Vrrp ones first, then Arp and NeighbourDiscovery; no kind starves another.
    std::span<const PuntedFrame> receive_punted();

    // Sends a complete frame; copied. False: no buffer, queue full, port lost, or the frame larger
    // than the port's MTU allows (counted). Where the port has no transmit queue for the control
    // core, a worker sends it, unless the port stalls for more than 200 ms.
    bool transmit(lb::PortId port, std::span<const std::uint8_t> frame);

    // Adds or removes a further unicast MAC (virtual MAC): NIC filter, else promiscuous mode, else
    // an error that says why.
    Status add_mac(lb::PortId port, const net::MacAddress& mac);
    Status remove_mac(lb::PortId port, const net::MacAddress& mac);
    // The stations whose adverts are believed: a flood of other VRRP frames cannot push theirs out.
    void set_vrrp_peers(std::span<const net::MacAddress> peers);

    [[nodiscard]] std::vector<PortView> ports() const;
    [[nodiscard]] std::vector<WorkerView> workers() const;
    [[nodiscard]] std::vector<PoolView> pools() const;
    [[nodiscard]] ControlCounters control_counters() const;
    // What DPDK and its drivers warned of since the last call, for the log.
    std::vector<std::string> take_warnings();

  private:
    Runtime();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pollux::dpdk
