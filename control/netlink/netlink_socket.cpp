// SPDX-License-Identifier: Apache-2.0
#include "control/netlink/netlink_socket.h"

#include <cstring>

#include <netlink/errno.h>
#include <sys/socket.h>

namespace pollux::control::netlink {

Result<SocketPointer> open_socket() {
    SocketPointer socket(nl_socket_alloc());
    if (!socket) return Error{"out of memory for a netlink socket", ""};
    if (const int code = nl_connect(socket.get(), NETLINK_ROUTE); code < 0) {
        return netlink_error("opening a netlink socket", code);
    }
    return socket;
}

Error netlink_error(const std::string& action, int code) {
    std::string remedy;
    if (code == -NLE_PERM || code == -NLE_NOACCESS) {
        remedy = "run as root or with CAP_NET_ADMIN";
    }
    return {action + ": " + nl_geterror(code), remedy};
}

int family_of(const net::IpAddress& address) noexcept {
    if (address.is_v4()) return AF_INET;
    return address.is_v6() ? AF_INET6 : AF_UNSPEC;
}

AddressPointer to_netlink(const net::IpAddress& address) {
    return AddressPointer(
        nl_addr_build(family_of(address), address.bytes.data(), address.is_v4() ? 4 : 16));
}

AddressPointer to_netlink(const net::IpPrefix& prefix) {
    AddressPointer address = to_netlink(prefix.address);
    nl_addr_set_prefixlen(address.get(), prefix.length);
    return address;
}

AddressPointer to_netlink(const net::MacAddress& mac) {
    return AddressPointer(nl_addr_build(AF_LLC, mac.bytes.data(), mac.bytes.size()));
}

net::IpAddress to_address(nl_addr* address) noexcept {
    net::IpAddress result;
    if (address == nullptr) return result;
    const int family = nl_addr_get_family(address);
    const std::size_t length = nl_addr_get_len(address);
    // A default route's destination has a family but no bytes.
    if (family == AF_INET && length <= 4) {
        result.family = net::Family::V4;
    } else if (family == AF_INET6 && length <= 16) {
        result.family = net::Family::V6;
    } else {
        return result;
    }
    std::memcpy(result.bytes.data(), nl_addr_get_binary_addr(address), length);
    return result;
}

net::MacAddress to_mac(nl_addr* address) noexcept {
    net::MacAddress mac;
    if (address != nullptr && nl_addr_get_len(address) == mac.bytes.size()) {
        std::memcpy(mac.bytes.data(), nl_addr_get_binary_addr(address), mac.bytes.size());
    }
    return mac;
}

}  // namespace pollux::control::netlink
