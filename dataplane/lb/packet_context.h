// SPDX-License-Identifier: Apache-2.0
#pragma once

// The worker's own memory for one burst, reused from burst to burst. Internal to dataplane/lb.

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/lb/connection_table.h"
#include "dataplane/lb/data_plane.h"
#include "dataplane/lb/flow_key.h"
#include "dataplane/lb/fragment_table.h"
#include "dataplane/lb/ids.h"
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

// A connection that a packet of the burst opens. All of a burst are inserted together, so that the
// buckets of one arrive while the others are prepared.
struct Opening {
    std::uint8_t at = 0;  // position of the packet
    net::Be16 server_port;
    ServiceId service = kNoService;
    RealServerId server = kNoRealServer;
    TemplateIndex persistence = kNoTemplate;
    ConnectionIndex reserved = kNoConnection;
    ConnectionState first;         // after the packet
    std::uint64_t hash = 0;        // of the forward key
    std::uint64_t reply_hash = 0;  // of the reply key, if it has one
};

// The openings that wait for their insertion.
class OpeningList {
  public:
    void push(const Opening& opening) noexcept {
        openings_[count_++] = opening;
        filter_[word_of(opening.hash)] |= bit_of(opening.hash);
        embryonic_ += opening.first.has(ConnectionFlag::Embryonic) ? 1 : 0;
    }
    void clear() noexcept {
        if (count_ == 0) return;
        count_ = 0;
        embryonic_ = 0;
        filter_ = {};
    }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] unsigned embryonic() const noexcept { return embryonic_; }
    [[nodiscard]] std::span<Opening> all() noexcept { return {openings_.data(), count_}; }
    // Whether a flow with this hash waits.
    [[nodiscard]] bool contains(std::uint64_t hash) const noexcept {
        if ((filter_[word_of(hash)] & bit_of(hash)) == 0) [[likely]]
            return false;
        for (unsigned i = 0; i < count_; ++i) {
            if (openings_[i].hash == hash) return true;
        }
        return false;
    }

  private:
    static constexpr unsigned kWords = 8;
    static unsigned word_of(std::uint64_t hash) noexcept { return (hash >> 6U) % kWords; }
    static std::uint64_t bit_of(std::uint64_t hash) noexcept {
        return std::uint64_t{1} << (hash % 64);
    }

    unsigned count_ = 0;
    unsigned embryonic_ = 0;
    std::array<std::uint64_t, kWords> filter_{};  // a bit for each hash, several may share one
    std::array<Opening, kMaxPlaces> openings_;
};

struct BurstMemory {
    // One element per packet, in order of arrival.
    std::array<PacketContext, kMaxPlaces> packets;
    std::array<Connection, kMaxPlaces> passing;  // one-packet scheduling: never in the table

    bool had_v6 = false;          // the burst before brought plain IPv6 frames
    std::uint32_t untouched = 0;  // takes the stores of Connection::touch that are not wanted

    OpeningList openings;
    PacketList flows;   // TCP, UDP or SCTP with ports, whole
    PacketList others;  // all that needs a closer look
    // Ready for rewriting, by forwarding method.
    std::array<PacketList, kForwardingMethodCount> to_server;
    std::array<PacketList, kForwardingMethodCount> to_client;
};

}  // namespace pollux::lb
