// SPDX-License-Identifier: Apache-2.0
#include "control/health/dns_message.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace pollux::control {
namespace {

// RFC 1035 section 4.1.1:
//   0  id            2  QR OPCODE AA TC RD RA Z RCODE
//   4  questions     6  answers     8  authorities    10  additional
constexpr std::size_t kHeaderSize = 12;
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxName = 255;
constexpr std::uint8_t kResponse = 0x80;          // of byte 2
constexpr std::uint8_t kOpcode = 0x78;            // of byte 2
constexpr std::uint8_t kRecursionDesired = 0x01;  // of byte 2
constexpr std::uint8_t kCodeMask = 0x0f;          // of byte 3

struct TypeRow {
    std::string_view name;
    std::uint16_t number;
};
constexpr std::array<TypeRow, 7> kTypes = {
    {{"A", 1}, {"NS", 2}, {"CNAME", 5}, {"SOA", 6}, {"MX", 15}, {"TXT", 16}, {"AAAA", 28}}};
constexpr std::array<std::string_view, 6> kCodes = {"NOERROR",  "FORMERR", "SERVFAIL",
                                                    "NXDOMAIN", "NOTIMP",  "REFUSED"};

void put16(std::vector<std::uint8_t>& bytes, unsigned value) {
    bytes.push_back(static_cast<std::uint8_t>(value >> 8U));
    bytes.push_back(static_cast<std::uint8_t>(value));
}

bool put_name(std::vector<std::uint8_t>& bytes, std::string_view name) {
    if (!name.empty() && name.back() == '.') name.remove_suffix(1);
    const std::size_t start = bytes.size();
    while (!name.empty()) {
        const std::string_view label = name.substr(0, name.find('.'));
        if (label.empty() || label.size() > kMaxLabel) return false;
        bytes.push_back(static_cast<std::uint8_t>(label.size()));
        bytes.insert(bytes.end(), label.begin(), label.end());
        name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    bytes.push_back(0);
    return bytes.size() - start <= kMaxName;
}

// Servers may answer with the name in another case.
bool same_ignoring_case(std::uint8_t a, std::uint8_t b) {
    return std::tolower(a) == std::tolower(b);
}

}  // namespace

std::optional<std::vector<std::uint8_t>> build_dns_question(std::uint16_t id, std::string_view name,
                                                            std::string_view type) {
    const auto row = std::ranges::find(kTypes, type, &TypeRow::name);
    if (row == kTypes.end()) return std::nullopt;
    std::vector<std::uint8_t> bytes;
    put16(bytes, id);
    bytes.push_back(kRecursionDesired);
    bytes.push_back(0);
    for (const unsigned count : {1U, 0U, 0U, 0U}) put16(bytes, count);
    if (!put_name(bytes, name)) return std::nullopt;
    put16(bytes, row->number);
    put16(bytes, 1);  // class IN
    return bytes;
}

DnsVerdict judge_dns_answer(std::span<const std::uint8_t> question,
                            std::span<const std::uint8_t> answer) {
    if (question.size() < kHeaderSize || answer.size() < question.size()) return {};
    const bool ours = answer[0] == question[0] && answer[1] == question[1] &&
                      (answer[2] & kResponse) != 0 && (answer[2] & kOpcode) == 0 &&
                      answer[4] == 0 && answer[5] == 1;
    if (!ours) return {};
    const auto asked = question.subspan(kHeaderSize);
    const auto repeated = answer.subspan(kHeaderSize, asked.size());
    if (!std::ranges::equal(asked, repeated, same_ignoring_case)) return {};
    const unsigned code = answer[3] & kCodeMask;
    return {code == 0 ? DnsAnswer::Good : DnsAnswer::Refused, code};
}

std::string dns_code_text(unsigned code) {
    return code < kCodes.size() ? std::string(kCodes[code]) : "RCODE " + std::to_string(code);
}

}  // namespace pollux::control
