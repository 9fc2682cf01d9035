// SPDX-License-Identifier: Apache-2.0
#include "control/api/connection_filter.h"

#include <array>
#include <nlohmann/json.hpp>

#include "control/api/commands.h"
#include "control/spec/server_states.h"
#include "dataplane/lb/sctp_state.h"
#include "dataplane/lb/tcp_state.h"

namespace pollux::control::api {
namespace {

std::string to_upper(std::string text) {
    for (char& c : text) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
}

// A mistyped state would look like a table without such connections.
Status check_state(const std::string& wanted) {
    std::string names = "UDP";
    bool known = wanted.empty() || wanted == names;
    const auto add = [&](std::string_view name) {
        known = known || wanted == name;
        names += ", " + std::string(name);
    };
    for (unsigned i = 0; i < lb::kTcpStateCount; ++i) add(to_string(lb::TcpState(i)));
    for (unsigned i = 0; i < lb::kSctpStateCount; ++i) add(to_string(lb::SctpState(i)));
    if (known) return ok_status();
    return Error{"unknown state " + wanted, "the states are " + names};
}

std::optional<lb::Protocol> parse_protocol(const std::string& upper) {
    for (const auto protocol : {lb::Protocol::Tcp, lb::Protocol::Udp, lb::Protocol::Sctp}) {
        if (upper == to_string(protocol)) return protocol;
    }
    return std::nullopt;
}

}  // namespace

bool ConnectionFilter::Side::matches(const net::IpAddress& other, std::uint16_t other_port) const {
    if (address && !address->contains(other)) return false;
    return port == 0 || port == other_port;
}

Result<ConnectionFilter::Side> ConnectionFilter::parse_side(const nlohmann::ordered_json& args,
                                                            const std::string& name) {
    Side side;
    const auto text = text_argument(args, name);
    if (!text) return text.error();
    if (!text->empty()) {
        side.address = net::IpPrefix::parse(*text);
        if (!side.address) {
            return Error{name + " " + *text + " is not an address",
                         "give an address or prefix, for example 10.0.0.0/8"};
        }
    }
    const auto port = number_argument(args, name + "_port", {0, 0, 65535});
    if (!port) return port.error();
    side.port = static_cast<std::uint16_t>(*port);
    return side;
}

Result<ConnectionFilter> ConnectionFilter::parse(const nlohmann::ordered_json& args) {
    ConnectionFilter filter;
    struct Part {
        const char* name;
        Side ConnectionFilter::*side;
    };
    for (const Part& part :
         {Part{"client", &ConnectionFilter::client_}, Part{"virtual", &ConnectionFilter::virtual_},
          Part{"server", &ConnectionFilter::server_}}) {
        const auto side = parse_side(args, part.name);
        if (!side) return side.error();
        filter.*part.side = *side;
    }
    const auto protocol = text_argument(args, "protocol");
    if (!protocol) return protocol.error();
    if (!protocol->empty()) {
        filter.protocol_ = parse_protocol(to_upper(*protocol));
        if (!filter.protocol_) {
            return Error{"unknown protocol " + *protocol, "use TCP, UDP or SCTP"};
        }
    }
    const auto state = text_argument(args, "state");
    if (!state) return state.error();
    filter.state_ = to_upper(*state);
    if (Status known = check_state(filter.state_); !known) return known.error();
    if (args.contains("templates")) {
        const auto templates = flag_argument(args, "templates");
        if (!templates) return templates.error();
        filter.templates_ = *templates;
    }
    return filter;
}

bool ConnectionFilter::matches(const lb::ConnectionView& connection) const {
    if (templates_ && *templates_ != connection.is_template) return false;
    if (protocol_ && *protocol_ != connection.protocol) return false;
    if (!state_.empty() && state_ != connection.state) return false;
    return client_.matches(connection.client, connection.client_port) &&
           virtual_.matches(connection.virtual_address, connection.virtual_port) &&
           server_.matches(connection.server, connection.server_port);
}

}  // namespace pollux::control::api
