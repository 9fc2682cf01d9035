// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/table_subject.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace pollux::bench {
namespace {

using namespace lb;

constexpr unsigned kServers = 64;
constexpr std::uint8_t kTcp = 6;

net::IpAddress ip4(std::uint32_t host) {
    return net::IpAddress::from_v4(net::Ipv4Address::from_host(host));
}
net::Be16 port(std::uint64_t value) {
    return net::Be16::from_host(static_cast<std::uint16_t>(value));
}
net::IpAddress server_address(std::uint32_t i) {
    return ip4(0x0a000001U + i);
}

WireKey wire(const FlowKey& key) {
    WireKey result{{}, key.source_port(), key.destination_port()};
    const std::uint64_t addresses = key.word(1);
    std::memcpy(result.addresses.data(), &addresses, sizeof addresses);
    return result;
}

}  // namespace

RivalKey rival_key(const WireKey& key) {
    RivalKey result{};
    std::memcpy(result.data(), key.addresses.data(), key.addresses.size());
    std::memcpy(&result[8], &key.source_port, sizeof key.source_port);
    std::memcpy(&result[10], &key.destination_port, sizeof key.destination_port);
    result[12] = kTcp;
    return result;
}

TableSubject::TableSubject(std::uint32_t connections)
    : server_records_(kServers),
      servers_(server_records_),
      limits_{connections, 1, 1.0, {11, 22, 33, 44}},
      region_(region_for(limits_)) {
    for (unsigned i = 0; i < kServers; ++i) servers_.set(i, server_address(i), port(8080));
    quiescence_.online(kTableSelf);
    keys_.reserve(connections);
    for (std::uint32_t i = kNewConnections; i < connections; ++i) {
        const NewConnection what = random_connection();
        const ConnectionIndex reserved = table.reserve(kTableSelf);
        table.connection(reserved).init(what, kTableNow);
        ConnectionLookup lookup;
        table.prepare(what.forward, lookup);
        if (table.insert(kTableSelf, reserved, lookup.hash, kTableNow).status ==
            InsertStatus::Inserted) {
            keys_.emplace_back(what.forward, what.server);
        }
    }
}

MemoryRegion TableSubject::region_for(const ConnectionTableLimits& limits) {
    RegionPlan plan;
    ConnectionTable::plan(plan, limits);
    auto region = MemoryRegion::create(plan, {});
    if (!region.ok()) {
        std::fprintf(stderr, "pollux-bench: %s\n", region.error().message.c_str());
        std::exit(1);
    }
    return std::move(region.value());
}

NewConnection TableSubject::random_connection() {
    NewConnection what;
    what.forward = FlowKey::make(ip4(static_cast<std::uint32_t>(random_())), port(random_()),
                                 ip4(0xcb007100U + static_cast<std::uint32_t>(random_() % 16)),
                                 port(80), Protocol::Tcp);
    what.service = ServiceId{0};
    what.server = RealServerId{static_cast<std::uint32_t>(random_() % kServers)};
    what.method = ForwardingMethod::Nat;
    what.server_port = port(8080);
    what.timeout = std::chrono::seconds(900);
    return what;
}

std::array<WireKey, 2> TableSubject::keys_of(const FlowKey& forward, RealServerId server) {
    const FlowKey reply =
        FlowKey::make(server_address(static_cast<std::uint32_t>(server)), port(8080),
                      forward.source(), forward.source_port(), Protocol::Tcp);
    return {wire(forward), wire(reply)};
}

std::array<WireKey, 2> TableSubject::keys_of(const NewConnection& what) {
    return keys_of(what.forward, what.server);
}

std::vector<WireKey> TableSubject::hits(unsigned count, Direction direction) {
    std::vector<WireKey> result;
    for (unsigned i = 0; i < count; ++i) {
        const auto& [forward, server] = keys_[random_() % keys_.size()];
        result.push_back(keys_of(forward, server)[static_cast<std::size_t>(direction)]);
    }
    return result;
}

std::vector<WireKey> TableSubject::misses(unsigned count) {
    std::vector<WireKey> result;
    for (unsigned i = 0; i < count; ++i) result.push_back(wire(random_connection().forward));
    return result;
}

bool TableSubject::copy_to(Rival& rival) const {
    for (const auto& [forward, server] : keys_) {
        for (const WireKey& key : keys_of(forward, server)) {
            if (!rival.add(rival_key(key), 1)) return false;
        }
    }
    return true;
}

unsigned TableSubject::look_up_burst(const WireKey* wire) const {
    std::array<FlowKey, kTableBurst> keys;
    std::array<ConnectionLookup, kTableBurst> lookups;
    for (unsigned i = 0; i < kTableBurst; ++i) {
        keys[i].assign(net::Family::V4, wire[i].addresses.data(), wire[i].source_port,
                       wire[i].destination_port, Protocol::Tcp);
        table.prepare(keys[i], lookups[i]);
    }
    for (ConnectionLookup& lookup : lookups) table.find_candidate(lookup);
    for (ConnectionLookup& lookup : lookups) {
        if (lookup.elsewhere) table.find_elsewhere(lookup);
    }
    unsigned found = 0;
    for (unsigned i = 0; i < kTableBurst; ++i) {
        found += table.verify(keys[i], lookups[i], kTableNow) ? 1U : 0U;
    }
    return found;
}

// Lookup (a miss), reply buckets, reserve and init, further buckets, insert.
void TableSubject::insert_burst(const NewConnection* what, ConnectionIndex* inserted) {
    std::array<ConnectionLookup, kTableBurst> lookups;
    std::array<ConnectionIndex, kTableBurst> reserved;
    std::array<std::uint64_t, kTableBurst> reply_hashes;
    for (unsigned i = 0; i < kTableBurst; ++i) table.prepare(what[i].forward, lookups[i]);
    for (unsigned i = 0; i < kTableBurst; ++i) {
        table.find_candidate(lookups[i]);
        reserved[i] = table.reserve(kTableSelf);
        reply_hashes[i] = table.prefetch_reply(what[i]);
        table.connection(reserved[i]).init(what[i], kTableNow);
    }
    for (unsigned i = 0; i < kTableBurst; ++i) {
        table.prefetch_further(lookups[i].hash, reply_hashes[i]);
    }
    for (unsigned i = 0; i < kTableBurst; ++i) {
        inserted[i] =
            table.insert(kTableSelf, reserved[i], {lookups[i].hash, reply_hashes[i]}, kTableNow)
                .index;
    }
}

void TableSubject::quiesce() {
    for (int i = 0; i < 3; ++i) {
        quiescence_.report(kTableSelf);
        table.recycle(kTableSelf);
    }
}

}  // namespace pollux::bench
