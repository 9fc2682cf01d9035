// SPDX-License-Identifier: Apache-2.0
#pragma once

// MarkRules: the [[mark]] table, which stands for netfilter's MARK target. First match wins.
// Immutable, read by all workers, asked only for packets that no connection knows.

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/lb/spec.h"
#include "dataplane/net/ip_address.h"

namespace pollux::lb {

// Ports in host order; 0 for protocols without ports.
struct MarkQuery {
    net::IpAddress source;
    net::IpAddress destination;
    Protocol protocol = Protocol::None;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
};

class MarkRules {
  public:
    MarkRules() = default;
    explicit MarkRules(std::span<const MarkRuleSpec> rules) : rules_(rules.begin(), rules.end()) {}

    // 0: no rule matches.
    [[nodiscard]] std::uint32_t mark_of(const MarkQuery& query) const noexcept;
    [[nodiscard]] bool empty() const noexcept { return rules_.empty(); }

  private:
    std::vector<MarkRuleSpec> rules_;
};

}  // namespace pollux::lb
