// SPDX-License-Identifier: Apache-2.0
#pragma once

// The connection table that `pollux-bench table` measures: NAT connections up to the load for which
// it is planned, and the operations on it as the packet path runs them.

#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/lb/connection_table.h"
#include "tools/bench/rival.h"

namespace pollux::bench {

inline constexpr unsigned kTableBurst = 32;
inline constexpr lb::Participant kTableSelf{0};
inline constexpr lb::Tick kTableNow{16'000};

// A compact key, as it lies in a packet: addresses, then ports.
struct WireKey {
    std::array<std::uint8_t, 8> addresses;
    net::Be16 source_port, destination_port;
};
[[nodiscard]] lb::FlowKey flow_key(const WireKey& key);
[[nodiscard]] inline RivalKey rival_key(const lb::FlowKey& key) {
    return {key.word(0), key.word(1)};
}

class TableSubject {
  public:
    // New connections that are inserted and removed beside the lasting ones, for which it has room.
    static constexpr unsigned kNewConnections = 8 * kTableBurst;

    // Ends the program when there is no memory.
    explicit TableSubject(std::uint32_t connections);

    // Of a client that is not in the table, nearly always.
    [[nodiscard]] lb::NewConnection random_connection();
    // Random keys that are in the table: of the client's packets or of the server's.
    [[nodiscard]] std::vector<WireKey> hits(unsigned count, lb::Direction direction);
    [[nodiscard]] std::vector<WireKey> misses(unsigned count);
    // The forward and the reply key.
    [[nodiscard]] static std::array<WireKey, 2> keys_of(const lb::NewConnection& what);

    // Gives every key of the table to the rival; false when it has no room.
    [[nodiscard]] bool copy_to(Rival& rival) const;
    // The same under our own keyed hash, with the connection's record as data.
    [[nodiscard]] bool copy_with_records_to(Rival& rival) const;

    // One burst through the stages of a lookup. Returns how many were found.
    [[nodiscard]] unsigned look_up_burst(const WireKey* wire) const;
    // The same done with the rival in place of our buckets: makes and hashes the keys, looks them
    // up, then asks the record of each that was found whether it is live at this time.
    // Precondition: the rival was filled by copy_with_records_to.
    [[nodiscard]] unsigned look_up_burst(const Rival& rival, const WireKey* wire) const;
    // The insertions of a burst of new connections, with the prefetches of the packet path.
    void insert_burst(const lb::NewConnection* what, lb::ConnectionIndex* inserted);
    // Makes removed records usable again.
    void quiesce();

    [[nodiscard]] std::string_view pages() const { return lb::to_string(region_.page_kind()); }

  private:
    struct Kept {
        lb::FlowKey forward;
        lb::RealServerId server;
        lb::ConnectionIndex index;
    };

    static lb::MemoryRegion region_for(const lb::ConnectionTableLimits& limits);
    [[nodiscard]] static std::array<WireKey, 2> keys_of(const lb::FlowKey& forward,
                                                        lb::RealServerId server);

    std::mt19937_64 random_{1};
    std::vector<lb::AddressRecord> server_records_;
    lb::AddressTable servers_;
    lb::AddressTable locals_;
    lb::Quiescence quiescence_{1};
    lb::ConnectionTableLimits limits_;
    lb::MemoryRegion region_;
    lb::FlowHash hash_{limits_.hash_secret};
    std::vector<Kept> kept_;

  public:
    lb::ConnectionTable table{limits_, region_, quiescence_, servers_, locals_};
};

}  // namespace pollux::bench
