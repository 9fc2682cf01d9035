// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "control/import/keyword.h"

namespace pollux::control::testing {
namespace {

template <typename Visit>
void for_each_row(Visit visit) {
    for (const auto table :
         {global_keywords(), vrrp_keywords(), network_keywords(), service_keywords()}) {
        for (const Keyword& row : table) visit(row);
    }
}

TEST(Keywords, EachWordHasOneRowInABlock) {
    std::set<std::pair<Block, std::string_view>> seen;
    for_each_row([&seen](const Keyword& row) {
        EXPECT_TRUE(seen.emplace(row.block, row.word).second)
            << block_name(row.block) << " " << row.word;
    });
    EXPECT_GE(seen.size(), 400U);
}

TEST(Keywords, WhatIsNotKeptSaysWhy) {
    for_each_row([](const Keyword& row) {
        EXPECT_EQ(row.fate == Fate::Kept, row.remark.empty()) << row.word;
        EXPECT_EQ(row.reading == Reading::Special, row.handler != nullptr) << row.word;
        if (row.fate == Fate::Dropped) {
            EXPECT_EQ(row.reading, Reading::Nothing) << row.word;
        }
    });
}

TEST(Keywords, ChecksShareTheWordsOfTheNetwork) {
    EXPECT_NE(find_keyword(Block::TcpCheck, "connect_port"), nullptr);
    EXPECT_NE(find_keyword(Block::SslGet, "url"), nullptr);
    EXPECT_EQ(find_keyword(Block::MiscCheck, "connect_port"), nullptr);
    EXPECT_EQ(find_keyword(Block::TcpCheck, "nb_get_retry"), nullptr);
    EXPECT_EQ(find_keyword(Block::Instance, "lb_algo"), nullptr);
}

TEST(Keywords, NearWordsAreFound) {
    EXPECT_EQ(nearest_keyword(Block::Instance, "noreempt"), "nopreempt");
    EXPECT_EQ(nearest_keyword(Block::RealServer, "MSIC_CHECK"), "MISC_CHECK");
    EXPECT_EQ(nearest_keyword(Block::Instance, "frobnicate"), "");
    EXPECT_EQ(other_block_of("lb_algo"), "virtual_server");
}

}  // namespace
}  // namespace pollux::control::testing
