// SPDX-License-Identifier: Apache-2.0
#pragma once

// Builders for tests of the tables: a table with all that it stands on, and connections in a line.

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "dataplane/lb/connection_table.h"
#include "dataplane/lb/persistence_table.h"

namespace pollux::test {

inline lb::Participant participant_at(unsigned i) {
    return lb::Participant{static_cast<std::uint16_t>(i)};
}

inline net::IpAddress ip(const std::string& text) {
    const auto address = net::IpAddress::parse(text);
    if (!address.has_value()) throw std::invalid_argument(text);
    return *address;
}

inline net::IpAddress ip4(std::uint32_t host) {
    return net::IpAddress::from_v4(net::Ipv4Address::from_host(host));
}

inline net::Be16 be(unsigned port) {
    return net::Be16::from_host(static_cast<std::uint16_t>(port));
}

inline lb::FlowKey tcp_key(const std::string& from, unsigned from_port, const std::string& to,
                           unsigned to_port) {
    return lb::FlowKey::make(ip(from), be(from_port), ip(to), be(to_port), lb::Protocol::Tcp);
}

constexpr lb::Tick at_second(unsigned seconds) {
    return lb::Tick{seconds * 16};
}

inline lb::MemoryRegion make_region(const lb::RegionPlan& plan) {
    auto region = lb::MemoryRegion::create(plan, {false, {}});
    if (!region.ok()) throw std::runtime_error(region.error().message);
    return std::move(region.value());
}

// Servers 0..7: 10.0.0.1..8, 8..15: fd00::1..8; local addresses 0, 1: 192.168.9.1, 2;
// 2: fd00:9::1.
class Addresses {
  public:
    Addresses() : server_records_(64), local_records_(4) {
        for (unsigned i = 0; i < 8; ++i) {
            servers.set(i, ip("10.0.0." + std::to_string(i + 1)), be(80));
            servers.set(8 + i, ip("fd00::" + std::to_string(i + 1)), be(80));
        }
        locals.set(0, ip("192.168.9.1"), be(0));
        locals.set(1, ip("192.168.9.2"), be(0));
        locals.set(2, ip("fd00:9::1"), be(0));
    }

  private:
    std::vector<lb::AddressRecord> server_records_;
    std::vector<lb::AddressRecord> local_records_;

  public:
    lb::AddressTable servers{server_records_};
    lb::AddressTable locals{local_records_};
};

// A connection table for `participants` threads, all online.
class TableFixture {
  public:
    explicit TableFixture(std::uint32_t max_connections, unsigned participants = 2,
                          double embryonic_share = 0.25)
        : quiescence(participants),
          limits{max_connections, participants, embryonic_share, {1, 2, 3, 4}},
          region_(make_region(plan_of(limits))),
          table(limits, region_, quiescence, addresses.servers, addresses.locals) {
        for (unsigned i = 0; i < participants; ++i) quiescence.online(participant_at(i));
    }

    // Inserts and returns the result; a full pool gives IndexFull.
    lb::InsertResult insert(const lb::NewConnection& what, lb::Tick now,
                            lb::Participant self = lb::Participant{0}) {
        const lb::ConnectionIndex reserved = table.reserve(self);
        if (reserved == lb::kNoConnection) return {};
        table.connection(reserved).init(what, now);
        lb::ConnectionLookup lookup;
        table.prepare(what.forward, lookup);
        return table.insert(self, reserved, lookup.hash, now);
    }
    // As the packet path looks up.
    [[nodiscard]] lb::FoundConnection find(const lb::FlowKey& key, lb::Tick now) const {
        lb::ConnectionLookup lookup;
        table.prepare(key, lookup);
        table.find_candidate(lookup);
        if (lookup.elsewhere) table.find_elsewhere(lookup);
        return table.verify(key, lookup, now);
    }
    // Every participant passes a quiescent point, often enough that all retired records come back.
    void quiesce() {
        for (int round = 0; round < 4; ++round) {
            for (unsigned i = 0; i < limits.participants; ++i) {
                quiescence.report(participant_at(i));
                table.recycle(participant_at(i));
            }
        }
    }

  private:
    static lb::RegionPlan plan_of(const lb::ConnectionTableLimits& limits) {
        lb::RegionPlan plan;
        lb::ConnectionTable::plan(plan, limits);
        return plan;
    }

  public:
    Addresses addresses;
    lb::Quiescence quiescence;
    const lb::ConnectionTableLimits limits;

  private:
    lb::MemoryRegion region_;

  public:
    lb::ConnectionTable table;
};

// A NAT connection of a client to 203.0.113.1:80, mapped to server 0 port 8080, established.
inline lb::NewConnection nat(const std::string& client, unsigned client_port) {
    lb::NewConnection what;
    what.forward = tcp_key(client, client_port, "203.0.113.1", 80);
    what.service = lb::ServiceId{5};
    what.server = lb::RealServerId{0};
    what.method = lb::ForwardingMethod::Nat;
    what.server_port = be(8080);
    what.protocol_state = 1;
    what.timeout = std::chrono::seconds(900);
    return what;
}

inline lb::NewConnection direct(const std::string& client, unsigned client_port) {
    lb::NewConnection what = nat(client, client_port);
    what.method = lb::ForwardingMethod::DirectRouting;
    what.server_port = be(80);
    return what;
}

}  // namespace pollux::test
