// SPDX-License-Identifier: Apache-2.0
#include "control/health/page_judge.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

#include <openssl/evp.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace pollux::control {
namespace {

// Limits of one match. The work is counted in items of the pattern tried plus bytes run over; the
// whole of it costs a few milliseconds.
constexpr std::uint64_t kMaxWork = 2'000'000;
constexpr std::uint32_t kMatchLimit = 1'000'000;
constexpr std::uint32_t kDepthLimit = 10'000;
constexpr std::uint32_t kHeapLimitKib = 1024;

struct OptionBit {
    std::string_view name;  // keepalived's
    std::uint32_t bit;
};
constexpr std::array<OptionBit, 11> kOptionBits = {{
    {"caseless", PCRE2_CASELESS},
    {"multiline", PCRE2_MULTILINE},
    {"dotall", PCRE2_DOTALL},
    {"extended", PCRE2_EXTENDED},
    {"ungreedy", PCRE2_UNGREEDY},
    {"utf", PCRE2_UTF},
    {"ucp", PCRE2_UCP},
    {"firstline", PCRE2_FIRSTLINE},
    {"dollar_endonly", PCRE2_DOLLAR_ENDONLY},
    {"dupnames", PCRE2_DUPNAMES},
    {"no_auto_capture", PCRE2_NO_AUTO_CAPTURE},
}};

std::uint32_t option_bits(const UrlConfig& url) {
    // Callouts before each item let work_done() count.
    std::uint32_t bits = PCRE2_AUTO_CALLOUT;
    for (const OptionBit& option : kOptionBits) {
        if (std::ranges::count(url.regex_options, option.name) > 0) bits |= option.bit;
    }
    return bits;
}

struct Work {
    std::uint64_t done = 0;
    std::size_t position = 0;
};

// A negative value ends the match with that error.
int work_done(pcre2_callout_block* block, void* data) {
    Work& work = *static_cast<Work*>(data);
    const std::size_t position = block->current_position;
    work.done +=
        1 + (position > work.position ? position - work.position : work.position - position);
    work.position = position;
    return work.done > kMaxWork ? PCRE2_ERROR_MATCHLIMIT : 0;
}

bool accepted(const UrlConfig& url, long status) {
    return std::ranges::any_of(url.status_code, [status](const NumberRange& range) {
        return status >= range.first && status <= range.last;
    });
}

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

std::size_t regex_bytes(const UrlConfig& url) {
    return url.regex_max_offset == 0 ? kMaxRegexBody
                                     : std::min<std::size_t>(url.regex_max_offset, kMaxRegexBody);
}

}  // namespace

struct PageRegex::Impl {
    std::unique_ptr<pcre2_code, void (*)(pcre2_code*)> code{nullptr, pcre2_code_free};
    std::unique_ptr<pcre2_match_context, void (*)(pcre2_match_context*)> context{
        nullptr, pcre2_match_context_free};
    std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)> data{nullptr,
                                                                        pcre2_match_data_free};
    std::size_t offset = 0;
};

PageRegex::PageRegex(const UrlConfig& url) : impl_(std::make_unique<Impl>()) {
    int error = 0;
    PCRE2_SIZE where = 0;
    impl_->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(url.regex.data()),
                                    url.regex.size(), option_bits(url), &error, &where, nullptr));
    impl_->offset = url.regex_min_offset;
    if (!impl_->code) return;  // matches nothing
    impl_->context.reset(pcre2_match_context_create(nullptr));
    pcre2_set_match_limit(impl_->context.get(), kMatchLimit);
    pcre2_set_depth_limit(impl_->context.get(), kDepthLimit);
    pcre2_set_heap_limit(impl_->context.get(), kHeapLimitKib);
    impl_->data.reset(pcre2_match_data_create_from_pattern(impl_->code.get(), nullptr));
}

PageRegex::~PageRegex() = default;

PageRegex::Match PageRegex::match(const std::string& body) const {
    if (!impl_->code || impl_->offset > body.size()) return Match::No;
    Work work;
    work.position = impl_->offset;
    pcre2_set_callout(impl_->context.get(), work_done, &work);
    const int found =
        pcre2_match(impl_->code.get(), reinterpret_cast<PCRE2_SPTR>(body.data()), body.size(),
                    impl_->offset, 0, impl_->data.get(), impl_->context.get());
    if (found >= 0) return Match::Yes;
    const bool exhausted = found == PCRE2_ERROR_MATCHLIMIT || found == PCRE2_ERROR_DEPTHLIMIT ||
                           found == PCRE2_ERROR_HEAPLIMIT;
    return exhausted ? Match::TooMuchWork : Match::No;
}

struct PageJudge::Digest {
    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};

    Digest() { EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr); }

    [[nodiscard]] std::string hex() const {
        std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
        unsigned length = 0;
        EVP_DigestFinal_ex(context.get(), bytes.data(), &length);
        constexpr std::string_view kDigits = "0123456789abcdef";
        std::string text;
        for (unsigned i = 0; i < length; ++i) {
            text += kDigits[bytes.at(i) >> 4U];
            text += kDigits[bytes.at(i) & 15U];
        }
        return text;
    }
};

PageJudge::PageJudge(const UrlConfig& url, const PageRegex* regex) : url_(&url), regex_(regex) {
    if (!url.digest.empty()) digest_ = std::make_unique<Digest>();
}

PageJudge::~PageJudge() = default;

bool PageJudge::add_header(std::size_t bytes) {
    header_bytes_ += bytes;
    if (header_bytes_ <= kMaxHeaderBytes) return true;
    refusal_ = "headers of more than " + std::to_string(kMaxHeaderBytes) + " bytes";
    return false;
}

bool PageJudge::add_body(std::span<const char> piece) {
    body_bytes_ += piece.size();
    if (body_bytes_ > kMaxBodyBytes) {
        refusal_ = "a body of more than " + std::to_string(kMaxBodyBytes) + " bytes";
        return false;
    }
    if (digest_) EVP_DigestUpdate(digest_->context.get(), piece.data(), piece.size());
    if (regex_ == nullptr) return true;
    const std::size_t room = regex_bytes(*url_) - std::min(body_.size(), regex_bytes(*url_));
    body_.append(piece.data(), std::min(room, piece.size()));
    if (url_->regex_max_offset == 0 && piece.size() > room) {
        refusal_ = "a body of more than " + std::to_string(kMaxRegexBody) +
                   " bytes, the most that a regex looks at; write regex_max_offset";
        return false;
    }
    return true;
}

std::optional<std::string> PageJudge::verdict(long status) const {
    if (!refusal_.empty()) return refusal_;
    if (!accepted(*url_, status)) return "status " + std::to_string(status);
    if (digest_) {
        const std::string digest = digest_->hex();
        if (digest != lower(url_->digest)) return "digest " + digest;
    }
    if (regex_ == nullptr) return std::nullopt;
    switch (regex_->match(body_)) {
        case PageRegex::Match::Yes:
            if (url_->regex_no_match) return "the regex matches";
            return std::nullopt;
        case PageRegex::Match::No:
            if (url_->regex_no_match) return std::nullopt;
            return "the regex does not match";
        case PageRegex::Match::TooMuchWork:
            return "the regex takes too long on this body";
    }
    return std::nullopt;
}

}  // namespace pollux::control
