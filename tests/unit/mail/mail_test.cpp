// SPDX-License-Identifier: Apache-2.0
// Which events go into which mail, and that no event can forge one.

#include <sstream>

#include <gtest/gtest.h>

#include "control/mail/mail_message.h"
#include "control/mail/mail_queue.h"
#include "tests/unit/control/builders.h"

namespace pollux::control {
namespace {

using namespace std::chrono_literals;
using testing::at;

Event event(const std::string& subject, const std::string& after = "DOWN") {
    Event result;
    result.kind = EventKind::Server;
    result.subject = subject;
    result.before = after == "DOWN" ? "UP" : "DOWN";
    result.after = after;
    result.alert = true;
    return result;
}

EmailConfig email() {
    EmailConfig config;
    config.to = {"ops@example.com", "night@example.com"};
    config.from = "pollux@lb01.example.com";
    config.retry_interval = 60s;
    config.queue_limit = 10;
    return config;
}

MailQueue queue(const EmailConfig& config = email()) {
    MailQueue result;
    result.configure(config);
    return result;
}

TEST(MailQueue, TheFirstEventGoesAtOnceAndWhatComesMeanwhileInTheNextMail) {
    MailQueue mails = queue();
    mails.add(event("a"), at(0s));
    ASSERT_EQ(mails.take(at(0s))->events.size(), 1U);
    mails.add(event("b"), at(1s));
    mails.add(event("c"), at(1s));
    EXPECT_FALSE(mails.take(at(1s))) << "one mail at a time";
    mails.sent(at(2s));
    EXPECT_EQ(mails.take(at(2s))->events.size(), 2U);
}

TEST(MailQueue, ADigestCollectsForItsInterval) {
    EmailConfig config = email();
    config.digest_interval = 30s;
    MailQueue mails = queue(config);
    mails.add(event("a"), at(0s));
    EXPECT_EQ(mails.next(), at(30s));
    mails.add(event("b"), at(20s));
    EXPECT_FALSE(mails.take(at(29s)));
    EXPECT_EQ(mails.take(at(30s))->events.size(), 2U);
}

TEST(MailQueue, AFlappingServerCostsOneMailAMinute) {
    MailQueue mails = queue();
    unsigned sent = 0;
    for (auto now = at(0s); now < at(10min); now += 1s) {
        mails.add(event("flapper", now.time_since_epoch() % 2s == 0s ? "DOWN" : "UP"), now);
        if (!mails.take(now)) continue;
        ++sent;
        mails.sent(now);
    }
    EXPECT_EQ(sent, 10U);
}

TEST(MailQueue, AtTheEndNothingWaitsForItsTime) {
    EmailConfig config = email();
    config.digest_interval = 30s;
    MailQueue mails = queue(config);
    mails.add(event("a"), at(0s));
    mails.take(at(30s));
    mails.failed(at(31s));
    mails.add(event("b"), at(32s));
    EXPECT_FALSE(mails.take(at(33s))) << "the server was away two seconds ago";

    mails.hurry(at(33s));

    ASSERT_TRUE(mails.next());
    EXPECT_LE(*mails.next(), at(33s));
    EXPECT_EQ(mails.take(at(33s))->events.size(), 2U);
}

TEST(MailQueue, AnotherServersEventDoesNotWait) {
    MailQueue mails = queue();
    mails.add(event("a"), at(0s));
    static_cast<void>(mails.take(at(0s)));
    mails.sent(at(0s));
    mails.add(event("a", "UP"), at(1s));
    EXPECT_EQ(mails.next(), at(60s));
    mails.add(event("b"), at(2s));
    EXPECT_EQ(mails.take(at(2s))->events.size(), 2U);
}

TEST(MailQueue, AFailureIsTriedAgainLaterWithTheSameEventsFirst) {
    MailQueue mails = queue();
    mails.add(event("a"), at(0s));
    static_cast<void>(mails.take(at(0s)));
    mails.failed(at(5s));
    mails.add(event("b"), at(6s));
    EXPECT_EQ(mails.next(), at(65s));
    EXPECT_FALSE(mails.take(at(64s)));
    const auto again = mails.take(at(65s));
    ASSERT_EQ(again->events.size(), 2U);
    EXPECT_EQ(again->events[0].subject, "a");
}

TEST(MailQueue, IsBoundedForgetsTheOldestAndSaysSo) {
    MailQueue mails = queue();
    for (int i = 0; i < 25; ++i) mails.add(event("s" + std::to_string(i)), at(0s));
    EXPECT_EQ(mails.waiting(), 10U);
    EXPECT_EQ(mails.lost(), 15U);
    const auto batch = mails.take(at(0s));
    EXPECT_EQ(batch->lost, 15U);
    EXPECT_EQ(batch->events.front().subject, "s15");
    mails.failed(at(1s));
    EXPECT_EQ(mails.take(at(61s))->lost, 15U);
    mails.sent(at(62s));
    mails.add(event("x"), at(62s));
    EXPECT_EQ(mails.take(at(62s))->lost, 0U);
}

TEST(MailQueue, StaysBoundedWhileTheServerIsAwayForADay) {
    MailQueue mails = queue();
    for (auto now = at(0s); now < at(24h); now += 10s) {
        mails.add(event("s"), now);
        if (mails.take(now)) mails.failed(now);
        ASSERT_LE(mails.waiting(), 10U);
    }
}

// 2026-11-30 14:00:05 UTC.
const MailStamp kStamp{std::chrono::system_clock::time_point(1796047205s), 7};

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t start = 0;
    for (std::size_t end = text.find("\r\n"); end != std::string::npos;
         end = text.find("\r\n", start)) {
        lines.push_back(text.substr(start, end - start));
        start = end + 2;
    }
    EXPECT_EQ(start, text.size()) << "a line without CR LF";
    return lines;
}

TEST(MailMessage, HasTheHeadersOfRfc5322AndOneLinePerEvent) {
    Event down = event("10.0.0.2:80 of TCP 10.0.0.1:80");
    down.time = kStamp.time;
    down.cause = "TCP_CHECK 10.0.0.2:80: connection refused";
    const auto lines = lines_of(event_mail(email(), "lb01", {{down}, 0}, kStamp));
    const std::vector<std::string> wanted = {
        "From: <pollux@lb01.example.com>",
        "To: <ops@example.com>,",
        "    <night@example.com>",
        "Date: Mon, 30 Nov 2026 14:00:05 +0000",
        "Message-ID: <1796047205000000000.7@lb01.example.com>",
        "Subject: [lb01] server 10.0.0.2:80 of TCP 10.0.0.1:80: DOWN",
        "X-Mailer: Pollux",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        "2026-11-30 14:00:05 UTC  server 10.0.0.2:80 of TCP 10.0.0.1:80  UP -> DOWN",
        "    TCP_CHECK 10.0.0.2:80: connection refused",
    };
    EXPECT_EQ(lines, wanted);
}

TEST(MailMessage, ADigestNamesItsNumberAndWhatWasLost) {
    const std::string text = event_mail(email(), "lb01", {{event("a"), event("b")}, 3}, kStamp);
    EXPECT_NE(text.find("Subject: [lb01] 2 events, last: server b: DOWN\r\n"), std::string::npos);
    EXPECT_NE(text.find("3 older events found no room"), std::string::npos);
}

// Names and what servers send can neither add a header nor a recipient, nor end the body.
TEST(MailMessage, HostileTextCannotForgeHeadersOrBody) {
    Event hostile = event("x\r\nBcc: <evil@example.com>\r\n\r\nbody\x1b[2J\xff");
    hostile.cause = "\r\n.\r\nMAIL FROM:<evil@example.com>\n" + std::string(5000, 'y');
    EmailConfig config = email();
    config.to = {"a@example.com>\r\nBcc: <evil@example.com"};
    for (const std::string& router : {std::string("lb01"), std::string("lb\r\nBcc: evil")}) {
        const auto lines = lines_of(event_mail(config, router, {{hostile}, 0}, kStamp));
        unsigned empty = 0;
        for (const std::string& line : lines) {
            EXPECT_LE(line.size(), 998U);
            EXPECT_FALSE(line.starts_with("Bcc"));
            EXPECT_FALSE(line.starts_with("MAIL"));
            EXPECT_NE(line, ".");
            for (const char c : line) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
            if (line.empty()) ++empty;
        }
        EXPECT_EQ(empty, 1U);
    }
}

TEST(MailMessage, OnlyPlainAddressesAreUsed) {
    for (const char* good : {"a@b", "ops+lb@example.com"}) EXPECT_TRUE(is_mail_address(good));
    for (const char* bad :
         {"", "a", "@b", "a@", "a b@c", "a@b\r\nRCPT TO:<x@y>", "<a@b>", "a@b@c"}) {
        EXPECT_FALSE(is_mail_address(bad)) << bad;
    }
}

}  // namespace
}  // namespace pollux::control
