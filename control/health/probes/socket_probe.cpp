// SPDX-License-Identifier: Apache-2.0
#include "control/health/probes/socket_probe.h"

#include <cerrno>
#include <utility>

#include <sys/socket.h>

namespace pollux::control {

void SocketProbe::cancel() {
    watch_.reset();
    socket_.close();
    done_ = {};
}

bool SocketProbe::open(const ProbeAddresses& addresses, int type, int protocol, Done done) {
    auto socket = connect_socket(addresses, type, protocol);
    if (!socket) {
        done(failed(socket.error().message));
        return false;
    }
    socket_ = std::move(*socket);
    done_ = std::move(done);
    watch_ = std::make_unique<FdWatch>(*loop_, socket_.fd());
    return true;
}

bool SocketProbe::send_all(const void* data, std::size_t size) {
    const ssize_t sent = send(socket_.fd(), data, size, MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(size)) return true;
    finish(failed(sent < 0 ? error_text(errno) : "the server takes no more bytes"));
    return false;
}

std::optional<std::size_t> SocketProbe::receive_some(void* buffer, std::size_t size, int flags) {
    const ssize_t length = recv(socket_.fd(), buffer, size, MSG_DONTWAIT | flags);
    if (length >= 0) return static_cast<std::size_t>(length);
    if (errno != EAGAIN && errno != EINTR) finish(failed(error_text(errno)));
    return std::nullopt;
}

void SocketProbe::finish(ProbeResult result) {
    const Done done = std::move(done_);
    cancel();
    done(std::move(result));
}

}  // namespace pollux::control
