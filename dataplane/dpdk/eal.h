// SPDX-License-Identifier: Apache-2.0
#pragma once

// Starts and ends DPDK's environment (EAL). Control thread, which becomes EAL's main thread.

#include <string>
#include <vector>

#include "dataplane/dpdk/log_capture.h"
#include "dataplane/dpdk/runtime.h"
#include "dataplane/net/result.h"

namespace pollux::dpdk {

// The EAL command line of these options. Virtual devices are not in it: they are attached one by
// one later, as EAL goes on without a device that failed. lcore 0 is control, 1..N the workers.
std::vector<std::string> eal_arguments(const RuntimeOptions& options);

// Where EAL keeps this process's sockets: "/var/run/dpdk/PREFIX" for root.
std::string runtime_directory(const std::string& file_prefix);

// Holds the file prefix against other processes of this host, in memory mode, too (where EAL
// itself would not notice).
class PrefixLock {
  public:
    static Result<PrefixLock> take(const std::string& file_prefix);
    PrefixLock(PrefixLock&& other) noexcept;
    PrefixLock& operator=(PrefixLock&&) = delete;
    ~PrefixLock();  // removes the directory as well if it is empty by then

  private:
    PrefixLock(int fd, std::string directory) : fd_(fd), directory_(std::move(directory)) {}

    int fd_ = -1;
    std::string directory_;
};

class Eal {
  public:
    // Once per process, after check_start. Signals stay with the calling thread.
    static Result<Eal> start(const RuntimeOptions& options, LogCapture& log);
    Eal(Eal&& other) noexcept;
    Eal& operator=(Eal&&) = delete;
    ~Eal();  // ends EAL and removes its files

  private:
    explicit Eal(std::string directory) : directory_(std::move(directory)) {}

    std::string directory_;  // "" when moved from
};

}  // namespace pollux::dpdk
