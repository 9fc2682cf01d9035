// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows that virtual servers, real servers and checks have in common. Only schema_*.cpp files
// include this.

#include <array>
#include <vector>

#include "control/config/draft.h"
#include "control/config/schema_fields.h"

namespace pollux::control::schema {

enum SchedulerFlagBit : std::int64_t { kShPort, kShFallback, kMhPort, kMhFallback };
extern const std::array<Choice, 4> kSchedulerFlags;

const TableSchema* check_table();

// `Path`: to the CheckDefaults of a service, a server or a check.
template <auto... Path>
std::vector<KeyRow> check_default_rows() {
    using D = CheckDefaults;
    using std::chrono::hours;
    using std::chrono::milliseconds;
    using std::chrono::seconds;
    return {
        {"delay_loop", duration<Path..., &D::delay_loop>(milliseconds(10), hours(24)), "", kReload,
         "between two checks of a server; not written: inherited, else 60s", false, R"("6s")"},
        {"warmup", duration<Path..., &D::warmup>(seconds(0), hours(24)), "", kReload,
         "the first check comes within so long; not written: inherited, else delay_loop", false,
         R"("0s")"},
        {"connect_timeout", duration<Path..., &D::connect_timeout>(milliseconds(10), hours(1)), "",
         kReload, "limit of one try; not written: inherited, else 5s", false, R"("3s")"},
        {"retry", number<Path..., &D::retry>(0, 1000), "", kReload,
         "further tries before a server counts as down; not written: inherited, else 1 "
         "(DNS_CHECK 3, MISC_CHECK 0)",
         false, "3"},
        {"delay_before_retry", duration<Path..., &D::delay_before_retry>(seconds(0), hours(1)), "",
         kReload,
         "pause before another try; not written: inherited, else 1s (HTTP_GET, SSL_GET 3s, "
         "DNS_CHECK delay_loop)",
         false, R"("3s")"},
        {"alpha", boolean<Path..., &D::alpha>(), "", kReload,
         "down until the first success; not written: inherited, else false", false, "true"},
        {"log_all_failures", boolean<Path..., &D::log_all_failures>(), "", kReload,
         "log each failed try; not written: inherited, else false", false, "true"},
        {"virtualhost", text<Path..., &D::virtualhost>(), "", kReload,
         "Host header of HTTP_GET and SSL_GET; not written: inherited, else the address", false,
         R"("www.example.com")"},
    };
}

}  // namespace pollux::control::schema
