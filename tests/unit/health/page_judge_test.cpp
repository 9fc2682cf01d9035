// SPDX-License-Identifier: Apache-2.0
// What HTTP_GET accepts, and that hostile answers cost neither memory nor time.

#include "control/health/page_judge.h"

#include <gtest/gtest.h>

namespace pollux::control {
namespace {

UrlConfig page() {
    UrlConfig url;
    url.status_code = {{200, 299}};
    return url;
}

std::optional<std::string> judge(const UrlConfig& url, const std::string& body, long status = 200) {
    const auto regex = url.regex.empty() ? nullptr : std::make_unique<PageRegex>(url);
    PageJudge judge(url, regex.get());
    for (std::size_t i = 0; i < body.size(); i += 16384) {
        const std::string piece = body.substr(i, 16384);
        if (!judge.add_body(piece)) break;
    }
    return judge.verdict(status);
}

TEST(PageJudge, StatusCodesAreRanges) {
    UrlConfig url = page();
    EXPECT_EQ(judge(url, "", 204), std::nullopt);
    EXPECT_EQ(judge(url, "", 500), "status 500");
    EXPECT_EQ(judge(url, "", 301), "status 301");
    url.status_code = {{200, 200}, {302, 302}};
    EXPECT_EQ(judge(url, "", 302), std::nullopt);
    EXPECT_EQ(judge(url, "", 201), "status 201");
}

// The digest of "abc": RFC 1321, A.5.
TEST(PageJudge, TheDigestIsTheMd5OfTheBodyInEitherCase) {
    UrlConfig url = page();
    url.digest = "900150983CD24FB0D6963F7D28E17F72";
    EXPECT_EQ(judge(url, "abc"), std::nullopt);
    EXPECT_EQ(judge(url, "abd"), "digest 4911e516e5aa21d327512e0c8b197616");
}

TEST(PageJudge, DigestAndStatusMustBothHold) {
    UrlConfig url = page();
    url.digest = "900150983cd24fb0d6963f7d28e17f72";
    EXPECT_EQ(judge(url, "abc", 500), "status 500");
}

TEST(PageJudge, TheRegexLooksForItsPatternInTheBody) {
    UrlConfig url = page();
    url.regex = "state: (OK|GOOD)";
    EXPECT_EQ(judge(url, "x\nstate: GOOD\n"), std::nullopt);
    EXPECT_EQ(judge(url, "state: good"), "the regex does not match");
    url.regex_options = {"caseless"};
    EXPECT_EQ(judge(url, "state: good"), std::nullopt);
    url.regex_no_match = true;
    EXPECT_EQ(judge(url, "state: good"), "the regex matches");
    EXPECT_EQ(judge(url, "state: bad"), std::nullopt);
}

TEST(PageJudge, TheRegexLooksBetweenItsOffsets) {
    UrlConfig url = page();
    url.regex = "b";
    url.regex_min_offset = 2;
    EXPECT_EQ(judge(url, "bba"), "the regex does not match");
    EXPECT_EQ(judge(url, "aab"), std::nullopt);
    EXPECT_EQ(judge(url, "a"), "the regex does not match");
    url.regex_max_offset = 3;
    EXPECT_EQ(judge(url, "aaab"), "the regex does not match");
}

TEST(PageJudge, ABodyWithoutEndIsRefusedAtItsLimit) {
    const UrlConfig url = page();
    PageJudge judge(url, nullptr);
    const std::string piece(16384, 'x');
    std::size_t taken = 0;
    while (judge.add_body(piece)) taken += piece.size();
    EXPECT_LE(taken, kMaxBodyBytes);
    EXPECT_EQ(judge.verdict(200), "a body of more than 4194304 bytes");
}

TEST(PageJudge, HugeHeadersAreRefusedAtTheirLimit) {
    const UrlConfig url = page();
    PageJudge judge(url, nullptr);
    std::size_t taken = 0;
    while (judge.add_header(1000)) taken += 1000;
    EXPECT_LE(taken, kMaxHeaderBytes);
    EXPECT_EQ(judge.verdict(200), "headers of more than 65536 bytes");
}

TEST(PageJudge, ARegexLooksAtABoundedBody) {
    UrlConfig url = page();
    url.regex = "end";
    EXPECT_TRUE(judge(url, std::string(kMaxRegexBody + 1, 'x')).value().starts_with("a body of"));
    url.regex_max_offset = 10;
    EXPECT_EQ(judge(url, "the end" + std::string(kMaxRegexBody + 1, 'x')), std::nullopt);
}

// Patterns that take quadratic or exponential time on these bodies end by the count of work.
TEST(PageJudge, RegexBombsEndByTheirLimit) {
    struct Bomb {
        const char* pattern;
        std::string body;
    };
    const std::string many(200000, 'a');
    const Bomb bombs[] = {
        {"(a+)+$", many + "b"}, {"(a|aa)+$", many + "b"}, {"a.*a.*a.*[xz]", many},
        {"a[^y]*[xz]", many},   {"(.*)*[xz]", many},
    };
    for (const Bomb& bomb : bombs) {
        UrlConfig url = page();
        url.regex = bomb.pattern;
        EXPECT_EQ(judge(url, bomb.body), "the regex takes too long on this body") << bomb.pattern;
    }
}

TEST(PageJudge, AnOrdinaryRegexOnALargeBodyIsNoBomb) {
    UrlConfig url = page();
    url.regex = "<title>Welcome to nginx!</title>";
    EXPECT_EQ(judge(url, std::string(200000, 'a') + url.regex), std::nullopt);
    url.regex = "ok$";
    EXPECT_EQ(judge(url, std::string(200000, 'a') + "ok"), std::nullopt);
}

}  // namespace
}  // namespace pollux::control
