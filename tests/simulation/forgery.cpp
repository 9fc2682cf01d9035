// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/forgery.h"

#include "vrrp/advert.h"

namespace pollux::vrrp::simulation {

Bytes forge(const InstanceConfig& victim, std::uint64_t lot) {
    AdvertMessage message;
    message.version = victim.version;
    message.virtual_router_id = victim.virtual_router_id;
    message.priority = lot % 2 == 0 ? 254 : kPriorityRelease;
    message.interval = victim.advert_interval;
    message.auth_type = victim.auth_type;
    message.auth_data = victim.auth_data;
    message.addresses = victim.addresses;
    AdvertEnvelope envelope;
    envelope.source = node_address(victim.family, 222);
    envelope.destination = victim.group;

    bool spoil_checksum = false;
    switch (lot / 2 % 4) {
        case 0:
            envelope.ttl = 254;
            break;
        case 1:
            message.virtual_router_id = 250;
            break;
        case 2:
            spoil_checksum = true;
            break;
        default:
            if (victim.version == 2) {
                message.auth_type = victim.auth_type == kAuthNone ? kAuthPass : kAuthNone;
            } else {
                message.interval = Duration::zero();
            }
            break;
    }
    Bytes bytes(advert_frame_length(message));
    write_advert_frame(message, envelope, bytes);
    if (spoil_checksum) bytes.back() ^= 0x11U;
    return bytes;
}

}  // namespace pollux::vrrp::simulation
