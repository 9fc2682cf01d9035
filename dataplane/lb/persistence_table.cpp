// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/persistence_table.h"

#include <cassert>

#include "dataplane/lb/record_table_insert.h"

namespace pollux::lb {
namespace {

constexpr std::string_view kRecords = "persistence templates";
constexpr std::string_view kIndex = "persistence index";
constexpr std::string_view kOverflow = "persistence overflow";
constexpr std::string_view kChunks = "persistence free lists";
constexpr std::string_view kHeads = "persistence pool";

net::IpAddress mark_as_address(net::Family family, std::uint32_t fwmark) noexcept {
    const auto mark = net::IpAddress::from_v4(net::Ipv4Address::from_host(fwmark));
    if (family == net::Family::V4) return mark;
    net::IpAddress result;
    result.family = family;
    std::copy_n(mark.bytes.begin(), 4, result.bytes.begin());
    return result;
}

}  // namespace

FlowKey template_key(const net::IpAddress& client, std::uint8_t prefix_length,
                     const net::IpAddress& virtual_address, net::Be16 virtual_port,
                     Protocol protocol) noexcept {
    const net::IpAddress network = net::IpPrefix{client, prefix_length}.network().address;
    return FlowKey::make(network, net::Be16{}, virtual_address, virtual_port, protocol);
}

FlowKey template_key(const net::IpAddress& client, std::uint8_t prefix_length,
                     std::uint32_t fwmark) noexcept {
    return template_key(client, prefix_length, mark_as_address(client.family, fwmark), net::Be16{},
                        Protocol::None);
}

TemplateView view_of(TemplateIndex index, const PersistenceTemplate& record, TemplateState state,
                     Tick now) noexcept {
    const TemplateState current = state.rearmed_until(now);
    TemplateView view;
    view.index = index;
    view.key = record.key;
    view.service = ServiceId{record.service};
    view.server = RealServerId{record.server};
    view.method = record.method;
    view.server_port = record.server_port;
    view.connections = current.connections();
    view.expires_in = elapsed(now, current.expires());
    view.assured = current.assured();
    view.unreachable = current.unreachable();
    return view;
}

void TemplateTraits::copy_identity(PersistenceTemplate& to,
                                   const PersistenceTemplate& from) noexcept {
    to.key = from.key;
    to.server = from.server;
    to.service = from.service;
    to.timeout = from.timeout;
    to.server_port = from.server_port;
    to.method = from.method;
    to.zero = 0;
    // Relaxed: published by the placing of the slot and the change to Live.
    atomic_store(to.state, from.load().with_lifecycle(Lifecycle::Building).word(),
                 std::memory_order_relaxed);
}

void PersistenceTable::plan(RegionPlan& plan, const PersistenceTableLimits& limits) {
    const SlotIndexSize size = slot_index_size(limits.max_templates);
    plan.add<PersistenceTemplate>(kRecords,
                                  pool_records(limits.max_templates, limits.participants));
    plan.add<SlotBucket>(kIndex, size.main_buckets);
    plan.add<SlotBucket>(kOverflow, size.overflow_buckets);
    plan.add<PoolChunk>(kChunks, pool_chunks(limits.max_templates, limits.participants));
    plan.add<PoolHeads>(kHeads, 1);
}

PersistenceTable::PersistenceTable(const PersistenceTableLimits& limits, MemoryRegion& region,
                                   Quiescence& quiescence)
    : limits_(limits),
      hash_(limits.hash_secret),
      pool_(region.section<PoolHeads>(kHeads)[0], region.section<PoolChunk>(kChunks),
            pool_records(limits.max_templates, limits.participants), quiescence),
      table_(region.section<PersistenceTemplate>(kRecords),
             SlotIndex(region.section<SlotBucket>(kIndex), region.section<SlotBucket>(kOverflow)),
             pool_, hash_, limits.participants, TemplateTraits{}) {
    assert(quiescence.participants() == limits.participants);
}

TemplateIndex PersistenceTable::find(const FlowKey& key, Tick now) const noexcept {
    return TemplateIndex{table_.find(key, hash_(key), now).record};
}

TemplateView PersistenceTable::view(TemplateIndex index, Tick now) const noexcept {
    const PersistenceTemplate& record = table_[lb::index(index)];
    return view_of(index, record, record.load(), now);
}

TemplateInsertResult PersistenceTable::insert(Participant self, const NewTemplate& what,
                                              Tick now) noexcept {
    using Status = TemplateInsertResult::Status;
    const std::uint32_t reserved = table_.reserve(self);
    if (reserved == 0) return {Status::Full, kNoTemplate};
    PersistenceTemplate& record = table_[reserved];
    record.key = what.key;
    record.server = static_cast<std::uint32_t>(what.server);
    record.service = static_cast<std::uint32_t>(what.service);
    record.timeout = what.timeout;
    record.server_port = what.server_port;
    record.method = what.method;
    record.zero = 0;
    const auto state =
        TemplateState{}.with_lifecycle(Lifecycle::Building).with_expires(now + what.timeout);
    // Relaxed: published by the placing of the slot and the change to Live.
    atomic_store(record.state, state.word(), std::memory_order_relaxed);
    const PublishResult published = table_.publish(self, reserved, hash_(what.key), now);
    switch (published.status) {
        case PublishStatus::Published:
            return {Status::Inserted, TemplateIndex{published.record}};
        case PublishStatus::Taken:
            return {Status::Exists, TemplateIndex{published.record}};
        case PublishStatus::IndexFull:
            break;
    }
    return {Status::Full, kNoTemplate};
}

bool PersistenceTable::acquire(TemplateIndex index, Tick now) noexcept {
    PersistenceTemplate& record = table_[lb::index(index)];
    TemplateState seen = record.load();
    for (;;) {
        if (seen.lifecycle() != Lifecycle::Live || seen.unreachable() || seen.has_ended(now) ||
            seen.connections() == TemplateState::kMaxConnections) {
            return false;
        }
        const TemplateState current = seen.rearmed_until(now);
        const Ticks timeout = current.rearmed() ? kTemplateRearm : record.timeout;
        const TemplateState acquired =
            current.with_connections(seen.connections() + 1).with_expires(now + timeout);
        if (record.change(seen, acquired)) return true;
    }
}

void PersistenceTable::release(TemplateIndex index, Tick now) noexcept {
    PersistenceTemplate& record = table_[lb::index(index)];
    TemplateState seen = record.load();
    for (;;) {
        assert(seen.lifecycle() == Lifecycle::Live && seen.connections() > 0);
        // A re-arm that fell due while the connection hung on it comes first.
        const TemplateState released =
            seen.rearmed_until(now).with_connections(seen.connections() - 1);
        if (record.change(seen, released)) return;
    }
}

void PersistenceTable::assure(TemplateIndex index) noexcept {
    PersistenceTemplate& record = table_[lb::index(index)];
    TemplateState seen = record.load();
    while (!seen.assured() && !record.change(seen, seen.with_assured())) {
    }
}

bool PersistenceTable::make_unreachable(Participant self, TemplateIndex index) noexcept {
    PersistenceTemplate& record = table_[lb::index(index)];
    TemplateState seen = record.load();
    do {
        if (seen.lifecycle() != Lifecycle::Live || seen.unreachable()) return false;
    } while (!record.change(seen, seen.with_unreachable()));
    table_.clear_slots(self, lb::index(index));
    return true;
}

bool PersistenceTable::remove_unused(Participant self, TemplateIndex index) noexcept {
    return table_.remove_if(self, lb::index(index),
                            [](const PersistenceTemplate&, std::uint64_t word) {
                                return TemplateState::from_word(word).connections() == 0;
                            });
}

std::uint32_t PersistenceTable::sweep(Participant self, Tick now, std::uint32_t budget) noexcept {
    std::uint32_t removed = 0;
    const auto has_ended = [now](const PersistenceTemplate&, std::uint64_t word) {
        return TemplateState::from_word(word).has_ended(now);
    };
    table_.sweep(sweep_cursor_, budget,
                 [&](std::uint32_t position, PersistenceTemplate& record, std::uint64_t word) {
                     auto seen = TemplateState::from_word(word);
                     if (!seen.is_due(now)) return;
                     if (table_.remove_if(self, position, has_ended)) {
                         ++removed;
                         return;
                     }
                     // If a worker changes it at this moment, the next round re-arms it.
                     seen = record.load();
                     if (seen.lifecycle() == Lifecycle::Live) {
                         record.change(seen, seen.rearmed_until(now));
                     }
                 });
    pool_.recycle(self);
    return removed;
}

std::vector<MemoryAccount> PersistenceTable::memory() const {
    const SlotIndexSize size = slot_index_size(limits_.max_templates);
    const IndexUse use = table_.index_use();
    const std::uint64_t records = pool_.record_count();
    const std::uint64_t chunks = pool_chunks(limits_.max_templates, limits_.participants);
    return {
        {kRecords, records * sizeof(PersistenceTemplate), records, this->size()},
        {kIndex, size.main_buckets * sizeof(SlotBucket),
         std::uint64_t{size.main_buckets} * kSlotsPerBucket, use.home + use.second},
        {kOverflow, size.overflow_buckets * sizeof(SlotBucket),
         std::uint64_t{size.overflow_buckets} * kSlotsPerBucket, use.overflow},
        {kChunks, chunks * sizeof(PoolChunk), chunks * kChunkRecords, records - this->size()},
    };
}

}  // namespace pollux::lb
