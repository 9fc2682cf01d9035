// SPDX-License-Identifier: Apache-2.0

#include "control/ipvs/counter_baseline.h"

#include <utility>

namespace pollux::control::ipvs {

void CounterBaseline::zero(const std::vector<lb::ServiceView>& views,
                           const lb::ServiceSpec* service) {
    for (const lb::ServiceView& view : views) {
        if (service != nullptr && ViewKey::of(view.spec) != ViewKey::of(*service)) continue;
        baselines_[ViewKey::of(view.spec)] = ViewCounts::of(view);
        for (const lb::ServerView& server : view.servers) {
            baselines_[ViewKey::of(view.spec, server)] = ViewCounts::of(server);
        }
    }
}

template <typename View>
void CounterBaseline::subtract(const ViewKey& key, View& view) const {
    const auto found = baselines_.find(key);
    if (found == baselines_.end()) return;
    const ViewCounts& base = found->second;
    if (view.connections < base.connections || view.packets_in < base.packets_in) return;
    view.connections -= base.connections;
    view.packets_in -= base.packets_in;
    view.packets_out -= base.packets_out;
    view.bytes_in -= base.bytes_in;
    view.bytes_out -= base.bytes_out;
}

std::vector<lb::ServiceView> CounterBaseline::adjusted(std::vector<lb::ServiceView> views) const {
    for (lb::ServiceView& view : views) {
        if (!view.continued) subtract(ViewKey::of(view.spec), view);
        for (lb::ServerView& server : view.servers) {
            subtract(ViewKey::of(view.spec, server), server);
        }
    }
    return views;
}

}  // namespace pollux::control::ipvs
