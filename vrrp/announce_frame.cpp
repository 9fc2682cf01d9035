// SPDX-License-Identifier: Apache-2.0

#include "vrrp/announce_frame.h"

#include <algorithm>

#include "dataplane/net/neighbor_frames.h"

namespace pollux::vrrp {

static_assert(kMaxAnnounceFrame == net::kNeighborFrameRoom);

AnnounceFrame announce_frame(const net::IpAddress& address, const net::MacAddress& mac,
                             bool is_router) noexcept {
    const net::NeighborFrame built = net::build_neighbor_announcement({address, mac}, is_router);
    AnnounceFrame frame;
    frame.length = built.length;
    std::copy_n(built.bytes.begin(), built.length, frame.storage.begin());
    return frame;
}

}  // namespace pollux::vrrp
