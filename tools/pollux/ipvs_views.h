// SPDX-License-Identifier: Apache-2.0
#pragma once

// The daemon's JSON as the data plane's views, for ipvsadm's listings. A member that is missing or
// of another type (a daemon of another version) becomes zero or empty. Pure.

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "control/ipvs/format.h"
#include "dataplane/lb/data_plane.h"

namespace pollux::cli {

using Json = nlohmann::ordered_json;

// What `ipvs listing` gives.
struct ListingData {
    std::vector<lb::ServiceView> services;
    std::vector<control::ipvs::ServiceRates> rates;  // one for each service
    lb::TimeoutSpec timeouts;
    std::uint32_t size = 0;

    // The rates of some of the services.
    [[nodiscard]] std::vector<control::ipvs::ServiceRates> rates_of(
        const std::vector<lb::ServiceView>& views) const;
};

[[nodiscard]] ListingData to_listing_data(const Json& data);

// A row of `show connections`. The view's texts are the row's: it must live as long.
[[nodiscard]] lb::ConnectionView to_connection_view(const Json& row);

}  // namespace pollux::cli
