// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/port_device.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <net/if.h>
#include <rte_dev.h>
#include <rte_ethdev.h>

#include "dataplane/dpdk/buffer_sizes.h"
#include "dataplane/dpdk/host_facts.h"
#include "dataplane/dpdk/vdev_text.h"

namespace pollux::dpdk {
namespace {

// Two VLAN tags and the Ethernet header around the MTU.
constexpr std::uint16_t kFrameOverhead = RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN;

Error attach_error(const PortOptions& port, const std::string& device, const LogCapture& log) {
    std::string reason = log.errors();
    if (reason.empty()) reason = "DPDK has no driver for it";
    const bool busy = reason.find("busy") != std::string::npos;
    return Error{"port '" + port.name + "': cannot attach " + device + ": " + reason,
                 busy ? "another process uses the device: stop it"
                      : "dpdk-testpmd shows whether DPDK itself can use the device"};
}

int on_device_lost(std::uint16_t, rte_eth_event_type, void* port, void*) {
    static_cast<PortDevice*>(port)->mark_lost();
    return 0;
}

constexpr std::array kLossEvents{RTE_ETH_EVENT_INTR_RMV, RTE_ETH_EVENT_INTR_RESET,
                                 RTE_ETH_EVENT_RECOVERY_FAILED};

}  // namespace

Result<std::unique_ptr<PortDevice>> PortDevice::attach(const PortOptions& options,
                                                       LogCapture& log) {
    std::unique_ptr<PortDevice> port(new PortDevice(options));
    Status status = port->is_vdev_ ? port->attach_vdev(log) : port->find_device(options.pci, log);
    if (!status) return status.error();
    port->driver_ = port->info().driver_name;
    port->traits_ = find_driver_traits(port->driver_);
    for (const rte_eth_event_type event : kLossEvents) {
        rte_eth_dev_callback_register(port->device_, event, &on_device_lost, port.get());
    }
    return port;
}

Status PortDevice::attach_vdev(LogCapture& log) {
    const Result<VdevText> vdev = parse_vdev(options_.vdev);
    if (!vdev) return vdev.error();
    interface_ = vdev->find("iface").value_or("");
    traits_ = find_driver_traits(vdev->driver);
    if (attaches_to_interface()) {
        Result<KernelInterface> kernel = KernelInterface::open(interface_);
        if (!kernel) return Error{text(kernel.error().message), kernel.error().remedy};
        kernel_.emplace(std::move(kernel).value());
        // Before the driver binds its sockets: one that is bound to an interface that is down
        // loses the first frame it sends.
        prepare_kernel_interface();
    }
    log.forget();
    if (rte_eal_hotplug_add("vdev", vdev->name.c_str(), vdev->arguments.c_str()) != 0) {
        return attach_error(options_, vdev->name, log);
    }
    return find_device(vdev->name, log);
}

Status PortDevice::find_device(const std::string& name, LogCapture& log) {
    if (rte_eth_dev_get_port_by_name(name.c_str(), &device_) != 0) {
        return attach_error(options_, name, log);
    }
    device_name_ = name;
    return ok_status();
}

void PortDevice::prepare_kernel_interface() {
    if (!kernel_->is_up()) {
        const Status status = kernel_->set_up();
        note(status ? "interface " + interface_ + " was down: set up" : status.error().message);
    }
    const InterfaceFacts facts = read_interface_facts(interface_);
    if (facts.driver == "veth") {
        note(
            "veth peers must compute checksums themselves: ethtool -K PEER tx off in the other "
            "namespace");
    }
    if (!trait(&DriverTraits::kernel_sees_frames) || facts.addresses.empty()) return;
    std::string addresses;
    for (const std::string& address : facts.addresses) {
        addresses += (addresses.empty() ? "" : ", ") + address;
    }
    note("interface " + interface_ + " has addresses (" + addresses +
         "): the kernel answers the same frames that Pollux handles; remove them (ip address "
         "flush, disable_ipv6) or drop everything in an nftables netdev ingress chain");
}

PortDevice::PortDevice(const PortOptions& options)
    : options_(options), is_vdev_(options.pci.empty()) {}

PortDevice::~PortDevice() {
    close();
}

void PortDevice::close() {
    if (device_name_.empty()) return;
    for (const rte_eth_event_type event : kLossEvents) {
        rte_eth_dev_callback_unregister(device_, event, &on_device_lost, this);
    }
    if (started_) rte_eth_dev_stop(device_);
    started_ = false;
    // Closes the device, too; a TAP's interface goes away.
    rte_eal_hotplug_remove(is_vdev_ ? "vdev" : "pci", device_name_.c_str());
    device_name_.clear();
}

QueueLimits PortDevice::queue_limits(unsigned workers) const {
    const rte_eth_dev_info device = info();
    QueueLimits limits;
    limits.rx = std::max<std::uint16_t>(device.max_rx_queues, 1);
    limits.tx = std::max<std::uint16_t>(device.max_tx_queues, 1);
    limits.equal = trait(&DriverTraits::equal_queues);
    limits.polls_all_rx = trait(&DriverTraits::polls_all_rx);
    if (traits_ != nullptr && traits_->most_queues != 0) {
        limits.rx = std::min(limits.rx, traits_->most_queues);
        limits.tx = std::min(limits.tx, traits_->most_queues);
    }
    if (!options_.rss && !limits.polls_all_rx && !limits.equal) limits.rx = 1;
    // Only where flow rules can steer into the queue and the RSS table can leave it out.
    limits.control_rx = traits_ == nullptr && device.reta_size > 0 &&
                        device.flow_type_rss_offloads != 0 && limits.rx > workers;
    return limits;
}

int PortDevice::numa_node() const {
    return rte_eth_dev_socket_id(device_);
}

std::uint16_t PortDevice::largest_frame() const {
    return static_cast<std::uint16_t>(options_.mtu + kFrameOverhead);
}

bool PortDevice::can_scatter() const {
    const rte_eth_dev_info device = info();
    return (device.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) != 0 &&
           (device.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
}

bool PortDevice::fits(std::uint16_t frame_room) const {
    return largest_frame() <= frame_room;
}

std::uint32_t PortDevice::buffers_held(const QueuePlan& plan) const {
    const std::uint32_t fixed = traits_ == nullptr ? 0 : traits_->fixed_rx_buffers;
    const std::uint32_t rx = std::max<std::uint32_t>(options_.rx_descriptors, fixed);
    return plan.rx_queues() * rx + plan.tx_queues * options_.tx_descriptors;
}

PortView PortDevice::view() const {
    PortView view;
    view.name = options_.name;
    view.driver = driver_;
    view.mac = mac_;
    view.mtu = mtu_;
    view.rx_queues = plan_.rx_queues();
    view.tx_queues = plan_.tx_queues;
    view.rss = rss_;
    view.tx_checksum = tx_checksum_;
    view.control_queue = plan_.control_rx_queue.has_value();
    view.promiscuous = promiscuous_;
    view.link_up = has_link();
    if (kernel_) view.if_index = kernel_->index();
    view.notes = notes_;
    if (kernel_ && !kernel_->exists()) {
        view.notes.push_back("its kernel interface was removed: restart to use one made anew");
    }
    if (!usable()) {
        view.notes.push_back("the device was removed or failed: restart to use it again");
        return view;  // its counters may be gone with it
    }
    rte_eth_stats stats{};
    if (rte_eth_stats_get(device_, &stats) == 0) {
        view.rx_packets = stats.ipackets;
        view.tx_packets = stats.opackets;
        view.rx_bytes = stats.ibytes;
        view.tx_bytes = stats.obytes;
        view.rx_missed = stats.imissed;
        view.rx_errors = stats.ierrors;
        view.tx_errors = stats.oerrors;
        view.no_mbuf = stats.rx_nombuf;
    }
    return view;
}

bool PortDevice::has_link() const {
    if (!usable()) return false;
    // Drivers over kernel interfaces report "up" whatever happens: ask the kernel.
    if (kernel_) return kernel_->has_carrier();
    // The interface of a TAP is the peer's; DPDK loses sight of it in another namespace.
    if (creates_interface()) return tap_.exists();
    rte_eth_link link{};
    return rte_eth_link_get_nowait(device_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

rte_eth_dev_info PortDevice::info() const {
    rte_eth_dev_info device{};
    if (rte_eth_dev_info_get(device_, &device) != 0) device.driver_name = "unknown";
    return device;
}

bool PortDevice::trait(bool DriverTraits::*member) const {
    return traits_ != nullptr && traits_->*member;
}

std::string PortDevice::kernel_name() const {
    std::array<char, IF_NAMESIZE> name{};
    const unsigned index = info().if_index;
    if (index == 0 || if_indextoname(index, name.data()) == nullptr) return "";
    return name.data();
}

bool PortDevice::attaches_to_interface() const {
    return traits_ != nullptr && traits_->interface_use == InterfaceUse::Attaches;
}

bool PortDevice::creates_interface() const {
    return traits_ != nullptr && traits_->interface_use == InterfaceUse::Creates;
}

void PortDevice::note(const std::string& message) {
    if (std::find(notes_.begin(), notes_.end(), message) != notes_.end()) return;
    notes_.push_back(message);
}

std::string PortDevice::text(const std::string& message) const {
    return "port '" + options_.name + "': " + message;
}

}  // namespace pollux::dpdk
