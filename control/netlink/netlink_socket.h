// SPDX-License-Identifier: Apache-2.0
#pragma once

// Owners of libnl objects and conversions between libnl's values and ours. Used inside
// control/netlink only, so that no other folder sees libnl's headers.

#include <memory>
#include <string>

#include <netlink/addr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"
#include "dataplane/net/result.h"

namespace pollux::control::netlink {

template <auto Release>
struct Releaser {
    template <typename T>
    void operator()(T* object) const noexcept {
        Release(object);
    }
};

using SocketPointer = std::unique_ptr<nl_sock, Releaser<nl_socket_free>>;
using AddressPointer = std::unique_ptr<nl_addr, Releaser<nl_addr_put>>;
using MessagePointer = std::unique_ptr<nl_msg, Releaser<nlmsg_free>>;

// A socket connected to rtnetlink of the caller's network namespace.
[[nodiscard]] Result<SocketPointer> open_socket();

// `code` as libnl functions return it (negative). "adding 10.0.0.1/24 to wan: Permission denied".
[[nodiscard]] Error netlink_error(const std::string& action, int code);

[[nodiscard]] int family_of(const net::IpAddress& address) noexcept;
[[nodiscard]] AddressPointer to_netlink(const net::IpAddress& address);
[[nodiscard]] AddressPointer to_netlink(const net::IpPrefix& prefix);
[[nodiscard]] AddressPointer to_netlink(const net::MacAddress& mac);

// Family None for null or any other kind of address.
[[nodiscard]] net::IpAddress to_address(nl_addr* address) noexcept;
// All zero for null or any other kind of address.
[[nodiscard]] net::MacAddress to_mac(nl_addr* address) noexcept;

}  // namespace pollux::control::netlink
