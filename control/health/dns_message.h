// SPDX-License-Identifier: Apache-2.0
#pragma once

// The question that DNS_CHECK asks and what its answer must look like (RFC 1035 section 4). The
// answer is hostile input: only the header and the question are read. Pure.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pollux::control {

// `type` is one of the words that `dns_type` takes. Nothing: the name has an empty label, one of
// more than 63 bytes, or is longer than 255 bytes.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> build_dns_question(std::uint16_t id,
                                                                          std::string_view name,
                                                                          std::string_view type);

enum class DnsAnswer : std::uint8_t {
    Good,     // answers this question without error
    Foreign,  // another id or question, or no answer at all: somebody else's
    Refused,  // answers it with an error code
};
struct DnsVerdict {
    DnsAnswer answer = DnsAnswer::Foreign;
    unsigned code = 0;  // RCODE
};

// `question` is what build_dns_question made.
[[nodiscard]] DnsVerdict judge_dns_answer(std::span<const std::uint8_t> question,
                                          std::span<const std::uint8_t> answer);

// "NXDOMAIN", "SERVFAIL", else "RCODE 9".
[[nodiscard]] std::string dns_code_text(unsigned code);

}  // namespace pollux::control
