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
        return {client_, state_relaxed().client_is_v6() ? net::Family::V6 : net::Family::V4};
    }
    [[nodiscard]] net::IpAddress virtual_address() const noexcept {
        return {virtual_, state_relaxed().client_is_v6() ? net::Family::V6 : net::Family::V4};
    }
    // The raw bytes for rewriting: four for IPv4, sixteen for IPv6.
    [[nodiscard]] const std::array<std::uint8_t, 16>& client_bytes() const noexcept {
        return client_;
    }
    [[nodiscard]] const std::array<std::uint8_t, 16>& virtual_bytes() const noexcept {
        return virtual_;
    }
    [[nodiscard]] net::Be16 client_port() const noexcept { return forward_ports_[0]; }
    [[nodiscard]] net::Be16 virtual_port() const noexcept { return forward_ports_[1]; }
    [[nodiscard]] net::Be16 server_port() const noexcept { return reply_ports_[0]; }
    [[nodiscard]] net::Be16 local_port() const noexcept { return reply_ports_[1]; }
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
    void touch(Tick now) noexcept;
    // Writes in any case: at a change of the state's time-out.
    void restart_timeout(Tick now) noexcept;

    [[nodiscard]] bool expired(ConnectionState state, Tick now) const noexcept {
        return elapsed(last_seen(), now) >= state.timeout();
    }
    // Zero when expired.
    [[nodiscard]] Ticks expires_in(Tick now) const noexcept;

    // Keys.

    [[nodiscard]] FlowKey forward_key() const noexcept;
    // Precondition: state().has_reply_key().
    [[nodiscard]] FlowKey reply_key(const AddressTable& servers,
                                    const AddressTable& locals) const noexcept;
    // Whether the packet's addresses and ports are those of the forward or the reply key. Protocol
    // and families are in the state word: the caller compares them there.
    [[nodiscard]] bool has_forward_tuple(const FlowKey& key) const noexcept;
    [[nodiscard]] bool has_reply_tuple(const FlowKey& key, const AddressTable& servers,
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
    static bool is_v6_equal(const std::uint8_t* address, std::uint64_t low,
                            std::uint64_t high) noexcept {
        return ((load_bytes<std::uint64_t>(address) ^ low) |
                (load_bytes<std::uint64_t>(address + 8) ^ high)) == 0;
    }

    std::array<std::uint8_t, 16> client_;
    std::array<std::uint8_t, 16> virtual_;
    std::array<net::Be16, 2> forward_ports_;  // client, virtual
    std::array<net::Be16, 2> reply_ports_;    // server, local
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

inline void Connection::touch(Tick now) noexcept {
    if (elapsed(last_seen(), now) >= kTouchInterval) [[unlikely]]
        restart_timeout(now);
}

inline void Connection::restart_timeout(Tick now) noexcept {
    atomic_store(last_seen_, static_cast<std::uint32_t>(now), std::memory_order_relaxed);
}

inline Ticks Connection::expires_in(Tick now) const noexcept {
    const Ticks idle = elapsed(last_seen(), now);
    const Ticks timeout = state_relaxed().timeout();
    return idle < timeout ? timeout - idle : Ticks{0};
}

inline bool Connection::has_forward_tuple(const FlowKey& key) const noexcept {
    const auto ports =
        load_bytes<std::uint32_t>(forward_ports_.data());  // client port, virtual port
    if (!key.is_v6()) [[likely]] {
        const auto client = load_bytes<std::uint32_t>(client_.data());
        const std::uint64_t destination = load_bytes<std::uint32_t>(virtual_.data());
        return (((client | (destination << 32U)) ^ key.word(1)) | (ports ^ key.ports())) == 0;
    }
    return is_v6_equal(client_.data(), key.word(1), key.word(2)) &&
           is_v6_equal(virtual_.data(), key.word(3), key.word(4)) && ports == key.ports();
}

inline bool Connection::has_reply_tuple(const FlowKey& key, const AddressTable& servers,
                                        const AddressTable& locals) const noexcept {
    const auto ports = load_bytes<std::uint32_t>(reply_ports_.data());  // server port, local port
    const std::uint8_t* source = servers[static_cast<std::uint32_t>(server())].bytes.data();
    const LocalAddressId local = local_address();
    const std::uint8_t* destination =
        local == kNoLocalAddress ? client_.data() : locals[index(local)].bytes.data();
    if (!key.is_v6()) [[likely]] {
        const auto from = load_bytes<std::uint32_t>(source);
        const std::uint64_t to = load_bytes<std::uint32_t>(destination);
        return (((from | (to << 32U)) ^ key.word(1)) | (ports ^ key.ports())) == 0;
    }
    return is_v6_equal(source, key.word(1), key.word(2)) &&
           is_v6_equal(destination, key.word(3), key.word(4)) && ports == key.ports();
}

}  // namespace pollux::lb
