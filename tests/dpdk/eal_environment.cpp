// SPDX-License-Identifier: Apache-2.0
#include "tests/dpdk/eal_environment.h"

#include <cstdio>
#include <cstdlib>
#include <optional>

#include "tests/dpdk/options.h"

namespace pollux::test {
namespace {

struct Environment {
    Environment() {
        dpdk::RuntimeOptions options = small_options({}, 1);
        options.telemetry = false;
        options.memory_mib = 64;
        Result<dpdk::PrefixLock> held = dpdk::PrefixLock::take(options.file_prefix);
        if (!held) give_up(held.error());
        lock.emplace(std::move(held).value());
        Result<dpdk::Eal> started = dpdk::Eal::start(options, log);
        if (!started) give_up(started.error());
        eal.emplace(std::move(started).value());
        dpdk::PoolRequest request;
        request.data_buffers = {{0, kDataBuffers}};
        Result<dpdk::BufferPools> made = dpdk::BufferPools::create(request);
        if (!made) give_up(made.error());
        pools = std::move(made).value();
    }

    [[noreturn]] static void give_up(const Error& error) {
        std::fprintf(stderr, "%s\n", error.message.c_str());
        std::exit(1);
    }

    dpdk::LogCapture log;
    std::optional<dpdk::PrefixLock> lock;
    std::optional<dpdk::Eal> eal;
    dpdk::BufferPools pools;
};

Environment& environment() {
    static Environment one;
    return one;
}

}  // namespace

dpdk::LogCapture& eal_log() {
    return environment().log;
}

dpdk::BufferPools& eal_pools() {
    return environment().pools;
}

std::uint32_t free_buffers(const char* pool) {
    for (const dpdk::PoolView& view : eal_pools().views()) {
        if (view.name == pool) return view.free;
    }
    std::abort();
}

}  // namespace pollux::test
