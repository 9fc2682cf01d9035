// SPDX-License-Identifier: Apache-2.0
#include "tools/pktgen/plan.h"

#include <algorithm>

#include "dataplane/net/ip_protocol.h"

namespace pollux::pktgen {
namespace {

// Adds `number` to the lowest 32 bits.
net::IpAddress plus(net::IpAddress address, std::uint32_t number) {
    const unsigned last = address.is_v4() ? 3 : 15;
    std::uint64_t sum = number;
    for (unsigned i = 0; i < 4; ++i) {
        sum += address.bytes[last - i];
        address.bytes[last - i] = static_cast<std::uint8_t>(sum);
        sum >>= 8U;
    }
    return address;
}

std::size_t find_port(const Plan& plan, Carries what) {
    const auto found =
        std::find_if(plan.ports.begin(), plan.ports.end(), [what](const PortPlan& port) {
            return port.carries == what || port.carries == Carries::Both;
        });
    return static_cast<std::size_t>(found - plan.ports.begin());
}

unsigned host_bits(const net::IpPrefix& prefix) {
    return (prefix.address.is_v4() ? 32U : 128U) - prefix.length;
}

}  // namespace

std::uint8_t Plan::protocol() const {
    return traffic.kind == Kind::Udp ? net::kProtocolUdp : net::kProtocolTcp;
}

std::size_t Plan::client_port() const {
    return find_port(*this, Carries::Clients);
}

std::size_t Plan::server_port_index() const {
    return find_port(*this, Carries::Servers);
}

std::uint64_t client_hosts(const net::IpPrefix& clients) {
    const unsigned bits = host_bits(clients);
    const std::uint64_t addresses = std::uint64_t{1} << std::min(bits, 31U);
    return bits < 2 ? addresses : addresses - 2;
}

Endpoint client_of(const TrafficPlan& traffic, std::uint32_t flow) {
    // At most 2^31: a division of 32 bits takes half of one of 64.
    const auto hosts = static_cast<std::uint32_t>(client_hosts(traffic.clients));
    const std::uint32_t host = flow % hosts;
    const std::uint32_t port = flow / hosts;
    return {
        plus(traffic.clients.network().address, host_bits(traffic.clients) < 2 ? host : host + 1),
        static_cast<std::uint16_t>(kFirstClientPort + port)};
}

}  // namespace pollux::pktgen
