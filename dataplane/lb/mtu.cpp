// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/mtu.h"

#include "dataplane/lb/answer.h"
#include "dataplane/lb/rewrite.h"

namespace pollux::lb {
namespace {

bool may_fragment(const PacketContext& context) noexcept {
    return context.parsed.is_v4() && !net::header_in<net::Ipv4Header>(context.ip()).dont_fragment();
}

}  // namespace

void meet_small_mtu(Burst& burst, unsigned at, std::uint16_t mtu) noexcept {
    PacketContext& context = burst.packet(at);
    if (may_fragment(context)) {
        drop(burst, context, DropReason::MtuExceeded);
        return;
    }
    decrement_ttl(context);  // LVS quotes the packet as it would have gone on
    answer_too_big(burst, context, mtu);
}

}  // namespace pollux::lb
