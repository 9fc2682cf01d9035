// SPDX-License-Identifier: Apache-2.0
#pragma once

// The socket of a probe: connect_ip, connect_port, bindto, bind_port. Control thread.

#include <cstdint>
#include <string>

#include "control/config/config_service.h"
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

// A non-blocking socket that is bound as the check says. `type` is SOCK_STREAM or SOCK_DGRAM. Here
// and below the error's message is the system's word ("connection refused").
[[nodiscard]] Result<ProbeSocket> open_socket(const CheckConfig& check, int type, int protocol);
// Connects it to the check's target; a stream's connection may still be under way afterwards.
[[nodiscard]] Status start_connect(int fd, const CheckConfig& check);
// Both.
[[nodiscard]] Result<ProbeSocket> connect_socket(const CheckConfig& check, int type, int protocol);

// The socket's pending error as text; empty: none.
[[nodiscard]] std::string pending_error(int fd);

// strerror in lower case, as the rest of the messages.
[[nodiscard]] std::string error_text(int number);

}  // namespace pollux::control
