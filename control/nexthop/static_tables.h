// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the kernel would know of ports without an exception path, made from the configuration alone:
// their addresses, [[route]] and [[neighbour]]. Nobody resolves neighbours there, so next hops are
// those that the file names with their MAC. Pure; control thread.

#include "control/config/config.h"
#include "control/netlink/kernel_tables.h"
#include "control/tap/port_table.h"

namespace pollux::control {

struct StaticTables {
    KernelTables tables;
    PortTable ports;  // as given; those without a TAP have an interface number of their own here
};

// Empty tables where every port has a TAP.
[[nodiscard]] StaticTables static_tables(const Config& config, const PortTable& ports);

}  // namespace pollux::control
