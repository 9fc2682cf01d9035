// SPDX-License-Identifier: Apache-2.0
#include "control/via/via_flows.h"

#include <string_view>

namespace pollux::control {
namespace {

// The ports that Linux gives to clients (net.ipv4.ip_local_port_range).
constexpr std::uint32_t kFirstPort = 32768;
constexpr std::uint32_t kPorts = 28232;

std::size_t index_of(ViaFlowId id) {
    return static_cast<std::size_t>(id);
}

}  // namespace

std::size_t ViaFlows::Hash::operator()(const ViaKey& key) const noexcept {
    const auto bytes = [](const net::IpAddress& address) {
        return std::string_view(reinterpret_cast<const char*>(address.bytes.data()),
                                address.bytes.size());
    };
    const std::hash<std::string_view> hash;
    const std::uint64_t ports =
        (std::uint64_t{key.own_port} << 32U) | (std::uint64_t{key.peer_port} << 8U) | key.protocol;
    constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15;
    return (hash(bytes(key.own)) * 3) ^ hash(bytes(key.peer)) ^ (ports * kSpread);
}

std::optional<ViaFlowId> ViaFlows::open(const ViaKey& kernel, const net::IpAddress& virtual_address,
                                        lb::TimePoint now) {
    expire(now);
    ViaKey wire = kernel;
    wire.peer = virtual_address;
    if (size() >= limit_ || !choose_port(wire)) return std::nullopt;
    ViaFlowId id{};
    if (free_.empty()) {
        id = ViaFlowId{static_cast<std::uint32_t>(flows_.size())};
        flows_.emplace_back();
    } else {
        id = free_.back();
        free_.pop_back();
    }
    flows_[index_of(id)] = {kernel, wire, std::nullopt};
    by_kernel_.emplace(kernel, id);
    by_wire_.emplace(wire, id);
    return id;
}

// Several probes of one virtual address, at different servers, must differ in something that the
// servers' answers show.
bool ViaFlows::choose_port(ViaKey& wire) const {
    for (unsigned i = 0; i < kPortTries; ++i) {
        if (!by_wire_.contains(wire)) return true;
        const std::uint32_t next = (std::uint32_t{wire.own_port} + 1 - kFirstPort) % kPorts;
        wire.own_port = static_cast<std::uint16_t>(kFirstPort + next);
    }
    return false;
}

void ViaFlows::close(ViaFlowId id, lb::TimePoint now) {
    flows_[index_of(id)].ends = now + kLinger;
    closed_.push_back({now + kLinger, id});
}

std::optional<ViaFlowId> ViaFlows::reopen(const ViaKey& kernel) {
    const auto known = by_kernel_.find(kernel);
    if (known == by_kernel_.end()) return std::nullopt;
    ViaFlow& flow = flows_[index_of(known->second)];
    if (!flow.ends) return std::nullopt;
    flow.ends.reset();
    return known->second;
}

void ViaFlows::expire(lb::TimePoint now) {
    for (; !closed_.empty() && closed_.front().ends <= now; closed_.pop_front()) {
        const auto [ends, id] = closed_.front();
        ViaFlow& flow = flows_[index_of(id)];
        if (flow.ends != ends) continue;  // opened again since, or gone already
        by_kernel_.erase(flow.kernel);
        by_wire_.erase(flow.wire);
        flow.ends.reset();
        free_.push_back(id);
    }
}

const ViaFlow* ViaFlows::find(const Index& index, const ViaKey& key) const {
    const auto known = index.find(key);
    return known == index.end() ? nullptr : &flows_[index_of(known->second)];
}

const ViaFlow* ViaFlows::find_kernel(const ViaKey& key) const {
    return find(by_kernel_, key);
}

const ViaFlow* ViaFlows::find_wire(const ViaKey& key) const {
    return find(by_wire_, key);
}

}  // namespace pollux::control
