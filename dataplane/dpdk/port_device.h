// SPDX-License-Identifier: Apache-2.0
#pragma once

// One port: its DPDK device, how it was set up, what the driver refused. Control thread, but for
// usable(), which workers read. Calls that a driver refuses become notes; only a lost function is
// an error.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/dpdk/buffer_pools.h"
#include "dataplane/dpdk/driver_traits.h"
#include "dataplane/dpdk/kernel_interface.h"
#include "dataplane/dpdk/log_capture.h"
#include "dataplane/dpdk/queue_plan.h"
#include "dataplane/dpdk/runtime.h"
#include "dataplane/net/result.h"

struct rte_eth_dev_info;
struct rte_eth_conf;

namespace pollux::dpdk {

// What all ports of a process have in common for their set-up.
struct PortSetup {
    const BufferPools* pools = nullptr;
    std::uint16_t frame_room = 2048;  // bytes of one buffer
    bool any_scatter = false;         // frames of several segments occur
    int control_node = 0;             // stands in for the NUMA node of a device without one
};

class PortDevice {
  public:
    // Attaches the device (a PCI device was already probed by EAL).
    static Result<std::unique_ptr<PortDevice>> attach(const PortOptions& options, LogCapture& log);
    PortDevice(const PortDevice&) = delete;
    PortDevice& operator=(const PortDevice&) = delete;
    ~PortDevice();  // stops, closes and detaches

    // What the device offers, before set_up.
    [[nodiscard]] QueueLimits queue_limits(unsigned workers) const;
    [[nodiscard]] int numa_node() const;  // -1: none
    // One buffer holds a frame of the MTU, or the device can use several.
    [[nodiscard]] bool fits(std::uint16_t frame_room) const;
    [[nodiscard]] bool can_scatter() const;
    [[nodiscard]] std::uint16_t largest_frame() const;
    // Buffers that its queues can hold.
    [[nodiscard]] std::uint32_t buffers_held(const QueuePlan& plan) const;

    // Configures and starts the port.
    Status set_up(const QueuePlan& plan, const PortSetup& setup, LogCapture& log);
    void close();

    [[nodiscard]] std::uint16_t device() const { return device_; }
    [[nodiscard]] const PortOptions& options() const { return options_; }
    [[nodiscard]] const QueuePlan& plan() const { return plan_; }
    // False after the device was removed or failed. Any thread.
    [[nodiscard]] bool usable() const noexcept { return usable_.load(std::memory_order_relaxed); }
    // From DPDK's interrupt thread. Relaxed: nothing else is published with the flag.
    void mark_lost() noexcept { usable_.store(false, std::memory_order_relaxed); }

    Status add_mac(const net::MacAddress& mac);
    Status remove_mac(const net::MacAddress& mac);
    [[nodiscard]] PortView view() const;

  private:
    struct ExtraMac {
        net::MacAddress mac;
        bool by_promiscuous = false;  // no filter entry: the port receives everything for it
    };

    explicit PortDevice(const PortOptions& options);
    Status attach_vdev(LogCapture& log);
    Status find_device(const std::string& name, LogCapture& log);
    void prepare_kernel_interface();
    [[nodiscard]] rte_eth_dev_info info() const;
    [[nodiscard]] bool trait(bool DriverTraits::*member) const;
    [[nodiscard]] std::string kernel_name() const;  // of info().if_index, "" without
    [[nodiscard]] bool attaches_to_interface() const;
    [[nodiscard]] bool creates_interface() const;
    [[nodiscard]] bool has_link() const;
    [[nodiscard]] std::string text(const std::string& message) const;
    void note(const std::string& message);  // once, however often it is set up

    // port_setup.cpp
    Status configure(const PortSetup& setup);
    void choose_offloads(rte_eth_conf& conf, const PortSetup& setup);
    void choose_rss(rte_eth_conf& conf);
    Status set_up_queues(const PortSetup& setup);
    Status start();
    void set_mtu();
    void keep_control_queue_apart();

    // port_filter.cpp
    void receive_multicast();
    Status filter_mac(ExtraMac& entry);
    Status set_promiscuous(bool on);

    PortOptions options_;
    std::uint16_t device_ = 0;  // DPDK's number
    std::string driver_;
    std::string device_name_;  // "net_tap0" or the PCI address
    std::string interface_;    // iface= of a virtual device, else ""
    const DriverTraits* traits_ = nullptr;
    bool is_vdev_;
    bool started_ = false;
    QueuePlan plan_;
    net::MacAddress mac_;
    std::uint16_t mtu_ = 0, default_mtu_ = 0;
    bool rss_ = false, tx_checksum_ = false, promiscuous_ = false;
    bool promiscuous_for_good_ = false;  // by option or for multicast, not for an extra MAC
    std::vector<ExtraMac> extra_macs_;
    std::optional<KernelInterface> kernel_;
    TapWatch tap_;
    std::vector<std::string> notes_;
    std::atomic<bool> usable_{true};
};

}  // namespace pollux::dpdk
