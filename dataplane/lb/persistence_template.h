// SPDX-License-Identifier: Apache-2.0
#pragma once

// PersistenceTemplate: one client's binding to a real server, a 64-byte record in the memory
// region. Internal to PersistenceTable. The identity is written before the template is published;
// everything that changes is in the state word.

#include <array>
#include <cstdint>
#include <type_traits>

#include "dataplane/lb/atomic_access.h"
#include "dataplane/lb/connection.h"
#include "dataplane/lb/flow_key.h"
#include "dataplane/lb/lifecycle.h"
#include "dataplane/lb/quiescence.h"
#include "dataplane/lb/record_table.h"
#include "dataplane/lb/tick.h"

namespace pollux::lb {

// LVS (ip_vs_conn_expire): what a template gets that runs out while connections hang on it.
inline constexpr Ticks kTemplateRearm = std::chrono::seconds(60);

//   0         3         4         5             6             32          64
//   | life 3  | assured | rearmed | unreachable | connections | expires   |
class TemplateState {
  public:
    constexpr TemplateState() noexcept = default;
    static constexpr TemplateState from_word(std::uint64_t word) noexcept {
        TemplateState state;
        state.word_ = word;
        return state;
    }
    static constexpr std::uint32_t kMaxConnections = (1U << 26U) - 1;

    [[nodiscard]] constexpr std::uint64_t word() const noexcept { return word_; }
    [[nodiscard]] constexpr Lifecycle lifecycle() const noexcept {
        return static_cast<Lifecycle>(word_ & 7U);
    }
    [[nodiscard]] constexpr bool assured() const noexcept { return (word_ & kAssured) != 0; }
    [[nodiscard]] constexpr bool rearmed() const noexcept { return (word_ & kRearmed) != 0; }
    [[nodiscard]] constexpr bool unreachable() const noexcept {
        return (word_ & kUnreachable) != 0;
    }
    [[nodiscard]] constexpr std::uint32_t connections() const noexcept {
        return static_cast<std::uint32_t>(word_ >> 6U) & kMaxConnections;
    }
    [[nodiscard]] constexpr Tick expires() const noexcept {
        return Tick{static_cast<std::uint32_t>(word_ >> 32U)};
    }
    // The time is over; what hangs on it is another matter.
    [[nodiscard]] constexpr bool is_due(Tick now) const noexcept {
        return static_cast<std::int32_t>(static_cast<std::uint32_t>(now) -
                                         static_cast<std::uint32_t>(expires())) >= 0;
    }
    // Over, and nothing hangs on it.
    [[nodiscard]] constexpr bool has_ended(Tick now) const noexcept {
        return is_due(now) && connections() == 0;
    }

    [[nodiscard]] constexpr TemplateState with_lifecycle(Lifecycle lifecycle) const noexcept {
        return from_word((word_ & ~std::uint64_t{7}) | static_cast<std::uint64_t>(lifecycle));
    }
    [[nodiscard]] constexpr TemplateState with_assured() const noexcept {
        return from_word(word_ | kAssured);
    }
    [[nodiscard]] constexpr TemplateState with_unreachable() const noexcept {
        return from_word(word_ | kUnreachable);
    }
    [[nodiscard]] constexpr TemplateState with_connections(std::uint32_t count) const noexcept {
        constexpr std::uint64_t kMask = std::uint64_t{kMaxConnections} << 6U;
        return from_word((word_ & ~kMask) | (std::uint64_t{count} << 6U));
    }
    [[nodiscard]] constexpr TemplateState with_expires(Tick expires) const noexcept {
        return from_word((word_ & 0xffffffffU) | (static_cast<std::uint64_t>(expires) << 32U));
    }
    // If connections held it beyond its end: as LVS's timer would have left it by now, a whole
    // number of re-arms later.
    [[nodiscard]] constexpr TemplateState rearmed_until(Tick now) const noexcept {
        if (!is_due(now) || connections() == 0) return *this;
        const std::uint32_t late = elapsed(expires(), now).count();
        const std::uint32_t rounds = late / kTemplateRearm.count() + 1;
        return from_word(word_ | kRearmed)
            .with_expires(expires() + Ticks{rounds * kTemplateRearm.count()});
    }

    friend constexpr bool operator==(TemplateState, TemplateState) noexcept = default;

  private:
    static constexpr std::uint64_t kAssured = 1U << 3U;
    static constexpr std::uint64_t kRearmed = 1U << 4U;
    static constexpr std::uint64_t kUnreachable = 1U << 5U;

    std::uint64_t word_ = 0;
};

//   0                          40          48      56         60             62       63   64
//   | key 40                   | server 32 | state | time-out | server port  | method | 0  |
//   |                          | service 32|       |          |              |        |    |
struct alignas(64) PersistenceTemplate {
    FlowKey key;
    std::uint32_t server;
    std::uint32_t service;
    std::uint64_t state;  // atomic: TemplateState
    Ticks timeout;        // before the first re-arm
    net::Be16 server_port;
    ForwardingMethod method;
    std::uint8_t zero;

    [[nodiscard]] TemplateState load() const noexcept {
        // Acquire: a live state makes the identity visible.
        return TemplateState::from_word(atomic_load(state, std::memory_order_acquire));
    }
    // On failure `expected` is what another worker made of it.
    bool change(TemplateState& expected, TemplateState desired) noexcept {
        std::uint64_t word = expected.word();
        if (atomic_exchange_if(state, word, desired.word(), std::memory_order_acq_rel)) return true;
        expected = TemplateState::from_word(word);
        return false;
    }
};
static_assert(sizeof(PersistenceTemplate) == 64);
static_assert(std::is_trivially_copyable_v<PersistenceTemplate>);

// A reader's copy; see persistence_table.h.
struct TemplateView {
    TemplateIndex index = kNoTemplate;
    FlowKey key;
    ServiceId service = kNoService;
    RealServerId server = kNoRealServer;
    ForwardingMethod method{};
    net::Be16 server_port;
    std::uint32_t connections = 0;  // that hang on it
    Ticks expires_in{};
    bool assured = false;      // one of its connections was established (LVS: ASSURED)
    bool unreachable = false;  // LVS shows it with port 65535
};
[[nodiscard]] TemplateView view_of(TemplateIndex index, const PersistenceTemplate& record,
                                   TemplateState state, Tick now) noexcept;

// Told once for each template that is freed, by the thread that removed it.
struct TemplateRemovalHook {
    void* context = nullptr;
    void (*removed)(void* context, Participant by, const TemplateView& last) noexcept = nullptr;
};

// How a RecordTable sees a template.
class TemplateTraits {
  public:
    using Record = PersistenceTemplate;

    void set_hook(TemplateRemovalHook hook) noexcept { hook_ = hook; }

    static std::uint64_t& state_word(PersistenceTemplate& record) noexcept { return record.state; }
    static constexpr unsigned key_count(const PersistenceTemplate&) noexcept { return 1; }
    static FlowKey key(const PersistenceTemplate& record, unsigned) noexcept { return record.key; }
    static void read_key(const PersistenceTemplate& record, unsigned, FlowKey& out) noexcept {
        out = record.key;
    }
    static bool matches(const PersistenceTemplate& record, unsigned, const FlowKey& key) noexcept {
        return record.key == key;
    }
    static Presence presence(const PersistenceTemplate&, std::uint64_t word, Tick now) noexcept {
        const auto state = TemplateState::from_word(word);
        if (state.unreachable()) return Presence::Detached;
        return state.has_ended(now) ? Presence::Expired : Presence::Present;
    }
    static bool has_slots(std::uint64_t word) noexcept {
        return !TemplateState::from_word(word).unreachable();
    }
    static void copy_identity(PersistenceTemplate& to, const PersistenceTemplate& from) noexcept;
    void removed(Participant by, std::uint32_t record, const PersistenceTemplate& removed,
                 std::uint64_t last) noexcept {
        if (hook_.removed == nullptr) return;
        const auto state = TemplateState::from_word(last);
        hook_.removed(hook_.context, by,
                      view_of(TemplateIndex{record}, removed, state, state.expires()));
    }

  private:
    TemplateRemovalHook hook_;
};

}  // namespace pollux::lb
