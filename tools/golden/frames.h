// SPDX-License-Identifier: Apache-2.0
#pragma once

// The frames of the recordings' set-up: who has which MAC, how the injected packets look, and what
// came out, in the recordings' words ("R3", "client:icmp 3/3"). Single thread.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"

namespace pollux::golden {

using Bytes = std::vector<std::uint8_t>;

// The director's two links.
enum class Side : std::uint8_t { Client, Server };

inline constexpr unsigned kServers = 20;

[[nodiscard]] net::MacAddress client_mac();  // the router at the client side
[[nodiscard]] net::MacAddress director_mac(Side side);
[[nodiscard]] net::MacAddress server_mac(unsigned number);  // 1..kServers
[[nodiscard]] net::IpAddress server_address(unsigned number, net::Family family);

struct Ends {
    net::IpAddress source, destination;
    std::uint16_t source_port = 0, destination_port = 0;  // host order
};

// IP packets with right checksums; TTL 64, don't fragment.
[[nodiscard]] Bytes ip_packet(const net::IpAddress& source, const net::IpAddress& destination,
                              std::uint8_t protocol, const Bytes& payload);
// `flags` by letter, for example "SA".
[[nodiscard]] Bytes tcp_packet(const Ends& ends, std::string_view flags,
                               std::string_view payload = {});
[[nodiscard]] Bytes udp_packet(const Ends& ends, std::string_view payload);
// `chunk` by name, for example "INIT_ACK"; nothing for an unknown name.
[[nodiscard]] std::optional<Bytes> sctp_packet(const Ends& ends, std::string_view chunk);

// Puts an Ethernet header before an IP packet.
[[nodiscard]] Bytes ethernet(const net::MacAddress& destination, const net::MacAddress& source,
                             const Bytes& packet);

// A frame that left the director.
struct Emitted {
    Side side = Side::Client;
    Bytes frame;
    bool by_host = false;  // from the host's network stack, not from the data plane
};

// As in the recordings: "R3", "client:tcp[SA]", "client:icmp 3/3", "client:udp".
[[nodiscard]] std::string who(const Emitted& emitted);
// All of them, "none" without any.
[[nodiscard]] std::string who(const std::vector<Emitted>& emitted);

// TCP flags as the recordings write them: "FA", "PA".
[[nodiscard]] std::string flag_letters(std::uint8_t flags);

}  // namespace pollux::golden
