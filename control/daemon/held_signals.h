// SPDX-License-Identifier: Apache-2.0
#pragma once

// HeldSignals: the operator's signals (SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2) wait instead of
// ending the process while nobody catches them: during the start and after the event loop. SIGALRM
// and SIGPIPE are ignored from here on. Create it while the process has one thread: later ones
// inherit the mask. Control thread.

namespace pollux::control {

class HeldSignals {
  public:
    HeldSignals();
    HeldSignals(const HeldSignals&) = delete;
    HeldSignals& operator=(const HeldSignals&) = delete;

    // What waits is delivered now. Only while a SignalWatch catches them.
    void release() const;
    void hold() const;

    // Whether a SIGTERM or SIGINT waits.
    [[nodiscard]] static bool end_waits();
};

}  // namespace pollux::control
