// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_malloc.h>
#include <sched.h>
#include <unistd.h>

#include "dataplane/lb/memory_region.h"
#include "tools/bench/rival.h"

namespace pollux::bench {
namespace {

constexpr const char* kHeap = "rival";
constexpr std::uint64_t kHugePage = 2U << 20U;

// What rte_hash takes: for each of the slots of its buckets (a power of two) 8 bytes and an entry
// in the ring of free ones (4 bytes, again up to a power of two), for each key 32 bytes.
std::uint64_t bytes_for(std::uint64_t keys) {
    const std::uint64_t slots = std::bit_ceil(keys + 1);
    const std::uint64_t bytes = slots * (8 + 2 * 4) + keys * 32 + 16 * kHugePage;
    return (bytes + kHugePage - 1) / kHugePage * kHugePage;
}

// One lcore that may run wherever this process may: EAL would pin the thread to a CPU.
std::string everywhere() {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    sched_getaffinity(0, sizeof cpus, &cpus);
    std::string list;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &cpus)) list += (list.empty() ? "" : ",") + std::to_string(cpu);
    }
    return "--lcores=0@(" + list + ")";
}

Status start_environment() {
    // EAL itself needs next to nothing; the table lies in memory of our own.
    std::vector<std::string> words{
        "pollux-bench", "--no-huge",      "--no-shconf",       "-m",         "64",
        "--no-pci",     "--no-telemetry", "--log-level=error", everywhere(), "--file-prefix"};
    words.push_back("pollux-bench-" + std::to_string(::getpid()));
    std::vector<char*> arguments;
    arguments.reserve(words.size());
    for (std::string& word : words) arguments.push_back(word.data());
    if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) {
        return Error{std::string("DPDK's environment does not start: ") + rte_strerror(rte_errno),
                     "use --alone to measure without rte_hash"};
    }
    std::atexit([] {
        const std::string directory = rte_eal_get_runtime_dir();
        rte_eal_cleanup();
        std::error_code error;  // it is empty, or not ours
        std::filesystem::remove(directory, error);
    });
    return ok_status();
}

Error no_memory(std::string_view what) {
    return {"rte_hash: " + std::string(what) + ": " + rte_strerror(rte_errno),
            "give the machine more memory, or fewer --connections"};
}

}  // namespace

struct Rival::Impl {
    explicit Impl(lb::MemoryRegion memory) : region(std::move(memory)) {}
    ~Impl() {
        rte_hash_free(table);
        if (attached != nullptr) rte_malloc_heap_memory_remove(kHeap, attached, attached_bytes);
        rte_malloc_heap_destroy(kHeap);
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    Status make(std::uint64_t keys);

    lb::MemoryRegion region;
    std::byte* attached = nullptr;
    std::size_t attached_bytes = 0;
    int socket = 0;
    rte_hash* table = nullptr;
    std::uint32_t cursor = 0;
    std::string pages;
};

Status Rival::Impl::make(std::uint64_t keys) {
    const std::span<std::byte> room = region.section<std::byte>("rival");
    const auto address = reinterpret_cast<std::uintptr_t>(room.data());
    attached_bytes = bytes_for(keys);
    auto* const begin = room.data() + ((kHugePage - address % kHugePage) % kHugePage);
    pages = lb::to_string(region.page_kind());
    if (rte_malloc_heap_create(kHeap) != 0) return no_memory("no heap");
    if (rte_malloc_heap_memory_add(kHeap, begin, attached_bytes, nullptr,
                                   static_cast<unsigned>(attached_bytes / kHugePage),
                                   kHugePage) != 0) {
        return no_memory("no memory for its heap");
    }
    attached = begin;
    socket = rte_malloc_heap_get_socket(kHeap);
    rte_hash_parameters parameters{};
    parameters.name = kHeap;
    parameters.entries = static_cast<std::uint32_t>(keys);
    parameters.key_len = sizeof(RivalKey);
    parameters.socket_id = socket;
    parameters.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF;
    table = rte_hash_create(&parameters);
    return table == nullptr ? Status(no_memory("no table")) : ok_status();
}

Rival::Rival(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Rival::~Rival() = default;

Result<std::unique_ptr<Rival>> Rival::create(std::uint64_t keys) {
    lb::RegionPlan plan;
    plan.add<std::byte>("rival", bytes_for(keys) + kHugePage);
    auto region = lb::MemoryRegion::create(plan, {});
    if (!region) return region.error();
    static const Status environment = start_environment();
    if (!environment) return environment.error();
    auto impl = std::make_unique<Impl>(std::move(region).value());
    if (Status status = impl->make(keys); !status) return status.error();
    return std::unique_ptr<Rival>(new Rival(std::move(impl)));
}

bool Rival::add(const RivalKey& key, std::uintptr_t data) noexcept {
    return rte_hash_add_key_data(impl_->table, key.data(), reinterpret_cast<void*>(data)) == 0;
}

bool Rival::add(const RivalKey& key, std::uint32_t hash, std::uintptr_t data) noexcept {
    return rte_hash_add_key_with_hash_data(impl_->table, key.data(), hash,
                                           reinterpret_cast<void*>(data)) == 0;
}

bool Rival::remove(const RivalKey& key) noexcept {
    const std::int32_t position = rte_hash_del_key(impl_->table, key.data());
    return position >= 0 && rte_hash_free_key_with_position(impl_->table, position) == 0;
}

unsigned Rival::look_up(std::span<const RivalKey> keys) const noexcept {
    std::array<const void*, kBulk> pointers;
    std::array<void*, kBulk> data;
    for (std::size_t i = 0; i < keys.size(); ++i) pointers[i] = keys[i].data();
    std::uint64_t hits = 0;
    rte_hash_lookup_bulk_data(impl_->table, pointers.data(),
                              static_cast<std::uint32_t>(keys.size()), &hits, data.data());
    return static_cast<unsigned>(std::popcount(hits));
}

std::uint64_t Rival::look_up(std::span<const RivalKey, kBulk> keys,
                             std::array<std::uint32_t, kBulk>& hashes,
                             std::array<std::uintptr_t, kBulk>& data) const noexcept {
    static_assert(sizeof(std::uintptr_t) == sizeof(void*));
    std::array<const void*, kBulk> pointers;
    for (std::size_t i = 0; i < kBulk; ++i) pointers[i] = keys[i].data();
    std::uint64_t hits = 0;
    rte_hash_lookup_with_hash_bulk_data(impl_->table, pointers.data(), hashes.data(), kBulk, &hits,
                                        reinterpret_cast<void**>(data.data()));
    return hits;
}

std::uintptr_t Rival::scan(unsigned count) noexcept {
    std::uintptr_t sum = 0;
    for (unsigned i = 0; i < count; ++i) {
        const void* key = nullptr;
        void* data = nullptr;
        if (rte_hash_iterate(impl_->table, &key, &data, &impl_->cursor) < 0) {
            impl_->cursor = 0;
            continue;
        }
        sum += reinterpret_cast<std::uintptr_t>(data);
    }
    return sum;
}

std::uint64_t Rival::bytes() const noexcept {
    rte_malloc_socket_stats stats{};
    rte_malloc_get_socket_stats(impl_->socket, &stats);
    return stats.heap_allocsz_bytes;
}

const std::string& Rival::pages() const noexcept {
    return impl_->pages;
}

}  // namespace pollux::bench
