// SPDX-License-Identifier: Apache-2.0
#pragma once

// Hosts and ports by name, as the system knows them (/etc/hosts, DNS, /etc/services). They may wait
// for a name server.

#include "control/ipvs/command.h"
#include "control/ipvs/format.h"

namespace pollux::cli {

// From names to numbers. As in ipvsadm host names stand for IPv4 addresses only.
[[nodiscard]] control::ipvs::NameResolver system_resolver();

// From numbers to names; each is asked for once.
[[nodiscard]] control::ipvs::Names system_names();

}  // namespace pollux::cli
