// SPDX-License-Identifier: Apache-2.0
#pragma once

// Connection: one tracked flow in one 64-byte cache line, IPv4 and IPv6, all forwarding methods
// (decision D6). Lies in the memory region and is named by its 32-bit position (D5). The identity
// is written once before the connection is published in the index; the state word and the last-seen
// time are atomic and may be changed by any worker while it is inside a burst.

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "dataplane/lb/address_table.h"
#include "dataplane/lb/atomic_access.h"
#include "dataplane/lb/branchless.h"
#include "dataplane/lb/connection_state.h"
#include "dataplane/lb/flow_key.h"
#include "dataplane/lb/ids.h"
#include "dataplane/lb/tick.h"

namespace pollux::lb {

// Position of a connection, of a persistence template, of a FullNAT local address.
enum class ConnectionIndex : std::uint32_t {};
enum class TemplateIndex : std::uint32_t {};
enum class LocalAddressId : std::uint16_t {};

inline constexpr ConnectionIndex kNoConnection{0};  // position 0 is never given out
inline constexpr TemplateIndex kNoTemplate{0};      // position 0 is never given out
inline constexpr LocalAddressId kNoLocalAddress{0xffff};

constexpr std::uint32_t index(ConnectionIndex i) noexcept {
    return static_cast<std::uint32_t>(i);
}
constexpr std::uint32_t index(TemplateIndex i) noexcept {
    return static_cast<std::uint32_t>(i);
}
constexpr std::uint32_t index(LocalAddressId i) noexcept {
    return static_cast<std::uint32_t>(i);
}

// Largest identifiers that a record can hold.
inline constexpr std::uint32_t kMaxServerId = (1U << 24U) - 1;
inline constexpr std::uint32_t kMaxServiceId = (1U << 24U) - 1;

// How old the last-seen time may get before a packet writes it (decision D7): a connection may
// therefore expire up to a second early when its last packet did not write.
inline constexpr Ticks kTouchInterval = std::chrono::seconds(1);

// Which of a connection's two keys.
enum class Direction : std::uint8_t {
    Forward = 0,  // client -> virtual address
    Reply = 1,    // server -> client (NAT) or server -> local address (FullNAT)
};

// What a new connection is made of.
struct NewConnection {
    FlowKey forward;  // the client's packet: client -> virtual address
    ServiceId service = kNoService;
    RealServerId server = kNoRealServer;
    ForwardingMethod method = ForwardingMethod::Nat;
    bool server_is_v6 = false;               // equals forward.is_v6() but for FullNAT and tunnels
    net::Be16 server_port;                   // NAT, FullNAT; else the virtual port
    LocalAddressId local = kNoLocalAddress;  // FullNAT; insert_with_local_port fills it in
    net::Be16 local_port;                    // FullNAT; likewise
    TemplateIndex persistence = kNoTemplate;
    std::uint8_t protocol_state = 0;
    Ticks timeout{};
    std::uint16_t flags = 0;  // ConnectionFlag values, or-ed
};

//   0               16               32            36            40           48       56      60
//   | client        | virtual        | client port | server port | server 24  | state  | last  |
//   tpl | | address       | address        | virt. port  | local port  | service 24 | word   | seen
//   |     | |               |                |             |             | local 16   |        | |
//   |
//
// Ports and addresses in network order. For NAT the local port is the client's port, so that the
// four bytes at 36 are the ports of the reply for NAT and FullNAT alike.
class alignas(64) Connection {
  public:
    // Only the thread that holds the record reserved, before it is inserted.
    void init(const NewConnection& what, Tick now) noexcept;
    // FullNAT, while still reserved.
    void set_local(LocalAddressId local, net::Be16 port) noexcept;

    // The table's own: the identity of a reserved record that lost a race, for another attempt.
    void copy_reserved(const Connection& from) noexcept;

    // Identity: constant from insertion until quiescence after removal.

    [[nodiscard]] net::IpAddress client_address() const noexcept {
        return {addresses_[0], state_relaxed().client_is_v6() ? net::Family::V6 : net::Family::V4};
    }
    [[nodiscard]] net::IpAddress virtual_address() const noexcept {
        return {addresses_[1], state_relaxed().client_is_v6() ? net::Family::V6 : net::Family::V4};
    }
    // The raw bytes for rewriting: four for IPv4, sixteen for IPv6.
    [[nodiscard]] const std::array<std::uint8_t, 16>& client_bytes() const noexcept {
        return addresses_[0];
    }
    [[nodiscard]] const std::array<std::uint8_t, 16>& virtual_bytes() const noexcept {
        return addresses_[1];
    }
    [[nodiscard]] net::Be16 client_port() const noexcept { return ports_[0][0]; }
    [[nodiscard]] net::Be16 virtual_port() const noexcept { return ports_[0][1]; }
    [[nodiscard]] net::Be16 server_port() const noexcept { return ports_[1][0]; }
    [[nodiscard]] net::Be16 local_port() const noexcept { return ports_[1][1]; }
    [[nodiscard]] RealServerId server() const noexcept {
        return RealServerId{static_cast<std::uint32_t>(binding_ & kMaxServerId)};
    }
    [[nodiscard]] ServiceId service() const noexcept {
        return ServiceId{static_cast<std::uint32_t>((binding_ >> 24U) & kMaxServiceId)};
    }
    [[nodiscard]] LocalAddressId local_address() const noexcept {
        return LocalAddressId{static_cast<std::uint16_t>(binding_ >> 48U)};
    }
    [[nodiscard]] TemplateIndex persistence() const noexcept { return TemplateIndex{template_}; }

    // What changes.

    // Acquire: pairs with the release in change_state, so that what was written before a state
    // became visible is seen with it.
    [[nodiscard]] ConnectionState state() const noexcept;
    // The state as it was when the connection was found; no ordering.
    [[nodiscard]] ConnectionState state_relaxed() const noexcept;
    // One compare-and-swap; on failure `expected` is what another worker made of it, and the caller
    // decides anew. Call it only when something changes (decision D7). The lifecycle must stay as
    // it is: only the table changes it. The caller that changed Active or Embryonic does the
    // counting for it, so each change is counted once.
    bool change_state(ConnectionState& expected, ConnectionState desired) noexcept;

    [[nodiscard]] Tick last_seen() const noexcept;
    // Called for each packet; writes at most once a second and connection.
    void touch(Tick now) noexcept {
        std::uint32_t nowhere = 0;
        touch(now, idle(now), nowhere);
    }
    // The same with the idle() of `now` and free of branches, since with many connections no
    // predictor can tell whose second is over: what is not to be written goes to `elsewhere`.
    void touch(Tick now, std::int32_t idle, std::uint32_t& elsewhere) noexcept;
    // Writes in any case: at a change of the state's time-out.
    void restart_timeout(Tick now) noexcept;

    // Ticks since the last packet. Signed, as in `elapsed`: a last-seen time ahead of `now` is not
    // old.
    [[nodiscard]] std::int32_t idle(Tick now) const noexcept {
        return static_cast<std::int32_t>(static_cast<std::uint32_t>(now) -
                                         static_cast<std::uint32_t>(last_seen()));
    }
    [[nodiscard]] bool expired(ConnectionState state, Tick now) const noexcept {
        return idle(now) >= static_cast<std::int32_t>(state.timeout().count());
    }
    // Zero when expired.
    [[nodiscard]] Ticks expires_in(Tick now) const noexcept;

    // Keys.

    [[nodiscard]] FlowKey forward_key() const noexcept {
        FlowKey key;
        read_forward_key(key);
        return key;
    }
    // Precondition: state().has_reply_key().
    [[nodiscard]] FlowKey reply_key(const AddressTable& servers,
                                    const AddressTable& locals) const noexcept {
        FlowKey key;
        read_reply_key(servers, locals, key);
        return key;
    }
    // The same in place: see FlowKey::assign.
    void read_forward_key(FlowKey& out) const noexcept;
    void read_reply_key(const AddressTable& servers, const AddressTable& locals,
                        FlowKey& out) const noexcept;
    // 0: the packet's addresses and ports are those of the forward (0) or reply (1) key. Protocol
    // and family are in the state word: the caller compares them there.
    [[nodiscard]] std::uint64_t differs_from_tuple(unsigned which, const FlowKey& key,
                                                   const AddressTable& servers,
                                                   const AddressTable& locals) const noexcept;

    // The state word as the table handles it: every access is atomic.
    [[nodiscard]] std::uint64_t& state_word() noexcept { return state_; }

  private:
    template <typename T>
    static T load_bytes(const void* from) noexcept {
        T value;
        std::memcpy(&value, from, sizeof value);
        return value;
    }

    void store_addresses(const FlowKey& key) noexcept;

    std::array<std::array<std::uint8_t, 16>, 2> addresses_;  // client, virtual
    std::array<std::array<net::Be16, 2>, 2> ports_;          // client, virtual; server, local
    std::uint64_t binding_;
    std::uint64_t state_;      // atomic: ConnectionState
    std::uint32_t last_seen_;  // atomic: Tick
    std::uint32_t template_;
};
static_assert(sizeof(Connection) == 64 && alignof(Connection) == 64);
static_assert(std::is_trivially_copyable_v<Connection>);

inline ConnectionState Connection::state() const noexcept {
    return ConnectionState::from_word(atomic_load(state_, std::memory_order_acquire));
}

inline ConnectionState Connection::state_relaxed() const noexcept {
    return ConnectionState::from_word(atomic_load(state_, std::memory_order_relaxed));
}

inline bool Connection::change_state(ConnectionState& expected, ConnectionState desired) noexcept {
    std::uint64_t word = expected.word();
    // Release and acquire: what a worker wrote before its change is seen after the next one.
    if (atomic_exchange_if(state_, word, desired.word(), std::memory_order_acq_rel)) return true;
    expected = ConnectionState::from_word(word);
    return false;
}

inline Tick Connection::last_seen() const noexcept {
    return Tick{atomic_load(last_seen_, std::memory_order_relaxed)};  // a time; guards nothing
}

inline void Connection::touch(Tick now, std::int32_t idle, std::uint32_t& elsewhere) noexcept {
    const bool due = idle >= static_cast<std::int32_t>(kTouchInterval.count());
    std::uint32_t& target = *select(due, &last_seen_, &elsewhere);
    atomic_store(target, static_cast<std::uint32_t>(now), std::memory_order_relaxed);
}

inline void Connection::restart_timeout(Tick now) noexcept {
    atomic_store(last_seen_, static_cast<std::uint32_t>(now), std::memory_order_relaxed);
}

inline Ticks Connection::expires_in(Tick now) const noexcept {
    const Ticks idle = elapsed(last_seen(), now);
    const Ticks timeout = state_relaxed().timeout();
    return idle < timeout ? timeout - idle : Ticks{0};
}

// Free of branches on the direction, which in NAT traffic changes from packet to packet.
inline std::uint64_t Connection::differs_from_tuple(unsigned which, const FlowKey& key,
                                                    const AddressTable& servers,
                                                    const AddressTable& locals) const noexcept {
    const bool is_reply = which != 0;
    const std::uint8_t* from = select(
        is_reply, servers.bytes_at(static_cast<std::uint32_t>(server())), addresses_[0].data());
    const std::uint8_t* to = addresses_[1 - which].data();  // virtual, or the client
    if (const LocalAddressId local = local_address(); local != kNoLocalAddress) [[unlikely]] {
        to = select(is_reply, locals.bytes_at(static_cast<std::uint32_t>(local)), to);
    }
    const std::uint32_t ports = load_bytes<std::uint32_t>(ports_[which].data()) ^ key.ports();
    if (!key.is_v6()) [[likely]] {
        const std::uint64_t source = load_bytes<std::uint32_t>(from);
        const std::uint64_t destination = load_bytes<std::uint32_t>(to);
        return ((source | (destination << 32U)) ^ key.word(1)) | ports;
    }
    return (load_bytes<std::uint64_t>(from) ^ key.word(1)) |
           (load_bytes<std::uint64_t>(from + 8) ^ key.word(2)) |
           (load_bytes<std::uint64_t>(to) ^ key.word(3)) |
           (load_bytes<std::uint64_t>(to + 8) ^ key.word(4)) | ports;
}

}  // namespace pollux::lb
