// SPDX-License-Identifier: Apache-2.0
// PortDevice: which destination MACs a port receives.
#include <algorithm>
#include <array>
#include <cstring>

#include <rte_ethdev.h>

#include "dataplane/dpdk/driver_error.h"
#include "dataplane/dpdk/port_device.h"

namespace pollux::dpdk {
namespace {

rte_ether_addr to_dpdk(const net::MacAddress& mac) {
    rte_ether_addr address{};
    std::copy(mac.bytes.begin(), mac.bytes.end(), address.addr_bytes);
    return address;
}

// 224.0.0.18 and 224.0.0.1, ff02::12 and ff02::1.
constexpr std::array<net::MacAddress, 4> kGroups{{{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x12}},
                                                  {{0x01, 0x00, 0x5e, 0x00, 0x00, 0x01}},
                                                  {{0x33, 0x33, 0x00, 0x00, 0x00, 0x12}},
                                                  {{0x33, 0x33, 0x00, 0x00, 0x00, 0x01}}}};

}  // namespace

// All multicast first: the solicited-node group of every IPv6 VIP and the groups of routing
// daemons behind the exception path change at run time. A list holds VRRP's groups only.
void PortDevice::receive_multicast() {
    if (trait(&DriverTraits::unfiltered)) return;
    if (kernel_) {
        if (Status status = kernel_->receive_all_multicast(); !status) {
            note(status.error().message + ": VRRP and IPv6 neighbour discovery may not be heard");
        }
        return;
    }
    const int refused = rte_eth_allmulticast_enable(device_);
    if (refused == 0) return;
    if (set_promiscuous(true)) {
        note("the driver refuses to receive all multicast (" + reason(refused) +
             "): it receives everything instead, the workers drop what is not ours");
        return;
    }
    std::array<rte_ether_addr, kGroups.size()> list{};
    std::transform(kGroups.begin(), kGroups.end(), list.begin(), to_dpdk);
    const int code = rte_eth_dev_set_mc_addr_list(device_, list.data(), list.size());
    note(code == 0 ? "the driver receives the multicast groups of VRRP only: IPv6 neighbour "
                     "discovery for VIPs does not work on this port"
                   : "the driver receives no multicast (" + reason(code) +
                         "): use unicast_peer for VRRP on this port");
}

Status PortDevice::add_mac(const net::MacAddress& mac) {
    if (mac.is_multicast() || mac.is_zero()) {
        return Error{text(mac.to_string() + " is not a unicast address"), "use a unicast MAC"};
    }
    if (mac == mac_) return ok_status();
    const bool known = std::any_of(extra_macs_.begin(), extra_macs_.end(),
                                   [&mac](const ExtraMac& entry) { return entry.mac == mac; });
    if (known) return ok_status();
    ExtraMac entry{mac};
    if (Status status = filter_mac(entry); !status) return status;
    extra_macs_.push_back(entry);
    return ok_status();
}

Status PortDevice::filter_mac(ExtraMac& entry) {
    if (trait(&DriverTraits::unfiltered) || promiscuous_for_good_) return ok_status();
    if (kernel_) {
        if (kernel_->add_mac(entry.mac)) return ok_status();
        if (Status status = kernel_->receive_everything(); !status) {
            return Error{text(status.error().message), "run as root, or with CAP_NET_ADMIN"};
        }
        return ok_status();
    }
    rte_ether_addr address = to_dpdk(entry.mac);
    const int code = rte_eth_dev_mac_addr_add(device_, &address, 0);
    if (code == 0) return ok_status();
    entry.by_promiscuous = true;
    if (promiscuous_) return ok_status();
    const Status status = set_promiscuous(true);
    if (!status) {
        return Error{text("cannot receive for " + entry.mac.to_string() + ": no further address (" +
                          reason(code) + ") and " + status.error().message),
                     "turn use_vmac off for the instances on this port"};
    }
    note("the driver takes no further address (" + reason(code) +
         "): it receives everything while a virtual MAC is in use");
    return ok_status();
}

Status PortDevice::remove_mac(const net::MacAddress& mac) {
    const auto found = std::find_if(extra_macs_.begin(), extra_macs_.end(),
                                    [&mac](const ExtraMac& entry) { return entry.mac == mac; });
    if (found == extra_macs_.end()) return ok_status();
    const ExtraMac entry = *found;
    extra_macs_.erase(found);
    if (trait(&DriverTraits::unfiltered) || promiscuous_for_good_) return ok_status();
    if (kernel_) {
        // Refused when the address never got a filter entry: the port receives everything then.
        (void)kernel_->remove_mac(mac).ok();
        return ok_status();
    }
    if (!entry.by_promiscuous) {
        rte_ether_addr address = to_dpdk(mac);
        const int code = rte_eth_dev_mac_addr_remove(device_, &address);
        if (code == 0) return ok_status();
        return Error{text("cannot remove " + mac.to_string() + ": " + reason(code)), ""};
    }
    const bool others = std::any_of(extra_macs_.begin(), extra_macs_.end(),
                                    [](const ExtraMac& other) { return other.by_promiscuous; });
    if (others) return ok_status();
    return set_promiscuous(false);
}

Status PortDevice::set_promiscuous(bool on) {
    if (kernel_ && on) {
        Status status = kernel_->receive_everything();
        promiscuous_ = status.ok();
        return status;
    }
    const int code =
        on ? rte_eth_promiscuous_enable(device_) : rte_eth_promiscuous_disable(device_);
    if (code != 0) {
        return Error{"the driver refuses promiscuous mode (" + reason(code) + ")", ""};
    }
    promiscuous_ = on;
    return ok_status();
}

}  // namespace pollux::dpdk
