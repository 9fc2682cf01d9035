// SPDX-License-Identifier: Apache-2.0
#pragma once

// Builders for VRRP tests: addresses, configurations, adverts of a peer, and a node under test
// whose actions are collected.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "vrrp/advert.h"
#include "vrrp/instance.h"

namespace pollux::vrrp::test {

using namespace std::chrono_literals;

inline net::IpAddress ip(std::string_view text) {
    return *net::IpAddress::parse(text);
}

// Bytes from hexadecimal text; blanks are ignored.
inline std::vector<std::uint8_t> hex(std::string_view text) {
    std::vector<std::uint8_t> bytes;
    std::string digits;
    for (const char c : text) {
        if (c != ' ' && c != '\n') digits += c;
    }
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(digits.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

inline const net::IpAddress kOurAddress = ip("10.0.0.5");
inline const net::IpAddress kLowPeer = ip("10.0.0.4");
inline const net::IpAddress kHighPeer = ip("10.0.0.6");
inline const net::MacAddress kOurMac{{2, 0, 0, 0, 0, 1}};
inline const net::MacAddress kPeerMac{{2, 0, 0, 0, 0, 2}};

// Version 3, VRID 51, priority 100, 1 s, VIP 10.0.0.3.
inline InstanceConfig config_v3() {
    InstanceConfig config;
    config.name = "VI_1";
    config.version = 3;
    config.virtual_router_id = 51;
    config.addresses = {ip("10.0.0.3")};
    return config;
}

inline InstanceConfig config_v2() {
    InstanceConfig config = config_v3();
    config.version = 2;
    return config;
}

inline InstanceConfig config_v6() {
    InstanceConfig config = config_v3();
    config.family = net::Family::V6;
    config.group = net::IpAddress::from_v6(kGroupV6);
    config.addresses = {ip("fe80::3"), ip("fd00::3")};
    return config;
}

// The advert that a peer with this configuration sends; edit it, then `frame` or `decoded`.
struct PeerAdvert {
    InstanceConfig config;
    std::uint8_t priority = 0;
    net::IpAddress source = kHighPeer;
    net::IpAddress destination;
    std::uint8_t ttl = 255;
    ChecksumForm form = ChecksumForm::PseudoHeader;

    PeerAdvert(InstanceConfig peer, std::uint8_t its_priority)
        : config(std::move(peer)), priority(its_priority), destination(config.group) {
        if (config.family == net::Family::V6) source = ip("fe80::6");
    }
    PeerAdvert& from(const net::IpAddress& address) {
        source = address;
        return *this;
    }

    [[nodiscard]] std::vector<std::uint8_t> frame() const {
        AdvertMessage message;
        message.version = config.version;
        message.virtual_router_id = config.virtual_router_id;
        message.priority = priority;
        message.interval = config.advert_interval;
        message.auth_type = config.auth_type;
        message.auth_data = config.auth_data;
        message.checksum_form = form;
        message.addresses = config.addresses;
        AdvertEnvelope envelope;
        envelope.source_mac = kPeerMac;
        envelope.destination_mac = group_mac(config.group);
        envelope.source = source;
        envelope.destination = destination;
        envelope.ttl = ttl;
        std::vector<std::uint8_t> bytes(advert_frame_length(message));
        write_advert_frame(message, envelope, bytes);
        return bytes;
    }
};

// One instance, its clock and everything that it asked for.
struct Node {
    Instance instance;
    TimePoint now{};
    Actions log;  // of the last call

    explicit Node(const InstanceConfig& config) : instance(config) {
        const bool v4 = config.family == net::Family::V4;
        take(instance.set_source(v4 ? kOurAddress : ip("fe80::5"), now));
    }

    const Actions& take(Actions actions) {
        log = std::move(actions);
        return log;
    }
    const Actions& start() { return take(instance.start(now)); }
    const Actions& stop() { return take(instance.stop(now)); }
    const Actions& hear_frame(const std::vector<std::uint8_t>& frame) {
        return take(instance.receive(decode_frame(frame), now));
    }
    const Actions& hear(const PeerAdvert& advert) { return hear_frame(advert.frame()); }

    // Lets time pass; timers fire at their deadlines. Returns all that was asked for.
    const Actions& pass(Duration duration) {
        const TimePoint end = now + duration;
        Actions all;
        while (instance.deadline() <= end) {
            now = std::max(now, instance.deadline());
            for (Action& action : instance.timer_expired(now)) all.push_back(std::move(action));
        }
        now = end;
        return take(std::move(all));
    }
    // Starts and waits until the instance is MASTER.
    void become_master() {
        start();
        pass(instance.down_interval());
        ASSERT_EQ(instance.state(), State::Master);
    }
    // Time until the state machine wakes up by itself.
    [[nodiscard]] Duration until_timer() const { return instance.deadline() - now; }
};

template <typename Kind>
std::vector<Kind> all_of(const Actions& actions) {
    std::vector<Kind> found;
    for (const Action& action : actions) {
        if (const auto* match = std::get_if<Kind>(&action)) found.push_back(*match);
    }
    return found;
}

template <typename Kind>
std::optional<Kind> first_of(const Actions& actions) {
    const auto found = all_of<Kind>(actions);
    return found.empty() ? std::nullopt : std::optional(found.front());
}

// Position of the first action of that kind; -1: none.
template <typename Kind>
int position_of(const Actions& actions) {
    for (std::size_t i = 0; i < actions.size(); ++i) {
        if (std::holds_alternative<Kind>(actions[i])) return static_cast<int>(i);
    }
    return -1;
}

inline std::vector<std::uint8_t> sent_priorities(const Actions& actions) {
    std::vector<std::uint8_t> priorities;
    for (const SendAdvert& sent : all_of<SendAdvert>(actions)) priorities.push_back(sent.priority);
    return priorities;
}

}  // namespace pollux::vrrp::test
