// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/control_flow.h"

#include <array>

#include <rte_flow.h>

namespace pollux::dpdk {
namespace {

constexpr std::uint8_t kVrrp = 112;
constexpr std::uint16_t kArp = 0x0806;

struct Rule {
    rte_flow_item_eth eth{}, eth_mask{};
    rte_flow_item_ipv4 ipv4{}, ipv4_mask{};
    rte_flow_item_ipv6 ipv6{}, ipv6_mask{};
};

// "" when created.
std::string create(std::uint16_t device, std::uint16_t queue, const rte_flow_item* pattern) {
    rte_flow_attr attributes{};
    attributes.ingress = 1;
    rte_flow_action_queue target{};
    target.index = queue;
    const std::array<rte_flow_action, 2> actions{
        rte_flow_action{RTE_FLOW_ACTION_TYPE_QUEUE, &target},
        rte_flow_action{RTE_FLOW_ACTION_TYPE_END, nullptr}};
    rte_flow_error error{};
    if (rte_flow_create(device, &attributes, pattern, actions.data(), &error) != nullptr) return "";
    return error.message != nullptr ? error.message : "flow rules are not supported";
}

std::string steer_vrrp_ipv4(std::uint16_t device, std::uint16_t queue) {
    Rule rule;
    rule.ipv4.hdr.next_proto_id = kVrrp;
    rule.ipv4_mask.hdr.next_proto_id = 0xff;
    const std::array<rte_flow_item, 3> pattern{
        rte_flow_item{RTE_FLOW_ITEM_TYPE_ETH, nullptr, nullptr, nullptr},
        rte_flow_item{RTE_FLOW_ITEM_TYPE_IPV4, &rule.ipv4, nullptr, &rule.ipv4_mask},
        rte_flow_item{RTE_FLOW_ITEM_TYPE_END, nullptr, nullptr, nullptr}};
    return create(device, queue, pattern.data());
}

std::string steer_vrrp_ipv6(std::uint16_t device, std::uint16_t queue) {
    Rule rule;
    rule.ipv6.hdr.proto = kVrrp;
    rule.ipv6_mask.hdr.proto = 0xff;
    const std::array<rte_flow_item, 3> pattern{
        rte_flow_item{RTE_FLOW_ITEM_TYPE_ETH, nullptr, nullptr, nullptr},
        rte_flow_item{RTE_FLOW_ITEM_TYPE_IPV6, &rule.ipv6, nullptr, &rule.ipv6_mask},
        rte_flow_item{RTE_FLOW_ITEM_TYPE_END, nullptr, nullptr, nullptr}};
    return create(device, queue, pattern.data());
}

std::string steer_arp(std::uint16_t device, std::uint16_t queue) {
    Rule rule;
    rule.eth.hdr.ether_type = RTE_BE16(kArp);
    rule.eth_mask.hdr.ether_type = RTE_BE16(0xffff);
    const std::array<rte_flow_item, 2> pattern{
        rte_flow_item{RTE_FLOW_ITEM_TYPE_ETH, &rule.eth, nullptr, &rule.eth_mask},
        rte_flow_item{RTE_FLOW_ITEM_TYPE_END, nullptr, nullptr, nullptr}};
    return create(device, queue, pattern.data());
}

}  // namespace

std::string steer_control_frames(std::uint16_t device, std::uint16_t queue) {
    std::string refusal = steer_vrrp_ipv4(device, queue);
    if (!refusal.empty()) return refusal;
    // Without these two the workers still sort such frames out, after the common queue.
    steer_vrrp_ipv6(device, queue);
    steer_arp(device, queue);
    return "";
}

}  // namespace pollux::dpdk
