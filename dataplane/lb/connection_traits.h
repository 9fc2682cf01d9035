// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a RecordTable sees a Connection. Internal to the connection table (and its tests).

#include "dataplane/lb/connection.h"
#include "dataplane/lb/quiescence.h"
#include "dataplane/lb/record_table.h"

namespace pollux::lb {

// Told once for each live connection that leaves the table, by the thread that removed it, while
// the record is still intact: the place to decrement counters and to release the template.
struct RemovalHook {
    void* context = nullptr;
    void (*removed)(void* context, Participant by, ConnectionIndex index,
                    const Connection& connection, ConnectionState last) noexcept = nullptr;
};

// How many half-open connections a participant has added, less those it has seen leave; the sum
// over all participants is their number. Own cache line, one writer.
struct alignas(64) EmbryonicCount {
    void add() noexcept { set(get() + 1); }
    void subtract() noexcept { set(get() - 1); }
    [[nodiscard]] std::int64_t get() const noexcept {
        return value.load(std::memory_order_relaxed);
    }

    std::atomic<std::int64_t> value{0};
    // The sum of the others, as of some insertions ago; the owner's alone.
    std::int64_t others = 0;
    std::uint32_t until_refresh = 0;

  private:
    void set(std::int64_t next) noexcept { value.store(next, std::memory_order_relaxed); }
};

class ConnectionTraits {
  public:
    using Record = Connection;

    ConnectionTraits(const AddressTable& servers, const AddressTable& locals,
                     std::span<EmbryonicCount> embryonic) noexcept
        : servers_(&servers), locals_(&locals), embryonic_(embryonic) {}

    void set_hook(RemovalHook hook) noexcept { hook_ = hook; }

    static std::uint64_t& state_word(Connection& connection) noexcept {
        return connection.state_word();
    }
    static unsigned key_count(const Connection& connection) noexcept {
        return connection.state_relaxed().has_reply_key() ? 2 : 1;
    }
    [[nodiscard]] FlowKey key(const Connection& connection, unsigned which) const noexcept {
        return which == 0 ? connection.forward_key() : connection.reply_key(*servers_, *locals_);
    }
    void read_key(const Connection& connection, unsigned which, FlowKey& out) const noexcept {
        if (which == 0) {
            connection.read_forward_key(out);
        } else {
            connection.read_reply_key(*servers_, *locals_, out);
        }
    }
    // The reply key that a record made of this will have.
    [[nodiscard]] FlowKey reply_key(const NewConnection& what) const noexcept {
        const AddressRecord& from = (*servers_)[static_cast<std::uint32_t>(what.server)];
        const FlowKey& key = what.forward;
        const bool hidden = what.method == ForwardingMethod::FullNat;
        const net::IpAddress to =
            hidden ? (*locals_)[lb::index(what.local)].address() : key.source();
        const net::Be16 to_port = hidden ? what.local_port : key.source_port();
        return FlowKey::join(from.family, from.bytes.data(), to.bytes.data(),
                             what.server_port.wire() | (std::uint32_t{to_port.wire()} << 16U),
                             key.protocol());
    }
    [[nodiscard]] bool matches(const Connection& connection, unsigned which,
                               const FlowKey& key) const noexcept {
        return has_key(connection, connection.state_relaxed(), which, key);
    }
    static Presence presence(const Connection& connection, std::uint64_t state, Tick now) noexcept {
        return connection.expired(ConnectionState::from_word(state), now) ? Presence::Expired
                                                                          : Presence::Present;
    }
    static constexpr bool has_slots(std::uint64_t) noexcept { return true; }
    static void copy_identity(Connection& to, const Connection& from) noexcept {
        to.copy_reserved(from);
    }
    void removed(Participant by, std::uint32_t record, const Connection& connection,
                 std::uint64_t last) noexcept {
        const auto state = ConnectionState::from_word(last);
        if (state.has(ConnectionFlag::Embryonic)) embryonic_[index(by)].subtract();
        if (hook_.removed != nullptr) {
            hook_.removed(hook_.context, by, ConnectionIndex{record}, connection, state);
        }
    }

    // The hot form of `matches` and `presence` together, for a packet's key.
    [[nodiscard]] bool finds(const Connection& connection, unsigned which, const FlowKey& key,
                             Tick now) const noexcept {
        const ConnectionState state = connection.state();
        return state.lifecycle() == Lifecycle::Live && has_key(connection, state, which, key) &&
               !connection.expired(state, now);
    }
    [[nodiscard]] bool has_key(const Connection& connection, ConnectionState state, unsigned which,
                               const FlowKey& key) const noexcept {
        return (state.differs_from_key(which, key.word(0)) |
                connection.differs_from_tuple(which, key, *servers_, *locals_)) == 0;
    }

  private:
    const AddressTable* servers_;
    const AddressTable* locals_;
    std::span<EmbryonicCount> embryonic_;
    RemovalHook hook_;
};

}  // namespace pollux::lb
