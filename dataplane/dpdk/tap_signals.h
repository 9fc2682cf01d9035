// SPDX-License-Identifier: Apache-2.0
#pragma once

// net_tap announces received frames by real-time signals to the process. They shall interrupt a
// sleeping worker, which is welcome, and never the control thread.

#include <csignal>

namespace pollux::dpdk {

// Keeps those signals from the calling thread, and from threads that it starts, while it lives.
class TapSignalGuard {
  public:
    TapSignalGuard();
    TapSignalGuard(const TapSignalGuard&) = delete;
    TapSignalGuard& operator=(const TapSignalGuard&) = delete;
    ~TapSignalGuard();  // after the ports are closed

  private:
    sigset_t before_{};
};

// A worker thread takes them.
void let_tap_signals_in();

}  // namespace pollux::dpdk
