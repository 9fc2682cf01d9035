// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/table_subject.h"

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace pollux::bench {
namespace {

using namespace lb;

constexpr unsigned kServers = 64;

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

FlowKey flow_key(const WireKey& key) {
    return FlowKey::from_wire(net::Family::V4, key.addresses.data(), key.source_port,
                              key.destination_port, Protocol::Tcp);
}

TableSubject::TableSubject(std::uint32_t connections)
    : server_records_(kServers),
      servers_(server_records_),
      limits_{connections, 1, 1.0, {11, 22, 33, 44}},
      region_(region_for(limits_)) {
    for (unsigned i = 0; i < kServers; ++i) servers_.set(i, server_address(i), port(8080));
    quiescence_.online(kTableSelf);
    kept_.reserve(connections);
    for (std::uint32_t i = kNewConnections; i < connections; ++i) {
        const NewConnection what = random_connection();
        const ConnectionIndex reserved = table.reserve(kTableSelf);
        table.connection(reserved).init(what, kTableNow);
        ConnectionLookup lookup;
        table.prepare(what.forward, lookup);
        const InsertResult result = table.insert(kTableSelf, reserved, {lookup.hash, 0}, kTableNow);
        if (result.status == InsertStatus::Inserted) {
            kept_.push_back({what.forward, what.server, result.index});
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
        const Kept& kept = kept_[random_() % kept_.size()];
        result.push_back(keys_of(kept.forward, kept.server)[static_cast<std::size_t>(direction)]);
    }
    return result;
}

std::vector<WireKey> TableSubject::misses(unsigned count) {
    std::vector<WireKey> result;
    for (unsigned i = 0; i < count; ++i) result.push_back(wire(random_connection().forward));
    return result;
}

bool TableSubject::copy_to(Rival& rival) const {
    for (const Kept& kept : kept_) {
        for (const WireKey& key : keys_of(kept.forward, kept.server)) {
            if (!rival.add(rival_key(flow_key(key)), 1)) return false;
        }
    }
    return true;
}

bool TableSubject::copy_with_records_to(Rival& rival) const {
    for (const Kept& kept : kept_) {
        const auto record = reinterpret_cast<std::uintptr_t>(&table.connection(kept.index));
        for (const WireKey& wire : keys_of(kept.forward, kept.server)) {
            const FlowKey key = flow_key(wire);
            const auto hash = static_cast<std::uint32_t>(hash_(key));
            if (!rival.add(rival_key(key), hash, record)) return false;
        }
    }
    return true;
}

unsigned TableSubject::look_up_burst(const Rival& rival, const WireKey* wire) const {
    std::array<RivalKey, kTableBurst> keys;
    std::array<std::uint32_t, kTableBurst> hashes;
    std::array<std::uintptr_t, kTableBurst> records;
    for (unsigned i = 0; i < kTableBurst; ++i) {
        const FlowKey key = flow_key(wire[i]);
        keys[i] = rival_key(key);
        hashes[i] = static_cast<std::uint32_t>(hash_(key));
    }
    const auto lowest = [](std::uint64_t bits) {
        return static_cast<std::size_t>(std::countr_zero(bits));
    };
    const std::uint64_t hits = rival.look_up(keys, hashes, records);
    for (std::uint64_t left = hits; left != 0; left &= left - 1) {
        __builtin_prefetch(reinterpret_cast<const void*>(records[lowest(left)]));
    }
    unsigned found = 0;
    for (std::uint64_t left = hits; left != 0; left &= left - 1) {
        const auto& connection = *reinterpret_cast<const Connection*>(records[lowest(left)]);
        const ConnectionState state = connection.state();
        const bool live = state.lifecycle() == Lifecycle::Live;
        found += live && !connection.expired(state, kTableNow) ? 1U : 0U;
    }
    return found;
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
