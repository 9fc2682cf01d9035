// SPDX-License-Identifier: Apache-2.0
#include "control/api/service_pages.h"

#include <nlohmann/json.hpp>

#include "control/api/commands.h"

namespace pollux::control::api {

Result<ServicePageRequest> service_page_request(const Json& args) {
    const auto cursor = number_argument(args, "cursor", {0, 0, std::int64_t{1} << 52});
    if (!cursor) return cursor.error();
    const auto limit = number_argument(args, "limit", {kServersPerPage, 1, kServersPerPage});
    if (!limit) return limit.error();
    return ServicePageRequest{static_cast<std::uint64_t>(*cursor),
                              static_cast<std::uint32_t>(*limit)};
}

}  // namespace pollux::control::api
