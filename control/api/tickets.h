// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tickets: answers that take a while. The first answer is {"pending": true, "ticket": N}; the
// client asks the same command again with "ticket" until the answer is there. Bounded: the oldest
// are forgotten. Control thread.

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "control/api/command.h"

namespace pollux::control::api {

class Tickets {
  public:
    static constexpr std::size_t kMaxTickets = 64;

    // An answer that waits for as many calls of add() as expect() says.
    std::uint64_t open();
    void expect(std::uint64_t ticket, std::size_t parts);
    // One part more; ignored when the ticket is gone.
    void add(std::uint64_t ticket, Json part);

    // Nothing: no such ticket (any more). Null: parts are missing. Else the array of the parts, and
    // the ticket is gone.
    [[nodiscard]] std::optional<Json> take(std::uint64_t ticket);

  private:
    struct Waiting {
        std::size_t parts = 0;
        Json answer = Json::array();
    };
    std::map<std::uint64_t, Waiting> waiting_;
    std::uint64_t next_ = 1;
};

// {"pending": true, "ticket": N}.
[[nodiscard]] Json pending_answer(std::uint64_t ticket);

}  // namespace pollux::control::api
