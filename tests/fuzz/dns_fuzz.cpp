// SPDX-License-Identifier: Apache-2.0
// Answers to DNS_CHECK: any bytes lead to a verdict; only an answer that repeats id and question
// counts.

#include <cstdint>
#include <cstdlib>
#include <span>

#include "control/health/dns_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pollux::control;
    static const auto question = build_dns_question(0x1234, "www.example.com", "A").value();
    const std::span<const std::uint8_t> answer(data, size);
    const DnsVerdict verdict = judge_dns_answer(question, answer);
    if (verdict.answer != DnsAnswer::Foreign) {
        if (size < question.size() || data[0] != 0x12 || data[1] != 0x34) std::abort();
        if (verdict.code > 15) std::abort();
    }
    if (dns_code_text(verdict.code).empty()) std::abort();
    return 0;
}
