// SPDX-License-Identifier: Apache-2.0

// Any frame at any of six instances (versions, families, authentication, unicast), master and
// backup: no crash, nothing read out of bounds, a rejected frame moves no timer and asks for
// nothing but a warning, a valid one survives being written and read again.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "vrrp/advert.h"
#include "vrrp/router_set.h"

namespace {

using namespace pollux;
using namespace pollux::vrrp;

void require(bool condition) {
    if (!condition) std::abort();
}

InstanceConfig make_config(unsigned kind) {
    InstanceConfig config;
    config.virtual_router_id = 51;
    config.version = kind < 2 ? 2 : 3;
    config.addresses = {net::IpAddress::from_v4(net::Ipv4Address::from_host(0x0a000003))};
    if (kind == 1) {
        config.auth_type = kAuthPass;
        config.auth_data = {'1', '1', '1', '1'};
    }
    if (kind == 3) {
        config.unicast_peers = {net::IpAddress::from_v4(net::Ipv4Address::from_host(0x0a000005))};
    }
    if (kind >= 4) {
        config.family = net::Family::V6;
        config.group = net::IpAddress::from_v6(kGroupV6);
        config.addresses = {
            net::IpAddress::from_v6({{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3}})};
        config.strict = kind == 5;
    }
    return config;
}

net::IpAddress own_address(const InstanceConfig& config) {
    if (config.family == net::Family::V4) {
        return net::IpAddress::from_v4(net::Ipv4Address::from_host(0x0a000007));
    }
    return net::IpAddress::from_v6({{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7}});
}

void check_round_trip(const ReceivedAdvert& advert) {
    const std::vector<net::IpAddress> addresses = advert.addresses();
    AdvertMessage message;
    message.version = advert.version;
    message.virtual_router_id = advert.virtual_router_id;
    message.priority = advert.priority;
    message.interval = advert.interval;
    message.auth_type = advert.auth_type;
    message.auth_data = advert.auth_data;
    message.checksum_form = advert.checksum_form;
    message.addresses = addresses;
    AdvertEnvelope envelope;
    envelope.source = advert.source;
    envelope.destination = advert.destination;
    envelope.ttl = advert.ttl;
    std::vector<std::uint8_t> frame(advert_frame_length(message));
    require(write_advert_frame(message, envelope, frame) == frame.size());
    const Decoded again = decode_frame(frame);
    require(again.error == DecodeError::None);
    require(again.advert.addresses() == addresses);
    require(again.advert.interval == advert.interval);
    require(again.advert.priority == advert.priority);
}

void check_instance(unsigned kind, bool as_master, const Decoded& packet) {
    Instance instance(make_config(kind));
    TimePoint now{};
    instance.set_source(own_address(instance.config()), now);
    instance.start(now);
    if (as_master) {
        now = instance.deadline();
        instance.timer_expired(now);
        require(instance.state() == State::Master);
    }
    const TimePoint deadline = instance.deadline();
    const State state = instance.state();
    const Actions actions = instance.receive(packet, now + Duration(1000));
    if (instance.counters().advert_rcvd == 0) {
        require(instance.deadline() == deadline && instance.state() == state);
        for (const Action& action : actions) require(std::holds_alternative<WarnMismatch>(action));
    }
    require(instance.deadline() > now);
    for (const MismatchRecord& record : instance.mismatches().all()) {
        require(record.ours_text().size() + record.theirs_text().size() < 65536);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<std::uint8_t> frame(data, data + size);
    const Decoded packet = decode_frame(frame);
    if (packet.error == DecodeError::None) check_round_trip(packet.advert);
    for (unsigned kind = 0; kind < 6; ++kind) {
        check_instance(kind, false, packet);
        check_instance(kind, true, packet);
    }
    RouterSet set;
    set.receive(InterfaceId{0}, frame, TimePoint{});
    return 0;
}
