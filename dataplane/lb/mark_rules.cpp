// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/mark_rules.h"

namespace pollux::lb {
namespace {

bool accepts(const net::IpPrefix& prefix, const net::IpAddress& address) noexcept {
    return prefix.address.family == net::Family::None || prefix.contains(address);
}

bool in_range(std::uint16_t port, std::uint16_t first, std::uint16_t last) noexcept {
    return first <= port && port <= last;
}

bool matches(const MarkRuleSpec& rule, const MarkQuery& query) noexcept {
    return (rule.protocol == Protocol::None || rule.protocol == query.protocol) &&
           in_range(query.destination_port, rule.destination_port_first,
                    rule.destination_port_last) &&
           in_range(query.source_port, rule.source_port_first, rule.source_port_last) &&
           accepts(rule.destination, query.destination) && accepts(rule.source, query.source);
}

}  // namespace

std::uint32_t MarkRules::mark_of(const MarkQuery& query) const noexcept {
    for (const MarkRuleSpec& rule : rules_) {
        if (matches(rule, query)) return rule.mark;
    }
    return 0;
}

}  // namespace pollux::lb
