// SPDX-License-Identifier: Apache-2.0
#include "control/vip/vip_owner.h"

#include <algorithm>
#include <utility>

#include "control/log/log.h"
#include "dataplane/net/arp.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/ipv4.h"
#include "dataplane/net/ipv6.h"

namespace pollux::control {
namespace {

// Addresses that the kernel is given or loses at a time, 20 to 100 microseconds each.
constexpr std::size_t kKernelChangesAtATime = 256;

// The address that an untagged frame comes from; no family for other protocols.
net::IpAddress source_of(std::span<const std::uint8_t> frame) {
    const auto* ethernet = net::header_at<net::EthernetHeader>(frame, 0);
    if (ethernet == nullptr) return {};
    constexpr std::size_t kOffset = sizeof(net::EthernetHeader);
    if (ethernet->ether_type == net::kEtherTypeIpv4) {
        const auto* ip = net::header_at<net::Ipv4Header>(frame, kOffset);
        return ip == nullptr ? net::IpAddress{} : net::IpAddress::from_v4(ip->source);
    }
    if (ethernet->ether_type == net::kEtherTypeIpv6) {
        const auto* ip = net::header_at<net::Ipv6Header>(frame, kOffset);
        return ip == nullptr ? net::IpAddress{} : net::IpAddress::from_v6(ip->source);
    }
    if (ethernet->ether_type == net::kEtherTypeArp) {
        const auto* arp = net::header_at<net::ArpPacket>(frame, kOffset);
        return arp == nullptr ? net::IpAddress{} : net::IpAddress::from_v4(arp->sender_address);
    }
    return {};
}

// The same for the destination of an IP packet.
net::IpAddress destination_of(std::span<const std::uint8_t> frame) {
    const auto* ethernet = net::header_at<net::EthernetHeader>(frame, 0);
    if (ethernet == nullptr) return {};
    constexpr std::size_t kOffset = sizeof(net::EthernetHeader);
    if (ethernet->ether_type == net::kEtherTypeIpv4) {
        const auto* ip = net::header_at<net::Ipv4Header>(frame, kOffset);
        return ip == nullptr ? net::IpAddress{} : net::IpAddress::from_v4(ip->destination);
    }
    if (ethernet->ether_type == net::kEtherTypeIpv6) {
        const auto* ip = net::header_at<net::Ipv6Header>(frame, kOffset);
        return ip == nullptr ? net::IpAddress{} : net::IpAddress::from_v6(ip->destination);
    }
    return {};
}

}  // namespace

VipOwner::VipOwner(const PortTable& ports, VipHooks hooks)
    : ports_(&ports), hooks_(std::move(hooks)) {}

Status VipOwner::claim(std::span<const Vip> vips) {
    Status refused = ok_status();
    bool changed = false;
    for (const Vip& vip : vips) {
        const auto known = vips_.find(vip.address.address);
        if (known != vips_.end()) {
            if (known->second == vip) continue;
            drop_mac(known->second);
        }
        vips_[vip.address.address] = vip;
        if (Status used = use_mac(vip); !used) refused = std::move(used);
        unsettled_.insert(vip.address.address);
        changed = true;
    }
    if (!changed) return refused;
    hooks_.changed();
    hooks_.work_later();
    return refused;
}

void VipOwner::release(std::span<const Vip> vips) {
    bool changed = false;
    for (const Vip& vip : vips) {
        const auto known = vips_.find(vip.address.address);
        // Another instance may have claimed the address in the same reload.
        if (known == vips_.end() || known->second.port != vip.port ||
            known->second.mac != vip.mac) {
            continue;
        }
        drop_mac(known->second);
        unsettled_.insert(known->first);
        vips_.erase(known);
        changed = true;
    }
    if (!changed) return;
    hooks_.changed();
    hooks_.work_later();
}

// Removals come first: what is not ours any more must not stay longer than needed.
void VipOwner::work() {
    if (!in_work_.empty()) return;
    while (in_work_.size() < kKernelChangesAtATime && !unsettled_.empty()) {
        const auto gone = std::ranges::find_if(
            unsettled_, [this](const net::IpAddress& address) { return !owns(address); });
        const auto next = gone == unsettled_.end() ? unsettled_.begin() : gone;
        const net::IpAddress address = *next;
        unsettled_.erase(next);
        plan(address);
    }
    if (in_work_.empty()) return hooks_.settled();
    std::vector<KernelChange> changes;
    for (const TapChange& change : in_work_) changes.push_back(to_request(change));
    hooks_.change_kernel(std::move(changes),
                         [this](const std::vector<Status>& results) { finish(results); });
}

void VipOwner::plan(const net::IpAddress& address) {
    const auto wanted = vips_.find(address);
    const auto present = on_tap_.find(address);
    if (present != on_tap_.end()) {
        if (wanted != vips_.end() && wanted->second == present->second) return;
        in_work_.push_back({present->second, false});
        on_tap_.erase(present);
    }
    if (wanted == vips_.end() || !belongs_on_tap(wanted->second)) return;
    in_work_.push_back({wanted->second, true});
}

void VipOwner::finish(const std::vector<Status>& results) {
    for (std::size_t i = 0; i < results.size(); ++i) {
        const auto& [vip, present] = in_work_[i];
        if (!results[i]) {
            report(present ? "address not added" : "address not removed", vip, results[i].error());
        } else if (present) {
            on_tap_[vip.address.address] = vip;
        }
    }
    in_work_.clear();
    if (unsettled_.empty()) return hooks_.settled();
    hooks_.work_later();
}

std::vector<lb::OwnedAddressSpec> VipOwner::owned() const {
    std::vector<lb::OwnedAddressSpec> owned;
    for (const auto& [address, vip] : vips_) owned.push_back({address, vip.port, vip.mac});
    return owned;
}

bool VipOwner::receive(lb::PortId port, std::span<const std::uint8_t> frame) {
    const auto question = net::parse_neighbor_question(frame);
    if (!question) return false;
    const auto known = vips_.find(question->target);
    if (known == vips_.end()) return false;
    // On another link the address is not ours to answer for; the kernel would.
    if (known->second.port == port) {
        const auto answer = net::build_neighbor_answer(*question, known->second.mac, true);
        if (hooks_.transmit(port, answer.span())) ++answers_;
    }
    return true;
}

bool VipOwner::refuses(std::span<const std::uint8_t> frame) const {
    const auto known = vips_.find(destination_of(frame));
    return known != vips_.end() && !known->second.accept;
}

void VipOwner::rewrite_source(lb::PortId port, std::span<std::uint8_t> frame) const {
    if (mac_uses_.empty()) return;
    const auto known = vips_.find(source_of(frame));
    if (known == vips_.end() || known->second.port != port) return;
    net::set_sender_mac(frame, known->second.mac);
}

void VipOwner::rewrite_destination(lb::PortId port, std::span<std::uint8_t> frame) const {
    if (mac_uses_.empty() || frame.size() < sizeof(net::EthernetHeader)) return;
    auto& ethernet = net::header_in<net::EthernetHeader>(frame.data());
    if (mac_uses_.contains({port, ethernet.destination})) {
        ethernet.destination = ports_->find(port)->mac;
    }
}

bool VipOwner::belongs_on_tap(const Vip& vip) const {
    const ControlPort* port = ports_->find(vip.port);
    return vip.accept && port != nullptr && port->interface != kNoInterface;
}

KernelChange VipOwner::to_request(const TapChange& change) const {
    const Vip& vip = change.vip;
    AddressRequest request;
    request.interface = ports_->find(vip.port)->interface;
    request.prefix = vip.address;
    request.label = vip.label;
    request.scope = vip.scope;
    request.broadcast = vip.broadcast;
    request.prefix_route = vip.prefix_route;
    return {std::move(request), change.present};
}

Status VipOwner::use_mac(const Vip& vip) {
    const ControlPort* port = ports_->find(vip.port);
    if (port == nullptr || vip.mac == port->mac) return ok_status();
    if (++mac_uses_[{vip.port, vip.mac}] > 1) return ok_status();
    Status added = hooks_.add_mac(vip.port, vip.mac);
    if (!added) report("virtual MAC refused", vip, added.error());
    return added;
}

Status VipOwner::try_mac(lb::PortId port, const net::MacAddress& mac) {
    const ControlPort* known = ports_->find(port);
    if (known == nullptr || mac == known->mac || mac_uses_.contains({port, mac})) {
        return ok_status();
    }
    Status added = hooks_.add_mac(port, mac);
    // A port that cannot forget it goes on to receive for it, and nobody minds.
    if (added) (void)hooks_.remove_mac(port, mac).ok();
    return added;
}

void VipOwner::drop_mac(const Vip& vip) {
    const auto use = mac_uses_.find({vip.port, vip.mac});
    if (use == mac_uses_.end() || --use->second > 0) return;
    mac_uses_.erase(use);
    if (const Status done = hooks_.remove_mac(vip.port, vip.mac); !done) {
        report("virtual MAC not removed", vip, done.error());
    }
}

void VipOwner::report(const char* event, const Vip& vip, const Error& cause) {
    ++failures_;
    const ControlPort* port = ports_->find(vip.port);
    log::error(event, {{"address", vip.address.to_string()},
                       {"port", port == nullptr ? std::string("?") : port->name},
                       {"mac", vip.mac.to_string()},
                       {"cause", cause.message},
                       {"remedy", cause.remedy}});
}

}  // namespace pollux::control
