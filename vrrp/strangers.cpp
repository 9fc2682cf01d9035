// SPDX-License-Identifier: Apache-2.0

#include "vrrp/strangers.h"

#include <algorithm>

namespace pollux::vrrp {

bool StrangerTable::note(InterfaceId interface, const ReceivedAdvert& advert, TimePoint now) {
    const auto known = std::ranges::find_if(strangers_, [&](const Stranger& stranger) {
        return stranger.interface == interface && stranger.source == advert.source &&
               stranger.virtual_router_id == advert.virtual_router_id;
    });
    if (known != strangers_.end()) {
        known->version = advert.version;
        known->priority = advert.priority;
        known->last = now;
        ++known->count;
        return false;
    }
    if (strangers_.size() >= kMaxStrangers) {
        strangers_.erase(std::ranges::min_element(strangers_, {}, &Stranger::last));
    }
    strangers_.push_back({interface, advert.version, advert.virtual_router_id, advert.priority,
                          advert.source, advert.source_mac, advert.addresses(), 1, now, now});
    if (last_warned_ != TimePoint::min() && now - last_warned_ < kWarnInterval) return false;
    last_warned_ = now;
    return true;
}

}  // namespace pollux::vrrp
