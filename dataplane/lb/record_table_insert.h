// SPDX-License-Identifier: Apache-2.0
#pragma once

// The writing half of RecordTable: publish, remove, sweep. Included by the source files that make a
// table of it (and by tests that build one without a safeguard), not by the packet path.

#include <algorithm>

#include "dataplane/lb/record_table.h"

namespace pollux::lb {

template <typename Traits, typename Protocol>
bool RecordTable<Traits, Protocol>::change(std::uint32_t record, Lifecycle from,
                                           Lifecycle to) noexcept {
    std::uint64_t& word = traits_.state_word(records_[record]);
    std::uint64_t seen = state(record);
    const auto order = to == Lifecycle::Live ? Protocol::kBecomeLive : std::memory_order_seq_cst;
    while (lifecycle(seen) == from) {
        const std::uint64_t changed = (seen & ~kLifecycleMask) | static_cast<std::uint64_t>(to);
        Protocol::step();
        if (atomic_exchange_if(word, seen, changed, order)) return true;
    }
    return false;
}

template <typename Traits, typename Protocol>
auto RecordTable<Traits, Protocol>::keys_of(std::uint32_t record) const noexcept -> Keys {
    const Record& which = records_[record];
    Keys keys;
    keys.count = traits_.key_count(which);
    for (unsigned i = 0; i < keys.count; ++i) {
        traits_.read_key(which, i, keys.key[i]);
        keys.hash[i] = hash_(keys.key[i]);
    }
    return keys;
}

// The second key first, the one that packets of the same flow race for last: it is contended for as
// shortly as possible.
template <typename Traits, typename Protocol>
bool RecordTable<Traits, Protocol>::place_all(Participant self, std::uint32_t record,
                                              const Keys& keys) noexcept {
    for (unsigned i = keys.count; i-- > 0;) {
        Protocol::step();
        const Placement where = index_.place(keys.hash[i], record, i);
        if (where == Placement::Nowhere) {
            while (++i < keys.count) clear_key(self, record, keys, i);
            return false;
        }
        use_[lb::index(self)].add(where, 1);
    }
    return true;
}

template <typename Traits, typename Protocol>
void RecordTable<Traits, Protocol>::clear_key(Participant self, std::uint32_t record,
                                              const Keys& keys, unsigned which) noexcept {
    Protocol::step();
    const Placement where = index_.clear(keys.hash[which], record, which);
    if (where != Placement::Nowhere) use_[lb::index(self)].add(where, -1);
}

template <typename Traits, typename Protocol>
void RecordTable<Traits, Protocol>::clear_all(Participant self, std::uint32_t record,
                                              const Keys& keys) noexcept {
    for (unsigned i = 0; i < keys.count; ++i) clear_key(self, record, keys, i);
}

template <typename Traits, typename Protocol>
void RecordTable<Traits, Protocol>::retire(Participant self, std::uint32_t record) noexcept {
    if constexpr (Protocol::kWaitForQuiescence) {
        pool_.retire(self, record);
    } else {
        pool_.give_back(self, record);
    }
}

// visit(rival, which of our keys) -> true to stop.
template <typename Traits, typename Protocol>
template <typename Visit>
void RecordTable<Traits, Protocol>::for_each_rival(std::uint32_t record, const Keys& keys,
                                                   Visit&& visit) noexcept {
    if constexpr (!Protocol::kSearchForRivals) return;
    for (unsigned i = 0; i < keys.count; ++i) {
        Protocol::step();
        const bool stopped = index_.search(keys.hash[i], [&](std::uint64_t word) {
            const std::uint32_t other = SlotWord::record(word);
            return other != record &&
                   traits_.matches(records_[other], SlotWord::key(word), keys.key[i]) &&
                   visit(FoundRecord{other, SlotWord::key(word)}, i);
        });
        if (stopped) return;
    }
}

template <typename Traits, typename Protocol>
auto RecordTable<Traits, Protocol>::look_for_rivals(Participant self, std::uint32_t record,
                                                    const Keys& keys, Tick now) noexcept -> Rivals {
    Rivals rivals;
    for_each_rival(record, keys, [&](FoundRecord rival, unsigned our_key) {
        const std::uint64_t seen = state(rival.record);
        const Lifecycle life = lifecycle(seen);
        if (life == Lifecycle::Building || life == Lifecycle::Contending) {
            rivals.undecided = true;
            return false;
        }
        if (life != Lifecycle::Live || !traits_.has_slots(seen)) return false;
        const auto is_expired = [&](const Record& other, std::uint64_t word) {
            return traits_.presence(other, word, now) == Presence::Expired;
        };
        if (is_expired(records_[rival.record], seen) && remove_if(self, rival.record, is_expired)) {
            return false;
        }
        if (lifecycle(state(rival.record)) != Lifecycle::Live) return false;
        rivals.live = rival;
        rivals.our_key = our_key;
        return true;
    });
    return rivals;
}

// Whether `record`, which is Contending, must go because of `rival`; if not, the rival has gone.
template <typename Traits, typename Protocol>
bool RecordTable<Traits, Protocol>::loses(Participant self, std::uint32_t record,
                                          std::uint32_t rival, Tick now) noexcept {
    const auto is_expired = [&](const Record& other, std::uint64_t word) {
        return traits_.presence(other, word, now) == Presence::Expired;
    };
    for (;;) {
        if (lifecycle(state(record)) != Lifecycle::Contending) return true;  // decided by another
        const std::uint64_t seen = state(rival);
        switch (lifecycle(seen)) {
            case Lifecycle::Live:
                if (!traits_.has_slots(seen)) return false;
                if (!is_expired(records_[rival], seen)) return true;
                (void)remove_if(self, rival, is_expired);
                break;
            case Lifecycle::Building:
                if (change(rival, Lifecycle::Building, Lifecycle::Aborted)) return false;
                break;
            case Lifecycle::Contending:
                if (rival < record) return true;
                if (change(rival, Lifecycle::Contending, Lifecycle::Aborted)) return false;
                break;
            case Lifecycle::Free:
            case Lifecycle::Aborted:
            case Lifecycle::Removed:
                return false;
        }
    }
}

// Brings a Contending record to Live or Aborted. Anyone may call it, also for another's record.
template <typename Traits, typename Protocol>
void RecordTable<Traits, Protocol>::decide(Participant self, std::uint32_t record,
                                           Tick now) noexcept {
    if (lifecycle(state(record)) != Lifecycle::Contending) return;
    bool lost = false;
    for_each_rival(record, keys_of(record), [&](FoundRecord rival, unsigned) {
        lost = loses(self, record, rival.record, now);
        return lost;
    });
    change(record, Lifecycle::Contending, lost ? Lifecycle::Aborted : Lifecycle::Live);
}

// True: `result` is final. False: a rival aborted us; try again with another record.
template <typename Traits, typename Protocol>
bool RecordTable<Traits, Protocol>::contend(Participant self, std::uint32_t record,
                                            const Keys& keys, PublishResult& result,
                                            Tick now) noexcept {
    const Rivals rivals = look_for_rivals(self, record, keys, now);
    if (rivals.live.record != 0) {
        change(record, Lifecycle::Building, Lifecycle::Aborted);
        result = {PublishStatus::Taken, rivals.live.record, rivals.our_key};
        return true;
    }
    result = {PublishStatus::Published, record, 0};
    if (!rivals.undecided) return change(record, Lifecycle::Building, Lifecycle::Live);
    if (!change(record, Lifecycle::Building, Lifecycle::Contending)) return false;
    decide(self, record, now);
    return lifecycle(state(record)) != Lifecycle::Aborted;
}

// The record that has one of the keys for good; decides those that are still
// contending for one, so that nobody has to come back for a rival that does not get on.
template <typename Traits, typename Protocol>
auto RecordTable<Traits, Protocol>::settled_owner(Participant self, const Keys& keys,
                                                  Tick now) noexcept -> Rivals {
    Rivals owner;
    for_each_rival(0, keys, [&](FoundRecord rival, unsigned our_key) {
        decide(self, rival.record, now);
        const std::uint64_t seen = state(rival.record);
        if (lifecycle(seen) != Lifecycle::Live ||
            traits_.presence(records_[rival.record], seen, now) != Presence::Present) {
            return false;
        }
        owner.live = rival;
        owner.our_key = our_key;
        return true;
    });
    return owner;
}

template <typename Traits, typename Protocol>
PublishResult RecordTable<Traits, Protocol>::publish(Participant self, std::uint32_t record,
                                                     KeyHashes known, Tick now) noexcept {
    Keys keys;
    keys.count = traits_.key_count(records_[record]);
    for (unsigned i = 0; i < keys.count; ++i) {
        traits_.read_key(records_[record], i, keys.key[i]);
    }
    keys.hash[0] = known.first;
    if (keys.count == 2) keys.hash[1] = known.second != 0 ? known.second : hash_(keys.key[1]);
    // The caller has just looked for the key in vain, so the first attempt does not ask again: a
    // rival shows in the search that follows the placing.
    for (bool first = true;; first = false) {
        const Rivals owner = first ? Rivals{} : settled_owner(self, keys, now);
        if (owner.live.record != 0) {
            pool_.give_back(self, record);
            return {PublishStatus::Taken, owner.live.record, owner.our_key};
        }
        if (!place_all(self, record, keys)) {
            change(record, Lifecycle::Building, Lifecycle::Aborted);
            retire(self, record);
            return {PublishStatus::IndexFull, 0, 0};
        }
        PublishResult result;
        const bool final = contend(self, record, keys, result, now);
        if (final && result.status == PublishStatus::Published) return result;
        clear_all(self, record, keys);
        const std::uint32_t next = final ? 0 : reserve(self);
        if (next != 0) traits_.copy_identity(records_[next], records_[record]);
        retire(self, record);
        if (final) return result;
        if (next == 0) return {PublishStatus::IndexFull, 0, 0};
        record = next;
    }
}

template <typename Traits, typename Protocol>
template <typename Condition>
bool RecordTable<Traits, Protocol>::remove_if(Participant self, std::uint32_t record,
                                              Condition&& condition) noexcept {
    Record& which = records_[record];
    std::uint64_t seen = state(record);
    for (;;) {
        if (lifecycle(seen) != Lifecycle::Live || !condition(std::as_const(which), seen)) {
            return false;
        }
        const std::uint64_t removed =
            (seen & ~kLifecycleMask) | static_cast<std::uint64_t>(Lifecycle::Removed);
        Protocol::step();
        // Whoever succeeds is the one remover.
        if (atomic_exchange_if(traits_.state_word(which), seen, removed,
                               std::memory_order_seq_cst)) {
            break;
        }
    }
    if (traits_.has_slots(seen)) clear_slots(self, record);
    traits_.removed(self, record, std::as_const(which), seen);
    retire(self, record);
    return true;
}

template <typename Traits, typename Protocol>
template <typename Consider>
void RecordTable<Traits, Protocol>::sweep(std::uint64_t& cursor, std::uint32_t budget,
                                          Consider&& consider) noexcept {
    const std::uint32_t positions = pool_.high_water();
    const std::uint32_t count = std::min(budget, positions);
    // Relaxed: the cursor only spreads the work.
    std::uint64_t at =
        std::atomic_ref(cursor).fetch_add(count, std::memory_order_relaxed) % positions;
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto record = static_cast<std::uint32_t>(at);
        if (++at == positions) at = 0;
        const std::uint64_t seen = state(record);
        if (lifecycle(seen) == Lifecycle::Live) consider(record, records_[record], seen);
    }
}

}  // namespace pollux::lb
