// SPDX-License-Identifier: Apache-2.0
#pragma once

// CounterBaseline: `ipvsadm -Z`. The data plane's counters only grow; what is shown is what came
// since they were last set to zero. Pure; control thread.

#include <map>
#include <vector>

#include "control/ipvs/view_key.h"

namespace pollux::control::ipvs {

class CounterBaseline {
  public:
    // From now on the counters of `service` and its servers (nullptr: of all) count from here.
    // `views` as the data plane gives them.
    void zero(const std::vector<lb::ServiceView>& views, const lb::ServiceSpec* service);

    // The views with the counters since zero. A counter below its baseline belongs to a service or
    // server that was made anew and is shown as it is.
    [[nodiscard]] std::vector<lb::ServiceView> adjusted(std::vector<lb::ServiceView> views) const;

  private:
    template <typename View>
    void subtract(const ViewKey& key, View& view) const;

    std::map<ViewKey, ViewCounts> baselines_;
};

}  // namespace pollux::control::ipvs
