// SPDX-License-Identifier: Apache-2.0
// Churn as a program of its own, for ThreadSanitizer: with the complete protocol it must be silent,
// with one safeguard less (POLLUX_MUTANT_...) the sanitizer must object.
#include <cstdio>

#include "tests/concurrency/tables/churn.h"

namespace {

using pollux::lb::SafeProtocol;

#if defined(POLLUX_MUTANT_RELAXED)
// Whoever finds a record by its position no longer sees its identity with its state.
struct Protocol : SafeProtocol {
    static constexpr std::memory_order kBecomeLive = std::memory_order_relaxed;
};
#elif defined(POLLUX_MUTANT_NO_QUIESCENCE)
// Records are written anew while readers still look at them.
struct Protocol : SafeProtocol {
    static constexpr bool kWaitForQuiescence = false;
};
#else
using Protocol = SafeProtocol;
#endif

}  // namespace

int main() {
    pollux::test::Churn<Protocol> churn(3);
    const pollux::test::ChurnResult result = churn.run(3000);
    std::printf("inserted %llu, found %llu, changed under a reader %llu\n",
                static_cast<unsigned long long>(result.inserted),
                static_cast<unsigned long long>(result.found),
                static_cast<unsigned long long>(result.changed_under_reader));
    return result.changed_under_reader == 0 && result.shared_keys == 0 ? 0 : 1;
}
