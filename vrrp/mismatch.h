// SPDX-License-Identifier: Apache-2.0
#pragma once

// What does not fit between this instance and other senders, with both values, for `pollux show
// vrrp` and for rate-limited warnings (RFC 9568 section 7.1). Control thread.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/net/ip_address.h"
#include "vrrp/action.h"
#include "vrrp/clock.h"

namespace pollux::vrrp {

// The numbers' meaning depends on the kind: a version, an auth type, nanoseconds, a ChecksumForm,
// a priority. Passwords are never kept.
struct MismatchRecord {
    MismatchKind kind{};
    net::IpAddress peer;  // the last sender
    std::uint64_t ours = 0;
    std::uint64_t theirs = 0;
    std::vector<net::IpAddress> our_addresses;    // Addresses only
    std::vector<net::IpAddress> their_addresses;  // Addresses, Destination, OwnAddress, LinkLocal
    TimePoint first{};
    TimePoint last{};
    TimePoint last_warned{};
    TimePoint last_refreshed{};
    std::uint64_t count = 0;

    // For people: "1s", "10.0.0.3, 10.0.0.4", "PASS".
    [[nodiscard]] std::string ours_text() const;
    [[nodiscard]] std::string theirs_text() const;
};

class MismatchTable {
  public:
    static constexpr Duration kWarnInterval = std::chrono::seconds(60);
    static constexpr Duration kRefreshInterval = std::chrono::seconds(1);

    struct Seen {
        MismatchKind kind{};
        net::IpAddress peer;
        std::uint64_t ours = 0;
        std::uint64_t theirs = 0;
    };
    // What the caller shall do: warn (the first time, then once a minute); call set_addresses (the
    // first time, then once a second: lists are dear when somebody floods us).
    struct Noted {
        bool warn = false;
        bool refresh = false;
    };
    Noted note(const Seen& seen, TimePoint now);

    // Precondition: `kind` was noted.
    void set_addresses(MismatchKind kind, std::vector<net::IpAddress> ours,
                       std::vector<net::IpAddress> theirs);

    // nullptr: never happened.
    [[nodiscard]] const MismatchRecord* find(MismatchKind kind) const;
    // In order of MismatchKind.
    [[nodiscard]] std::vector<MismatchRecord> all() const;

  private:
    std::array<std::optional<MismatchRecord>, kMismatchKindCount> records_;
};

}  // namespace pollux::vrrp
