// SPDX-License-Identifier: Apache-2.0
// DNS and SMTP as the checks speak them.

#include <gtest/gtest.h>

#include "control/health/check_key.h"
#include "control/health/dns_message.h"
#include "control/health/smtp_reply.h"
#include "tests/unit/health/builders.h"

namespace pollux::control {
namespace {

using Bytes = std::vector<std::uint8_t>;

// RFC 1035 section 4.1: id 0x1234, recursion desired, one question, "a.bc", MX, IN.
TEST(DnsMessage, TheQuestionIsOneOfRfc1035) {
    const Bytes wanted = {0x12, 0x34, 1,   0, 0,   1,   0, 0, 0,  0, 0,
                          0,    1,    'a', 2, 'b', 'c', 0, 0, 15, 0, 1};
    EXPECT_EQ(build_dns_question(0x1234, "a.bc", "MX"), wanted);
    EXPECT_EQ(build_dns_question(0x1234, "a.bc.", "MX"), wanted);
    const auto root = build_dns_question(0, ".", "SOA");
    EXPECT_EQ(root->size(), 12U + 1 + 4);
}

TEST(DnsMessage, NamesThatCannotBeAskedForAreRefused) {
    EXPECT_FALSE(build_dns_question(0, "a..b", "A"));
    EXPECT_FALSE(build_dns_question(0, std::string(64, 'x'), "A"));
    std::string longest;
    for (int i = 0; i < 5; ++i) longest += std::string(60, 'y') + ".";
    EXPECT_FALSE(build_dns_question(0, longest, "A"));
    EXPECT_FALSE(build_dns_question(0, "a", "ANY"));
}

Bytes answer_to(Bytes question, std::uint8_t flags, std::uint8_t code) {
    question[2] = flags;
    question[3] = code;
    return question;
}

TEST(DnsMessage, OnlyAnAnswerToThisQuestionCounts) {
    const Bytes question = *build_dns_question(0x1234, "www.example.com", "A");
    EXPECT_EQ(judge_dns_answer(question, answer_to(question, 0x81, 0x80)).answer, DnsAnswer::Good);
    const DnsVerdict refused = judge_dns_answer(question, answer_to(question, 0x81, 0x83));
    EXPECT_EQ(refused.answer, DnsAnswer::Refused);
    EXPECT_EQ(dns_code_text(refused.code), "NXDOMAIN");
    EXPECT_EQ(judge_dns_answer(question, question).answer, DnsAnswer::Foreign) << "a query";
    const Bytes other = *build_dns_question(0x1235, "www.example.com", "A");
    EXPECT_EQ(judge_dns_answer(question, answer_to(other, 0x81, 0x80)).answer, DnsAnswer::Foreign);
    const Bytes elsewhere = *build_dns_question(0x1234, "www.example.net", "A");
    EXPECT_EQ(judge_dns_answer(question, answer_to(elsewhere, 0x81, 0x80)).answer,
              DnsAnswer::Foreign);
}

TEST(DnsMessage, EveryTruncationIsForeign) {
    const Bytes question = *build_dns_question(0x1234, "www.example.com", "A");
    const Bytes answer = answer_to(question, 0x81, 0x80);
    for (std::size_t size = 0; size < answer.size(); ++size) {
        EXPECT_EQ(judge_dns_answer(question, std::span(answer).first(size)).answer,
                  DnsAnswer::Foreign)
            << size;
    }
}

SmtpReply::State feed(SmtpReply& reply, const std::string& text) {
    return reply.feed({text.data(), text.size()});
}

TEST(SmtpReply, EndsWithTheLineThatHasNoHyphen) {
    SmtpReply reply;
    EXPECT_EQ(feed(reply, "250-mail.exam"), SmtpReply::State::NeedsMore);
    EXPECT_EQ(feed(reply, "ple.com\r\n250-SIZE\r\n"), SmtpReply::State::NeedsMore);
    EXPECT_EQ(feed(reply, "250 HELP\r\n"), SmtpReply::State::Complete);
    EXPECT_EQ(reply.code(), 250);
    EXPECT_EQ(reply.first_line(), "250-mail.example.com");
}

TEST(SmtpReply, WhatIsNoReplyIsMalformed) {
    for (const char* text : {"HTTP/1.1 200 OK\r\n", "\r\n", "22 x\r\n", "199 x\r\n", "999 x\r\n",
                             "220x\r\n", "220-a\r\n250 b\r\n"}) {
        SmtpReply reply;
        EXPECT_EQ(feed(reply, text), SmtpReply::State::Malformed) << text;
    }
}

TEST(SmtpReply, IsBoundedWithAndWithoutLineEnds) {
    SmtpReply lines, one;
    SmtpReply::State state = SmtpReply::State::NeedsMore;
    for (int i = 0; i < 1000 && state == SmtpReply::State::NeedsMore; ++i) {
        state = feed(lines, "220-more\r\n");
    }
    EXPECT_EQ(state, SmtpReply::State::Malformed);
    EXPECT_EQ(feed(one, std::string(10000, '2')), SmtpReply::State::Malformed);
}

// Every field of a check that could make it another check changes its key.
TEST(CheckKey, TellsEveryDifferenceButNotThePlaceInTheFile) {
    const CheckConfig base = testing::tcp_check();
    CheckConfig moved = base;
    moved.origin.line = 77;
    EXPECT_EQ(check_key(base), check_key(moved));
    using Change = void (*)(CheckConfig&);
    const Change changes[] = {
        [](CheckConfig& c) { c.type = CheckType::Ping; },
        [](CheckConfig& c) { c.connect_ip = testing::ip("10.0.0.9"); },
        [](CheckConfig& c) { c.connect_port = 81; },
        [](CheckConfig& c) { c.bindto = testing::ip("10.0.0.9"); },
        [](CheckConfig& c) { c.bind_port = 9; },
        [](CheckConfig& c) { c.delay_loop += std::chrono::seconds(1); },
        [](CheckConfig& c) { c.warmup += std::chrono::seconds(1); },
        [](CheckConfig& c) { c.connect_timeout += std::chrono::seconds(1); },
        [](CheckConfig& c) { c.retry = 9; },
        [](CheckConfig& c) { c.delay_before_retry += std::chrono::seconds(1); },
        [](CheckConfig& c) { c.alpha = true; },
        [](CheckConfig& c) { c.via = ServiceWay{}; },
        [](CheckConfig& c) {
            c.via = ServiceWay{testing::ip("10.0.0.9"), lb::ForwardingMethod::DirectRouting, {}};
        },
        [](CheckConfig& c) {
            c.via = ServiceWay{{}, lb::ForwardingMethod::Tunnel, {}};
        },
        [](CheckConfig& c) {
            c.via = ServiceWay{{}, lb::ForwardingMethod::Tunnel, {{}, lb::TunnelKind::Gre}};
        },
        [](CheckConfig& c) {
            c.via = ServiceWay{{}, lb::ForwardingMethod::Tunnel, {{}, lb::TunnelKind::Gue, 6081}};
        },
        [](CheckConfig& c) { c.log_all_failures = true; },
        [](CheckConfig& c) { c.url.push_back({}); },
        [](CheckConfig& c) { c.http_protocol = HttpProtocol::Http11; },
        [](CheckConfig& c) { c.fast_recovery = true; },
        [](CheckConfig& c) { c.enable_sni = false; },
        [](CheckConfig& c) { c.verify = false; },
        [](CheckConfig& c) { c.ca_file = "/x"; },
        [](CheckConfig& c) { c.certificate_file = "/x"; },
        [](CheckConfig& c) { c.key_file = "/x"; },
        [](CheckConfig& c) { c.cert_min_days = 9; },
        [](CheckConfig& c) { c.helo_name = "x"; },
        [](CheckConfig& c) { c.misc_path.argv = {"/x"}; },
        [](CheckConfig& c) {
            c.misc_path.argv = {"/x", ""};
        },
        [](CheckConfig& c) { c.misc_timeout = std::chrono::seconds(9); },
        [](CheckConfig& c) { c.misc_dynamic = true; },
        [](CheckConfig& c) { c.user = "x"; },
        [](CheckConfig& c) { c.dns_type = "A"; },
        [](CheckConfig& c) { c.dns_name = "x"; },
        [](CheckConfig& c) { c.payload = {0}; },
        [](CheckConfig& c) { c.require_reply = true; },
        [](CheckConfig& c) { c.min_reply_length = 9; },
        [](CheckConfig& c) { c.max_reply_length = 9; },
        [](CheckConfig& c) { c.track_file = "x"; },
        [](CheckConfig& c) { c.file_weight = 9; },
        [](CheckConfig& c) { c.url.emplace_back().path = "/x"; },
        [](CheckConfig& c) { c.url.emplace_back().digest = "x"; },
        [](CheckConfig& c) {
            c.url.emplace_back().status_code = {{1, 2}};
        },
        [](CheckConfig& c) { c.url.emplace_back().regex = "x"; },
        [](CheckConfig& c) { c.url.emplace_back().regex_options = {"utf"}; },
        [](CheckConfig& c) { c.url.emplace_back().regex_no_match = true; },
        [](CheckConfig& c) { c.url.emplace_back().regex_min_offset = 9; },
        [](CheckConfig& c) { c.url.emplace_back().regex_max_offset = 9; },
        [](CheckConfig& c) { c.url.emplace_back().virtualhost = "x"; },
    };
    std::set<std::string> keys = {check_key(base)};
    for (const Change change : changes) {
        CheckConfig other = base;
        change(other);
        EXPECT_TRUE(keys.insert(check_key(other)).second) << keys.size();
    }
}

}  // namespace
}  // namespace pollux::control
