// SPDX-License-Identifier: Apache-2.0
#pragma once

// The order in which ipvsadm lists services and servers. Its comparisons subtract as C ints and mix
// address families, so they are no strict order; the result then depends on the sort algorithm,
// which is the C library's merge sort. Both are reproduced. Pure; any thread.

#include <cstdint>
#include <vector>

#include "dataplane/lb/data_plane.h"

namespace pollux::control::ipvs {

// Positions of `services` in the order of a listing: by mark, family, protocol, address, port.
[[nodiscard]] std::vector<std::size_t> service_order(const std::vector<const lb::ServiceView*>& in);

// Positions of the servers that are still in the service, in the order of a listing. Unsorted it is
// LVS's walk order: the last added first.
[[nodiscard]] std::vector<std::size_t> server_order(const std::vector<lb::ServerView>& servers,
                                                    bool sorted);

}  // namespace pollux::control::ipvs
