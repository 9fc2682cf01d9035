// SPDX-License-Identifier: Apache-2.0
#pragma once

// The socket of a probe. Control thread.

#include <cstdint>
#include <string>

#include "control/health/probe.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/result.h"

namespace pollux::control {

// Owns a file descriptor.
class ProbeSocket {
  public:
    ProbeSocket() = default;
    explicit ProbeSocket(int fd) : fd_(fd) {}
    ~ProbeSocket() { close(); }
    ProbeSocket(ProbeSocket&& other) noexcept : fd_(other.release()) {}
    ProbeSocket& operator=(ProbeSocket&& other) noexcept;

    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] bool open() const { return fd_ >= 0; }
    void close();
    int release();

  private:
    int fd_ = -1;
};

struct ProbeAddresses {
    net::IpAddress target;
    std::uint16_t port = 0;
    net::IpAddress source;          // family None: chosen by the kernel
    std::uint16_t source_port = 0;  // 0: chosen by the kernel
};

// Of a try of this check.
[[nodiscard]] inline ProbeAddresses addresses_of(const CheckConfig& check,
                                                 const ProbeTry& attempt) {
    return {attempt.target, check.connect_port, attempt.source, check.bind_port};
}

// A non-blocking socket that is bound as asked. `type` is SOCK_STREAM or SOCK_DGRAM. Here and below
// the error's message is the system's word ("connection refused").
[[nodiscard]] Result<ProbeSocket> open_socket(const ProbeAddresses& addresses, int type,
                                              int protocol);
// Connects it to its target; a stream's connection may still be under way afterwards.
[[nodiscard]] Status start_connect(int fd, const ProbeAddresses& addresses);
// Both.
[[nodiscard]] Result<ProbeSocket> connect_socket(const ProbeAddresses& addresses, int type,
                                                 int protocol);

// The socket's pending error as text; empty: none.
[[nodiscard]] std::string pending_error(int fd);

// strerror in lower case, as the rest of the messages.
[[nodiscard]] std::string error_text(int number);

}  // namespace pollux::control
