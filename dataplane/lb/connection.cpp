// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/connection.h"

#include <cassert>

namespace pollux::lb {
namespace {

constexpr std::uint64_t pack_binding(RealServerId server, ServiceId service,
                                     LocalAddressId local) noexcept {
    return (static_cast<std::uint64_t>(server) & kMaxServerId) |
           ((static_cast<std::uint64_t>(service) & kMaxServiceId) << 24U) |
           (static_cast<std::uint64_t>(local) << 48U);
}

}  // namespace

void Connection::init(const NewConnection& what, Tick now) noexcept {
    const FlowKey& key = what.forward;
    store_addresses(key);
    ports_[0] = {key.source_port(), key.destination_port()};
    // NAT: the server answers the client's own port.
    const bool full_nat = what.method == ForwardingMethod::FullNat;
    ports_[1] = {what.server_port, full_nat ? what.local_port : key.source_port()};
    binding_ = pack_binding(what.server, what.service, full_nat ? what.local : kNoLocalAddress);
    template_ = index(what.persistence);
    restart_timeout(now);
    const auto state = ConnectionState{}
                           .with_lifecycle(Lifecycle::Building)
                           .with_protocol_state(what.protocol_state)
                           .with_timeout(what.timeout)
                           .with_flags(what.flags)
                           .with_protocol(key.protocol())
                           .with_method(what.method)
                           .with_families(key.is_v6(), what.server_is_v6);
    // Relaxed: published by the placing of the slots and the change to Live.
    atomic_store(state_, state.word(), std::memory_order_relaxed);
}

void Connection::set_local(LocalAddressId local, net::Be16 port) noexcept {
    binding_ = pack_binding(server(), service(), local);
    ports_[1][1] = port;
}

void Connection::copy_reserved(const Connection& from) noexcept {
    addresses_ = from.addresses_;
    ports_ = from.ports_;
    binding_ = from.binding_;
    template_ = from.template_;
    restart_timeout(from.last_seen());
    atomic_store(state_, from.state_relaxed().with_lifecycle(Lifecycle::Building).word(),
                 std::memory_order_relaxed);
}

// IPv4 addresses take four bytes, the rest is zero.
void Connection::store_addresses(const FlowKey& key) noexcept {
    const bool is_v6 = key.is_v6();
    const std::uint64_t words[4] = {
        is_v6 ? key.word(1) : key.word(1) & 0xffffffffU,
        is_v6 ? key.word(2) : 0,
        is_v6 ? key.word(3) : key.word(1) >> 32U,
        is_v6 ? key.word(4) : 0,
    };
    for (unsigned i = 0; i < 4; ++i) {
        std::memcpy(addresses_[i / 2].data() + 8 * (i % 2), &words[i], sizeof words[i]);
    }
}

void Connection::read_forward_key(FlowKey& out) const noexcept {
    const ConnectionState state = state_relaxed();
    out.assign_joined(state.client_is_v6() ? net::Family::V6 : net::Family::V4,
                      addresses_[0].data(), addresses_[1].data(),
                      load_bytes<std::uint32_t>(ports_[0].data()), state.protocol());
}

void Connection::read_reply_key(const AddressTable& servers, const AddressTable& locals,
                                FlowKey& out) const noexcept {
    const AddressRecord& from = servers[static_cast<std::uint32_t>(server())];
    const LocalAddressId local = local_address();
    assert((local == kNoLocalAddress ? state_relaxed().client_is_v6()
                                     : locals[index(local)].family == net::Family::V6) ==
               (from.family == net::Family::V6) &&
           "a reply has one family");
    const std::uint8_t* const to =
        local == kNoLocalAddress ? addresses_[0].data() : locals[index(local)].bytes.data();
    out.assign_joined(from.family, from.bytes.data(), to,
                      load_bytes<std::uint32_t>(ports_[1].data()), state_relaxed().protocol());
}

}  // namespace pollux::lb
