// SPDX-License-Identifier: Apache-2.0
// PortDevice::set_up: queues, offloads, RSS, MTU, start.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <rte_ethdev.h>

#include "dataplane/dpdk/buffer_sizes.h"
#include "dataplane/dpdk/control_flow.h"
#include "dataplane/dpdk/driver_error.h"
#include "dataplane/dpdk/port_device.h"

namespace pollux::dpdk {
namespace {

// Equal for both directions of a flow (period of 16 bits), so that replies of DR-less methods meet
// their connection in the same cache when the NIC hashes addresses and ports.
std::array<std::uint8_t, 128> symmetric_key() {
    std::array<std::uint8_t, 128> key{};
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = (i % 2 == 0) ? 0x6d : 0x5a;
    return key;
}

constexpr std::uint64_t kWantedHashes =
    RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP;
constexpr std::uint64_t kChecksumOffloads =
    RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;

std::uint16_t largest_mtu(const rte_eth_dev_info& device) {
    std::uint32_t mtu = device.max_mtu == 0 ? UINT16_MAX : device.max_mtu;
    const bool overhead_known = device.max_mtu != 0 && device.max_mtu != UINT16_MAX &&
                                device.max_rx_pktlen > device.max_mtu;
    const std::uint32_t overhead = overhead_known ? device.max_rx_pktlen - device.max_mtu
                                                  : RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
    if (device.max_rx_pktlen > overhead) mtu = std::min(mtu, device.max_rx_pktlen - overhead);
    return static_cast<std::uint16_t>(mtu);
}

}  // namespace

Status PortDevice::set_up(const QueuePlan& plan, const PortSetup& setup, LogCapture& log) {
    log.forget();
    plan_ = plan;
    const auto with_log = [&log](Error error) {
        if (const std::string lines = log.errors(); !lines.empty())
            error.message += " (" + lines + ")";
        return error;
    };
    if (Status status = configure(setup); !status) return with_log(status.error());
    if (Status status = start(); !status) return with_log(status.error());
    if (!plan_.control_rx_queue) return ok_status();

    const std::string refusal = steer_control_frames(device_, *plan_.control_rx_queue);
    if (refusal.empty()) return ok_status();
    note("no receive queue of its own for VRRP and ARP (" + refusal +
         "): the workers sort them out of all received frames");
    plan_.rx_worker.pop_back();
    plan_.control_rx_queue.reset();
    rte_eth_dev_stop(device_);
    started_ = false;
    if (Status status = configure(setup); !status) return with_log(status.error());
    if (Status status = start(); !status) return with_log(status.error());
    return ok_status();
}

Status PortDevice::configure(const PortSetup& setup) {
    rte_eth_conf conf{};
    choose_offloads(conf, setup);
    choose_rss(conf);
    // What a driver that refuses set_mtu stays at.
    if (rte_eth_dev_get_mtu(device_, &default_mtu_) != 0) default_mtu_ = RTE_ETHER_MTU;
    conf.rxmode.mtu = std::min(options_.mtu, largest_mtu(info()));
    const int code = rte_eth_dev_configure(device_, plan_.rx_queues(), plan_.tx_queues, &conf);
    if (code != 0) {
        return Error{
            text("the driver refuses " + std::to_string(plan_.rx_queues()) + " receive and " +
                 std::to_string(plan_.tx_queues) + " transmit queues: " + reason(code)),
            "use fewer workers"};
    }
    return set_up_queues(setup);
}

void PortDevice::choose_offloads(rte_eth_conf& conf, const PortSetup& setup) {
    const rte_eth_dev_info device = info();
    const bool in_software = trait(&DriverTraits::software_checksums);
    // The data plane updates checksums incrementally and asks for no transmit offload, which
    // would cost the driver's fast path; what the device could do is only shown.
    tx_checksum_ =
        !in_software && (device.tx_offload_capa & kChecksumOffloads) == kChecksumOffloads;
    if (!in_software) conf.rxmode.offloads |= device.rx_offload_capa & RTE_ETH_RX_OFFLOAD_CHECKSUM;
    if (plan_.rx_queues() > 1 && options_.rss) {
        conf.rxmode.offloads |= device.rx_offload_capa & RTE_ETH_RX_OFFLOAD_RSS_HASH;
    }
    if (!fits(setup.frame_room)) {
        conf.rxmode.offloads |= device.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
    }
    if (setup.any_scatter) {
        conf.txmode.offloads |= device.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    }
    // Allowed when each transmit queue sees unsegmented frames of one pool only.
    const bool own_control_queue = plan_.control_transmit.queue.has_value();
    if (!setup.any_scatter && setup.pools->single_data_pool() && own_control_queue) {
        conf.txmode.offloads |= device.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
    }
}

void PortDevice::choose_rss(rte_eth_conf& conf) {
    static std::array<std::uint8_t, 128> key = symmetric_key();
    rss_ = false;
    if (plan_.rx_queues() < 2 || !options_.rss) return;
    const rte_eth_dev_info device = info();
    const std::uint64_t hashes = kWantedHashes & device.flow_type_rss_offloads;
    if (hashes == 0) {
        note("no RSS: the driver itself chooses the receive queue of a frame");
        return;
    }
    rss_ = true;
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = hashes;
    if (device.hash_key_size > 0 && device.hash_key_size <= key.size()) {
        conf.rx_adv_conf.rss_conf.rss_key = key.data();
        conf.rx_adv_conf.rss_conf.rss_key_len = device.hash_key_size;
    }
}

Status PortDevice::set_up_queues(const PortSetup& setup) {
    std::uint16_t rx = options_.rx_descriptors;
    std::uint16_t tx = options_.tx_descriptors;
    rte_eth_dev_adjust_nb_rx_tx_desc(device_, &rx, &tx);
    if (rx != options_.rx_descriptors || tx != options_.tx_descriptors) {
        note("descriptors adjusted to what the driver takes: rx " + std::to_string(rx) + ", tx " +
             std::to_string(tx));
    }
    std::uint16_t unused = rx;
    std::uint16_t control = kControlDescriptors;
    rte_eth_dev_adjust_nb_rx_tx_desc(device_, &unused, &control);

    const int node = numa_node() < 0 ? setup.control_node : numa_node();
    rte_mempool& pool = setup.pools->data(node);
    const auto place = static_cast<unsigned>(node);
    for (std::uint16_t queue = 0; queue < plan_.rx_queues(); ++queue) {
        const int code = rte_eth_rx_queue_setup(device_, queue, rx, place, nullptr, &pool);
        if (code != 0) {
            return Error{text("receive queue " + std::to_string(queue) + " of " +
                              std::to_string(rx) + " descriptors: " + reason(code)),
                         attaches_to_interface()
                             ? "another process may use " + interface_ + ": stop it"
                             : std::string("lower rx_desc, or raise mbufs_per_port")};
        }
    }
    for (std::uint16_t queue = 0; queue < plan_.tx_queues; ++queue) {
        const bool is_control = plan_.control_transmit.queue == queue;
        const int code =
            rte_eth_tx_queue_setup(device_, queue, is_control ? control : tx, place, nullptr);
        if (code != 0) {
            return Error{text("transmit queue " + std::to_string(queue) + ": " + reason(code)),
                         "lower tx_desc"};
        }
    }
    return ok_status();
}

Status PortDevice::start() {
    set_mtu();
    const int code = rte_eth_dev_start(device_);
    if (code != 0) {
        return Error{text("the driver does not start " + device_name_ + ": " + reason(code)),
                     code == -EBUSY ? "another process uses the device: stop it" : ""};
    }
    started_ = true;
    rte_ether_addr address{};
    if (rte_eth_macaddr_get(device_, &address) == 0) {
        std::copy_n(address.addr_bytes, mac_.bytes.size(), mac_.bytes.begin());
    }
    if (creates_interface()) tap_ = TapWatch(kernel_name());
    if (plan_.control_rx_queue) keep_control_queue_apart();
    receive_multicast();
    if (options_.promiscuous && !promiscuous_) {
        if (Status status = set_promiscuous(true); !status) note(status.error().message);
    }
    promiscuous_for_good_ = promiscuous_;
    return ok_status();
}

void PortDevice::set_mtu() {
    const std::uint16_t wanted = std::min(options_.mtu, largest_mtu(info()));
    const int code = rte_eth_dev_set_mtu(device_, wanted);
    // -ENOTSUP: the device knows no MTU and carries what its buffers hold.
    mtu_ = code == 0 || code == -ENOTSUP ? wanted : std::min(default_mtu_, wanted);
    if (mtu_ == options_.mtu) return;
    note("MTU " + std::to_string(options_.mtu) + " is not possible" +
         (code == 0 ? "" : " (" + reason(code) + ")") + ": the port works with " +
         std::to_string(mtu_));
}

// Takes the queue that flow rules will fill out of the RSS table.
void PortDevice::keep_control_queue_apart() {
    const std::uint16_t size = info().reta_size;
    const auto queues = static_cast<std::uint16_t>(plan_.rx_queues() - 1);
    std::vector<rte_eth_rss_reta_entry64> table(size / RTE_ETH_RETA_GROUP_SIZE + 1);
    for (std::uint16_t i = 0; i < size; ++i) {
        rte_eth_rss_reta_entry64& group = table[i / RTE_ETH_RETA_GROUP_SIZE];
        group.mask |= std::uint64_t{1} << (i % RTE_ETH_RETA_GROUP_SIZE);
        group.reta[i % RTE_ETH_RETA_GROUP_SIZE] = static_cast<std::uint16_t>(i % queues);
    }
    const int code = rte_eth_dev_rss_reta_update(device_, table.data(), size);
    if (code != 0) {
        note("the RSS table cannot leave out the control queue (" + reason(code) +
             "): data frames arrive there, too");
    }
}

}  // namespace pollux::dpdk
