// SPDX-License-Identifier: Apache-2.0
#pragma once

// The checks against a host, with its system directories as parameters for tests. check_online
// (load.h) uses the real ones. Control thread.

#include <string>

#include "control/config/config.h"
#include "control/config/report.h"

namespace pollux::control {

struct HostPaths {
    std::string sys = "/sys";
    std::string proc = "/proc";
};

void check_devices(const Config& config, const HostPaths& host, Reporter& reporter);
void check_memory(const Config& config, const HostPaths& host, Reporter& reporter);
void check_cpus(const Config& config, const HostPaths& host, Reporter& reporter);
void check_accounts(const Config& config, Reporter& reporter);

// Every command of the configuration: present, executable, and with script security changeable by
// root only, along the whole path.
void check_scripts(const Config& config, Reporter& reporter);

// Certificates and track files.
void check_other_files(const Config& config, Reporter& reporter);

}  // namespace pollux::control
