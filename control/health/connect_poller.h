// SPDX-License-Identifier: Apache-2.0
#pragma once

// ConnectPoller: tells when sockets have connected, for thousands of short connections a second:
// one system call to watch a socket, one for all that are ready, none to stop. Control thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "control/loop/event_loop.h"

namespace pollux::control {

class ConnectPoller {
  public:
    // The socket is connected, or has failed: its pending error says why.
    using Callback = std::function<void(bool connected)>;
    using Ticket = std::uint64_t;
    static constexpr Ticket kNoTicket = 0;

    explicit ConnectPoller(EventLoop& loop);
    ~ConnectPoller();
    ConnectPoller(const ConnectPoller&) = delete;
    ConnectPoller& operator=(const ConnectPoller&) = delete;

    // Calls back once, never from within. The socket stays the caller's, who closes it at the end
    // or after forget(). kNoTicket: the system refuses to watch it; errno says why.
    [[nodiscard]] Ticket wait(int fd, Callback callback);
    // No call follows. Harmless when it has come.
    void forget(Ticket ticket);

  private:
    struct Slot {
        Callback callback;
        std::uint32_t turn = 0;  // of the slot's use, so that a late event finds nobody
    };

    void collect();
    [[nodiscard]] Slot* find(Ticket ticket);
    [[nodiscard]] Callback take(Ticket ticket);

    int epoll_;
    std::unique_ptr<FdWatch> watch_;
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_;
};

}  // namespace pollux::control
