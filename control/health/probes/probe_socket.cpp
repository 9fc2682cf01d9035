// SPDX-License-Identifier: Apache-2.0
#include "control/health/probes/probe_socket.h"

#include <cctype>
#include <cerrno>
#include <cstring>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pollux::control {
namespace {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;

    SocketAddress(const net::IpAddress& address, std::uint16_t port) {
        if (address.is_v6()) {
            sockaddr_in6 v6{};
            v6.sin6_family = AF_INET6;
            v6.sin6_port = htons(port);
            std::memcpy(&v6.sin6_addr, address.bytes.data(), sizeof(v6.sin6_addr));
            std::memcpy(&storage, &v6, sizeof(v6));
            length = sizeof(v6);
        } else {
            sockaddr_in v4{};
            v4.sin_family = AF_INET;
            v4.sin_port = htons(port);
            std::memcpy(&v4.sin_addr, address.bytes.data(), sizeof(v4.sin_addr));
            std::memcpy(&storage, &v4, sizeof(v4));
            length = sizeof(v4);
        }
    }
    [[nodiscard]] const sockaddr* get() const {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
};

Error system_error(const std::string& what) {
    return Error{what.empty() ? error_text(errno) : what + ": " + error_text(errno), ""};
}

Status bind_socket(int fd, const ProbeAddresses& addresses) {
    if (addresses.source.family == net::Family::None && addresses.source_port == 0) {
        return ok_status();
    }
    const int on = 1;
    if (addresses.source_port != 0) {
        // The next try may come while the last one's connection is still in TIME_WAIT.
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    } else {
        // The kernel chooses the port at connect, so that a port can serve several targets.
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    }
    net::IpAddress source = addresses.source;
    if (source.family == net::Family::None) source.family = addresses.target.family;
    const SocketAddress local(source, addresses.source_port);
    if (bind(fd, local.get(), local.length) != 0) {
        return system_error("cannot bind to " + source.to_string());
    }
    return ok_status();
}

}  // namespace

ProbeSocket& ProbeSocket::operator=(ProbeSocket&& other) noexcept {
    if (this != &other) {
        close();
        fd_ = other.release();
    }
    return *this;
}

void ProbeSocket::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

int ProbeSocket::release() {
    return std::exchange(fd_, -1);
}

Result<ProbeSocket> open_socket(const ProbeAddresses& addresses, int type, int protocol) {
    const int family = addresses.target.is_v6() ? AF_INET6 : AF_INET;
    ProbeSocket socket(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
    if (!socket.open()) return system_error("no socket");
    if (const Status bound = bind_socket(socket.fd(), addresses); !bound) return bound.error();
    return socket;
}

Status start_connect(int fd, const ProbeAddresses& addresses) {
    const SocketAddress target(addresses.target, addresses.port);
    if (connect(fd, target.get(), target.length) != 0 && errno != EINPROGRESS) {
        return system_error("");
    }
    return ok_status();
}

Result<ProbeSocket> connect_socket(const ProbeAddresses& addresses, int type, int protocol) {
    auto socket = open_socket(addresses, type, protocol);
    if (!socket) return socket;
    if (const Status done = start_connect(socket->fd(), addresses); !done) return done.error();
    return socket;
}

std::string pending_error(int fd) {
    int number = 0;
    socklen_t length = sizeof(number);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &length) != 0) number = errno;
    return number == 0 ? "" : error_text(number);
}

std::string error_text(int number) {
    std::string text = std::strerror(number);
    if (!text.empty()) {
        text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
    }
    return text;
}

}  // namespace pollux::control
