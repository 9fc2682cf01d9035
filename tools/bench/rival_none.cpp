// SPDX-License-Identifier: Apache-2.0
// Stands for rival_rte_hash.cpp in a build without DPDK (-Ddaemon=false).
#include <cstdlib>

#include "tools/bench/rival.h"

namespace pollux::bench {

struct Rival::Impl {
    std::string pages;
};

Result<std::unique_ptr<Rival>> Rival::create(std::uint64_t) {
    return Error{"this build has no DPDK, so there is no rte_hash to compare with",
                 "build with -Ddaemon=true, or use --alone"};
}

Rival::Rival(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Rival::~Rival() = default;

// There is no object to call these with.
bool Rival::add(const RivalKey&, std::uintptr_t) noexcept {
    std::abort();
}
bool Rival::add(const RivalKey&, std::uint32_t, std::uintptr_t) noexcept {
    std::abort();
}
bool Rival::remove(const RivalKey&) noexcept {
    std::abort();
}
unsigned Rival::look_up(std::span<const RivalKey>) const noexcept {
    std::abort();
}
std::uint64_t Rival::look_up(std::span<const RivalKey, kBulk>, std::array<std::uint32_t, kBulk>&,
                             std::array<std::uintptr_t, kBulk>&) const noexcept {
    std::abort();
}
std::uintptr_t Rival::scan(unsigned) noexcept {
    std::abort();
}
std::uint64_t Rival::bytes() const noexcept {
    std::abort();
}
const std::string& Rival::pages() const noexcept {
    return impl_->pages;
}

}  // namespace pollux::bench
