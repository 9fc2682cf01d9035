// SPDX-License-Identifier: Apache-2.0
#pragma once

// PageJudge: whether an answer is the page that HTTP_GET or SSL_GET expects: status code, MD5
// digest, regular expression. The server may be hostile: sizes and the work of the regular
// expression are bounded. No I/O; control thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "control/config/config_service.h"

namespace pollux::control {

// An answer beyond these is a failure.
inline constexpr std::size_t kMaxHeaderBytes = 64 * 1024;
inline constexpr std::size_t kMaxBodyBytes = 4 * 1024 * 1024;
// Of the body, when there is a regex; with regex_max_offset so many are enough.
inline constexpr std::size_t kMaxRegexBody = 256 * 1024;

// The regular expression of one page, compiled once.
class PageRegex {
  public:
    // `url.regex` is not empty; the configuration's rules have compiled it already.
    explicit PageRegex(const UrlConfig& url);
    ~PageRegex();

    enum class Match : std::uint8_t { Yes, No, TooMuchWork };
    [[nodiscard]] Match match(const std::string& body) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// One answer. Feed it in pieces; false from an add function: give up, `verdict` says why.
class PageJudge {
  public:
    // `regex` is null without one. Both outlive the judge.
    PageJudge(const UrlConfig& url, const PageRegex* regex);
    ~PageJudge();

    bool add_header(std::size_t bytes);
    bool add_body(std::span<const char> piece);

    // Nothing: the page is as expected.
    [[nodiscard]] std::optional<std::string> verdict(long status) const;
    [[nodiscard]] std::size_t body_bytes() const { return body_bytes_; }

  private:
    struct Digest;

    const UrlConfig* url_;
    const PageRegex* regex_;
    std::unique_ptr<Digest> digest_;
    std::string body_;  // only for the regex
    std::size_t header_bytes_ = 0;
    std::size_t body_bytes_ = 0;
    std::string refusal_;
};

}  // namespace pollux::control
