// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/tap_signals.h"

#include <ctime>

namespace pollux::dpdk {
namespace {

sigset_t real_time_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) sigaddset(&set, number);
    return set;
}

}  // namespace

TapSignalGuard::TapSignalGuard() {
    const sigset_t signals = real_time_signals();
    pthread_sigmask(SIG_BLOCK, &signals, &before_);
    // When more signals wait than the kernel queues it sends SIGIO instead, which ends a process
    // by default.
    std::signal(SIGIO, SIG_IGN);
}

TapSignalGuard::~TapSignalGuard() {
    // What still waits would meet the default action now that nobody handles it.
    const sigset_t signals = real_time_signals();
    const timespec at_once{};
    while (sigtimedwait(&signals, nullptr, &at_once) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void let_tap_signals_in() {
    const sigset_t signals = real_time_signals();
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

}  // namespace pollux::dpdk
