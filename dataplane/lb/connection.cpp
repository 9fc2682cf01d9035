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
    addresses_ = {key.source().bytes, key.destination().bytes};
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

FlowKey Connection::forward_key() const noexcept {
    return FlowKey::make(client_address(), client_port(), virtual_address(), virtual_port(),
                         state_relaxed().protocol());
}

FlowKey Connection::reply_key(const AddressTable& servers,
                              const AddressTable& locals) const noexcept {
    const net::IpAddress from = servers[static_cast<std::uint32_t>(server())].address();
    const LocalAddressId local = local_address();
    const net::IpAddress to =
        local == kNoLocalAddress ? client_address() : locals[index(local)].address();
    assert(from.family == to.family && "a reply has one family");
    return FlowKey::make(from, server_port(), to, local_port(), state_relaxed().protocol());
}

}  // namespace pollux::lb
