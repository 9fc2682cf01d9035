// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/held_signals.h"

#include <csignal>
#include <initializer_list>

#include <pthread.h>

namespace pollux::control {
namespace {

sigset_t held_set() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) sigaddset(&set, signal);
    return set;
}

}  // namespace

HeldSignals::HeldSignals() {
    hold();
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGALRM, SIG_IGN);
}

void HeldSignals::release() const {
    const sigset_t set = held_set();
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void HeldSignals::hold() const {
    const sigset_t set = held_set();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

bool HeldSignals::end_waits() {
    sigset_t waiting;
    sigpending(&waiting);
    return sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGINT) == 1;
}

}  // namespace pollux::control
