// SPDX-License-Identifier: Apache-2.0

// The whole state table that was measured on a kernel, cell by cell: every reachable state, every
// kind of packet, both directions, with and without secure_tcp.

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "dataplane/lb/tracking.h"

namespace pollux::lb {
namespace {

using nlohmann::json;

const std::map<std::string, std::uint8_t> kTcpFlags = {{"S", net::kTcpSyn},
                                                       {"SA", net::kTcpSyn | net::kTcpAck},
                                                       {"A", net::kTcpAck},
                                                       {"FA", net::kTcpFin | net::kTcpAck},
                                                       {"R", net::kTcpRst}};
const std::map<std::string, SctpEvent> kSctpEvents = {
    {"DATA", SctpEvent::Data},
    {"INIT", SctpEvent::Init},
    {"INIT_ACK", SctpEvent::InitAck},
    {"COOKIE_ECHO", SctpEvent::CookieEcho},
    {"COOKIE_ACK", SctpEvent::CookieAck},
    {"SHUTDOWN", SctpEvent::Shutdown},
    {"SHUTDOWN_ACK", SctpEvent::ShutdownAck},
    {"SHUTDOWN_COMPLETE", SctpEvent::ShutdownComplete},
    {"ERROR", SctpEvent::Error},
    {"ABORT", SctpEvent::Abort}};

struct Recorded {
    Protocol protocol{};
    ForwardingMethod method{};
    bool secure = false;

    [[nodiscard]] PacketEvent event(const std::string& kind) const {
        PacketEvent event;
        if (protocol == Protocol::Tcp) {
            event.tcp_flags = kTcpFlags.at(kind);
        } else {
            event.sctp = kSctpEvents.at(kind);
        }
        return event;
    }

    // "c:FA" or "s:INIT_ACK".
    [[nodiscard]] ConnectionState play(ConnectionState state, const std::string& packet) const {
        return track_packet(state, packet[0] == 's', event(packet.substr(2)),
                            StateTimeouts::from({}), secure);
    }
};

Recorded meaning_of(const json& machine) {
    Recorded recorded;
    recorded.protocol = machine["proto"] == "tcp" ? Protocol::Tcp : Protocol::Sctp;
    recorded.method =
        machine["forward"] == "-m" ? ForwardingMethod::Nat : ForwardingMethod::DirectRouting;
    recorded.secure = machine["sysctl"].contains("secure_tcp");
    return recorded;
}

// Expects the cell (`state`, `packet`) of a measured machine. Returns whether it was a cell.
void expect_cell(const Recorded& recorded, ConnectionState before, const std::string& packet,
                 const json& expected) {
    SysctlSpec sloppy;
    sloppy.sloppy_tcp = sloppy.sloppy_sctp = true;
    const bool fresh = before.protocol_state() == 0;
    if (expected[0] == "-") {
        EXPECT_FALSE(opens_connection(recorded.protocol, recorded.event(packet.substr(2)), sloppy));
        return;
    }
    if (fresh) {
        EXPECT_TRUE(opens_connection(recorded.protocol, recorded.event(packet.substr(2)), sloppy));
    }
    const ConnectionState after = recorded.play(before, packet);
    EXPECT_EQ(state_name(after), expected[0].get<std::string>());
    const auto seconds = static_cast<int>(after.timeout().count()) / 16;
    EXPECT_NEAR(seconds, expected[1].get<int>(), 1);
}

TEST(StateMachines, AreTheKernelsInEveryMeasuredCell) {
    std::ifstream file(POLLUX_GOLDEN_DIR "/states/states.json");
    const json recording = json::parse(file);
    unsigned cells = 0;
    for (const auto& [name, machine] : recording.items()) {
        if (name == "kernel") continue;
        const Recorded recorded = meaning_of(machine);
        for (const auto& [state, packets] : machine["reached_by"].items()) {
            ConnectionState before = initial_state(recorded.protocol, recorded.method);
            for (const auto& packet : packets) before = recorded.play(before, packet);
            if (!packets.empty()) {
                EXPECT_EQ(state_name(before), state) << name;
            }
            for (const auto& [packet, expected] : machine["table"][state].items()) {
                SCOPED_TRACE(name + ": " + packet + " in " + state);
                expect_cell(recorded, before, packet, expected);
                ++cells;
            }
        }
    }
    EXPECT_EQ(cells, 531U);  // as many as the recording has
}

}  // namespace
}  // namespace pollux::lb
