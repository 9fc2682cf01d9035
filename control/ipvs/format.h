// SPDX-License-Identifier: Apache-2.0
#pragma once

// The texts of ipvsadm -L and -S, character by character, from the data plane's views. Pure: names
// come from functions that the caller gives. Any thread.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "control/ipvs/command.h"
#include "dataplane/lb/data_plane.h"

namespace pollux::control::ipvs {

// Names in place of numbers, as ipvsadm shows without -n. An empty result: show the number.
struct Names {
    std::function<std::string(const net::IpAddress&)> host;
    std::function<std::string(std::uint16_t, lb::Protocol)> port;
};

// Per second, as IPVS's estimator sees it.
struct Rate {
    std::uint32_t connections = 0, packets_in = 0, packets_out = 0;
    std::uint64_t bytes_in = 0, bytes_out = 0;
};

// A service with its rates; `servers` in the order of view.servers. Without rates: all zero.
struct ServiceRates {
    Rate service;
    std::vector<Rate> servers;
};

// What a table listing shows.
struct ServiceTable {
    std::span<const lb::ServiceView> services;
    std::span<const ServiceRates> rates;  // empty, or one for each service
    // The number behind "size=": buckets of the connection table.
    std::uint32_t size = 4096;
};

// `ipvsadm -L`: all services, with the version line.
[[nodiscard]] std::string list_services(const ServiceTable& table, const Listing& listing,
                                        const Names& names = {});
// `ipvsadm -L -t SERVICE`: the one service in `table`, without the version line.
[[nodiscard]] std::string list_service(const ServiceTable& table, const Listing& listing,
                                       const Names& names = {});
// `ipvsadm -Lc`, in the order of `connections`.
[[nodiscard]] std::string list_connections(std::span<const lb::ConnectionView> connections,
                                           const Listing& listing, const Names& names = {});
// Its title lines and one of its rows, for a listing that comes in pieces.
[[nodiscard]] std::string connections_title(const Listing& listing);
[[nodiscard]] std::string connection_row(const lb::ConnectionView& connection,
                                         const Listing& listing, const Names& names = {});
// `ipvsadm -S`: lines for -R. As in ipvsadm thresholds are not saved.
[[nodiscard]] std::string save(std::span<const lb::ServiceView> services, const Listing& listing,
                               const Names& names = {});
// `ipvsadm -L --timeout`.
[[nodiscard]] std::string list_timeouts(const lb::TimeoutSpec& timeouts);
// `ipvsadm -v`.
[[nodiscard]] std::string version_line();

}  // namespace pollux::control::ipvs
