// SPDX-License-Identifier: Apache-2.0
#pragma once

// SocketProbe: what the probes with a socket of their own share: the connection, the watch in the
// loop, and the one result of a try. Control thread; nothing here blocks.

#include <cstddef>
#include <memory>
#include <optional>

#include "control/health/probe.h"
#include "control/health/probes/probe_socket.h"

namespace pollux::control {

class SocketProbe : public Probe {
  public:
    ~SocketProbe() override { SocketProbe::cancel(); }

    void cancel() override;

  protected:
    explicit SocketProbe(EventLoop& loop) : loop_(&loop) {}

    // Begins a try: connects and takes `done`. False: it failed, `done` has been called. `type` and
    // `protocol` are socket(2)'s.
    bool open(const ProbeAddresses& addresses, int type, int protocol, Done done);
    // Sends `size` bytes. False: it failed and the try has ended.
    bool send_all(const void* data, std::size_t size);
    // Reads what is there, as recv(2) with `flags`; 0: the peer closed a stream. Nothing: nothing
    // there, or the try has ended with the socket's error.
    std::optional<std::size_t> receive_some(void* buffer, std::size_t size, int flags = 0);
    // Ends the try with this result.
    void finish(ProbeResult result);

    [[nodiscard]] int fd() const { return socket_.fd(); }
    // Only while a try runs.
    FdWatch& watch() { return *watch_; }

  private:
    EventLoop* loop_;
    ProbeSocket socket_;
    std::unique_ptr<FdWatch> watch_;
    Done done_;
};

}  // namespace pollux::control
