// SPDX-License-Identifier: Apache-2.0
#pragma once

// ConnectionFilter: which connections `show connections` lists. Pure.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "dataplane/lb/data_plane.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/result.h"

namespace pollux::control::api {

class ConnectionFilter {
  public:
    // Members, all optional: protocol ("TCP"), state ("ESTABLISHED"), client, virtual, server
    // (each an address or prefix), client_port, virtual_port, server_port, templates (true: only
    // persistence templates, false: only connections).
    static Result<ConnectionFilter> parse(const nlohmann::ordered_json& args);

    [[nodiscard]] bool matches(const lb::ConnectionView& connection) const;

  private:
    struct Side {
        std::optional<net::IpPrefix> address;
        std::uint16_t port = 0;  // 0: any
        [[nodiscard]] bool matches(const net::IpAddress& other, std::uint16_t other_port) const;
    };
    static Result<Side> parse_side(const nlohmann::ordered_json& args, const std::string& name);

    Side client_, virtual_, server_;
    std::optional<lb::Protocol> protocol_;
    std::string state_;
    std::optional<bool> templates_;
};

}  // namespace pollux::control::api
