// SPDX-License-Identifier: Apache-2.0
#pragma once

// ViewKey: names a service, or one server of a service, among the data plane's views, to remember
// figures from one reading to the next. Plain value.

#include <compare>
#include <cstdint>

#include "dataplane/lb/data_plane.h"

namespace pollux::control::ipvs {

struct ViewKey {
    lb::Protocol protocol{};
    net::IpAddress address;
    std::uint16_t port = 0;
    std::uint32_t fwmark = 0;
    net::IpAddress server;  // no family: the service itself
    std::uint16_t server_port = 0;

    static ViewKey of(const lb::ServiceSpec& service) {
        return {service.protocol, service.address, service.port, service.fwmark, {}, 0};
    }
    static ViewKey of(const lb::ServiceSpec& service, const lb::ServerView& server) {
        ViewKey key = of(service);
        key.server = server.address;
        key.server_port = server.port;
        return key;
    }

    friend auto operator<=>(const ViewKey&, const ViewKey&) noexcept = default;
};

// The counters that a ServiceView and a ServerView have in common.
struct ViewCounts {
    std::uint64_t connections = 0, packets_in = 0, packets_out = 0, bytes_in = 0, bytes_out = 0;

    template <typename View>
    static ViewCounts of(const View& view) {
        return {view.connections, view.packets_in, view.packets_out, view.bytes_in, view.bytes_out};
    }
};

}  // namespace pollux::control::ipvs
