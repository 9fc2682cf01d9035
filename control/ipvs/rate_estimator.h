// SPDX-License-Identifier: Apache-2.0
#pragma once

// RateEstimator: IPVS's rates per second (`ipvsadm -L --rate`): sampled each two seconds, a moving
// average that gives the latest sample a quarter of the weight. Pure; control thread.

#include <cstdint>
#include <map>
#include <vector>

#include "control/ipvs/format.h"
#include "control/ipvs/view_key.h"
#include "dataplane/lb/data_plane.h"

namespace pollux::control::ipvs {

class RateEstimator {
  public:
    static constexpr lb::Duration kInterval = std::chrono::seconds(2);

    // To be called each kInterval with the views of that moment. Forgets what is gone.
    void sample(const std::vector<lb::ServiceView>& views);
    // The same one by one: a round takes each service once, or its pieces.
    void begin_round() { ++round_; }
    void take(const lb::ServiceView& view);
    void end_round();

    // The rates of `views`, in their order; zero for what was never sampled.
    [[nodiscard]] std::vector<ServiceRates> rates(const std::vector<lb::ServiceView>& views) const;

  private:
    // Scaled as in the kernel: connections and packets by 1024, bytes by 32.
    struct Average {
        ViewCounts last;
        std::uint64_t round = 0;  // of the latest sample
        std::int64_t connections = 0, packets_in = 0, packets_out = 0, bytes_in = 0, bytes_out = 0;
    };
    static void update(Average& average, const ViewCounts& now);
    [[nodiscard]] Rate rate_of(const ViewKey& key) const;

    void take(const ViewKey& key, const ViewCounts& now);

    std::map<ViewKey, Average> averages_;
    std::uint64_t round_ = 0;
    std::size_t taken_ = 0;  // in this round
};

}  // namespace pollux::control::ipvs
