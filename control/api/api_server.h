// SPDX-License-Identifier: Apache-2.0
#pragma once

// ApiServer: accepts clients of the control socket and exchanges lines with them. A client that
// does not read, or sends without end, costs one buffer of fixed size and is cut off in time; it
// never makes the loop wait. Control thread.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "control/api/control_socket.h"
#include "control/loop/event_loop.h"

namespace pollux::control::api {

struct ApiLimits {
    std::size_t clients = 64;
    std::size_t request_bytes = 64 * 1024;
    std::size_t admin_request_bytes = 4 * 1024 * 1024;  // `pollux ipvs -R`
    std::chrono::seconds request_time{10};              // from the first byte to the newline
    std::chrono::seconds answer_time{30};  // until the client has read all of an answer
    std::chrono::seconds idle_time{300};   // between an answer and the next request
};

class ApiServer {
  public:
    // Turns a request line (without newline) into an answer (with newline).
    using Handler = std::function<std::string(Role, std::string_view)>;

    // `loop` and `socket` outlive the server.
    ApiServer(EventLoop& loop, ControlSocket& socket, ControlSocketOptions options, Handler handler,
              const ApiLimits& limits = {});
    ~ApiServer();

    [[nodiscard]] std::size_t clients() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pollux::control::api
