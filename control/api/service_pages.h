// SPDX-License-Identifier: Apache-2.0
#pragma once

// Services in pages: how many the commands that list them give at a time, since the loop has
// adverts to send. The client asks on from `next` (docs/control-protocol.md). Control thread.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "dataplane/net/result.h"

namespace pollux::control::api {

// The budget of DataPlane::service_page: each service counts as one and its servers. A page of this
// size takes about 2 ms, its JSON included.
inline constexpr std::uint32_t kServersPerPage = 256;

struct ServicePageRequest {
    std::uint64_t cursor = 0;
    std::uint32_t limit = kServersPerPage;
};

// From the arguments `cursor` and `limit`, both optional.
[[nodiscard]] Result<ServicePageRequest> service_page_request(const nlohmann::ordered_json& args);

}  // namespace pollux::control::api
