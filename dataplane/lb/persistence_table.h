// SPDX-License-Identifier: Apache-2.0
#pragma once

// PersistenceTable: which real server a client (or its network) is bound to, one lock-free table of
// LVS's connection templates for all workers. A template is kept while it has not expired or
// connections hang on it; one that expires earlier gets 60 s more, as LVS gives
// (ip_vs_conn_expire). Same rules of use as ConnectionTable: participants that are online, indices
// valid for a burst.

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/lb/connection.h"
#include "dataplane/lb/flow_key.h"
#include "dataplane/lb/memory_region.h"
#include "dataplane/lb/persistence_template.h"
#include "dataplane/lb/quiescence.h"
#include "dataplane/lb/record_table.h"

namespace pollux::lb {

// A template's key has the form of a flow's: source = client address with the host bits of the
// granularity cleared, source port 0; destination = virtual address and port, or port 0 for a
// port-0 service; protocol the service's.
[[nodiscard]] FlowKey template_key(const net::IpAddress& client, std::uint8_t prefix_length,
                                   const net::IpAddress& virtual_address, net::Be16 virtual_port,
                                   Protocol protocol) noexcept;
// A fwmark service: protocol None, port 0, destination = the mark in the address's first four bytes
// (0.0.0.1 for mark 1, in IPv6 0:1::), as LVS has it.
[[nodiscard]] FlowKey template_key(const net::IpAddress& client, std::uint8_t prefix_length,
                                   std::uint32_t fwmark) noexcept;

struct NewTemplate {
    FlowKey key;
    ServiceId service = kNoService;
    RealServerId server = kNoRealServer;
    ForwardingMethod method = ForwardingMethod::Nat;
    net::Be16 server_port;
    Ticks timeout{};  // persistence_timeout
};

struct TemplateInsertResult {
    enum class Status : std::uint8_t { Inserted, Exists, Full };
    Status status = Status::Full;
    TemplateIndex index = kNoTemplate;  // Exists: the other worker's template
};

struct PersistenceTableLimits {
    std::uint32_t max_templates = 1U << 16;
    unsigned participants = 2;  // workers and the control core
    std::array<std::uint64_t, 4> hash_secret{};
};

class PersistenceTable {
  public:
    static void plan(RegionPlan& plan, const PersistenceTableLimits& limits);
    PersistenceTable(const PersistenceTableLimits& limits, MemoryRegion& region,
                     Quiescence& quiescence);
    PersistenceTable(const PersistenceTable&) = delete;
    PersistenceTable& operator=(const PersistenceTable&) = delete;

    // Before the first participant goes online.
    void set_removal_hook(TemplateRemovalHook hook) noexcept { table_.traits().set_hook(hook); }

    // The template of this key, if it is reachable and has not run out.
    [[nodiscard]] TemplateIndex find(const FlowKey& key, Tick now) const noexcept;
    // Precondition: `index` came from this table within the present burst, or the caller's
    // connection hangs on it.
    [[nodiscard]] RealServerId server(TemplateIndex index) const noexcept {
        return RealServerId{table_[lb::index(index)].server};
    }
    [[nodiscard]] TemplateView view(TemplateIndex index, Tick now) const noexcept;

    // Insert-if-absent. The new template has no connection yet: acquire it.
    [[nodiscard]] TemplateInsertResult insert(Participant self, const NewTemplate& what,
                                              Tick now) noexcept;

    // A new connection hangs on the template and restarts its time-out (which is 60 s once it has
    // been re-armed). False: it was removed or made unreachable in the meantime; look again.
    [[nodiscard]] bool acquire(TemplateIndex index, Tick now) noexcept;
    // That connection has gone; called from the connection table's removal hook.
    void release(TemplateIndex index, Tick now) noexcept;
    // A connection of the template was established. Writes only the first time.
    void assure(TemplateIndex index) noexcept;

    // expire_quiescent_template and deleted servers: no client finds it any more, and the next
    // insert of its key succeeds; it goes when its connections have gone and it has expired. True
    // for exactly one caller.
    bool make_unreachable(Participant self, TemplateIndex index) noexcept;

    // expire_nodest_conn: takes out a template on which no connection hangs. True for exactly one
    // caller.
    bool remove_unused(Participant self, TemplateIndex index) noexcept;

    // Removes expired templates on which nothing hangs and re-arms the others; the rest as in
    // ConnectionTable.
    std::uint32_t sweep(Participant self, Tick now, std::uint32_t budget) noexcept;
    void recycle(Participant self) noexcept { pool_.recycle(self); }

    // Calls visit(const TemplateView&) for live templates in positions [first, first + count);
    // returns the position to go on with, 0 at the end.
    template <typename Visit>
    std::uint32_t visit(std::uint32_t first, std::uint32_t count, Tick now, Visit&& visit) const;

    [[nodiscard]] std::uint64_t size() const noexcept { return pool_.in_use(); }
    [[nodiscard]] std::uint32_t capacity() const noexcept { return limits_.max_templates; }
    [[nodiscard]] std::vector<MemoryAccount> memory() const;

  private:
    PersistenceTableLimits limits_;
    FlowHash hash_;
    RecordPool pool_;
    RecordTable<TemplateTraits> table_;
    alignas(64) std::uint64_t sweep_cursor_ = 0;  // atomic
};

template <typename Visit>
std::uint32_t PersistenceTable::visit(std::uint32_t first, std::uint32_t count, Tick now,
                                      Visit&& visit) const {
    const std::uint32_t end = pool_.high_water();
    if (first >= end) return 0;
    const std::uint32_t stop = end - first > count ? first + count : end;
    for (std::uint32_t i = first; i < stop; ++i) {
        const TemplateState state = table_[i].load();
        if (state.lifecycle() == Lifecycle::Live) {
            visit(view_of(TemplateIndex{i}, table_[i], state, now));
        }
    }
    return stop < end ? stop : 0;
}

}  // namespace pollux::lb
