// SPDX-License-Identifier: Apache-2.0
#pragma once

// The worker's own memory for one burst, reused from burst to burst. Internal to dataplane/lb.

#include <array>
#include <cstdint>

#include "dataplane/lb/connection_table.h"
#include "dataplane/lb/data_plane.h"
#include "dataplane/lb/flow_key.h"
#include "dataplane/lb/fragment_table.h"
#include "dataplane/lb/packet.h"
#include "dataplane/lb/snapshot.h"
#include "dataplane/net/parsed_packet.h"

namespace pollux::lb {

// What is known of one packet: one cache line of findings and one for the search of its connection.
struct alignas(128) PacketContext {
    Packet* packet = nullptr;
    Connection* connection = nullptr;
    const RealServer* server = nullptr;  // of a packet to the server
    const NextHop* hop = nullptr;        // of a packet to the client
    net::ParsedPacket parsed;
    FlowKey key;  // of the flow, as on the wire
    ConnectionLookup lookup;

    [[nodiscard]] std::uint8_t* ip() const noexcept { return packet->data + parsed.l3_offset; }
    [[nodiscard]] std::uint8_t* l4() const noexcept { return packet->data + parsed.l4_offset; }
};
static_assert(sizeof(PacketContext) == 128);

// A burst's packets, and behind them fragments that had waited for one of it.
inline constexpr unsigned kMaxPlaces = kMaxBurst + kMaxParked;

// Positions of packets in a burst, in order of arrival.
class alignas(64) PacketList {
  public:
    void push(unsigned position) noexcept {
        positions_[count_++] = static_cast<std::uint8_t>(position);
    }
    void clear() noexcept { count_ = 0; }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] unsigned size() const noexcept { return count_; }
    [[nodiscard]] const std::uint8_t* begin() const noexcept { return positions_.data(); }
    [[nodiscard]] const std::uint8_t* end() const noexcept { return positions_.data() + count_; }

  private:
    unsigned count_ = 0;
    std::array<std::uint8_t, kMaxPlaces> positions_;
};

inline constexpr unsigned kForwardingMethodCount = 4;

struct BurstMemory {
    // One element per packet, in order of arrival.
    std::array<PacketContext, kMaxPlaces> packets;
    std::array<Connection, kMaxPlaces> passing;  // one-packet scheduling: never in the table

    bool had_v6 = false;          // the burst before brought plain IPv6 frames
    std::uint32_t untouched = 0;  // takes the stores of Connection::touch that are not wanted

    PacketList flows;   // TCP, UDP or SCTP with ports, whole
    PacketList others;  // all that needs a closer look
    // Ready for rewriting, by forwarding method.
    std::array<PacketList, kForwardingMethodCount> to_server;
    std::array<PacketList, kForwardingMethodCount> to_client;
};

}  // namespace pollux::lb
