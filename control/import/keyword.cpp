// SPDX-License-Identifier: Apache-2.0
#include "control/import/keyword.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "control/config/suggest.h"

namespace pollux::control {

namespace {

using Key = std::pair<Block, std::string_view>;

const std::map<Key, const Keyword*>& index() {
    static const std::map<Key, const Keyword*> kIndex = [] {
        std::map<Key, const Keyword*> rows;
        for (const auto table :
             {global_keywords(), vrrp_keywords(), network_keywords(), service_keywords()}) {
            for (const Keyword& row : table) rows.emplace(Key(row.block, row.word), &row);
        }
        return rows;
    }();
    return kIndex;
}

bool is_network_check(Block block) {
    switch (block) {
        case Block::TcpCheck:
        case Block::HttpGet:
        case Block::SslGet:
        case Block::SmtpCheck:
        case Block::SmtpHost:
        case Block::DnsCheck:
        case Block::PingCheck:
        case Block::UdpCheck:
            return true;
        case Block::Top:
        case Block::GlobalDefs:
        case Block::VrrpScript:
        case Block::TrackFile:
        case Block::TrackProcess:
        case Block::SyncGroup:
        case Block::GarpGroup:
        case Block::BfdInstance:
        case Block::Instance:
        case Block::Authentication:
        case Block::Tracked:
        case Block::Address:
        case Block::Route:
        case Block::Rule:
        case Block::UnicastPeer:
        case Block::Ssl:
        case Block::VirtualServer:
        case Block::RealServer:
        case Block::NetworkCheck:
        case Block::Url:
        case Block::MiscCheck:
        case Block::BfdCheck:
        case Block::FileCheck:
            return false;
    }
    return false;
}

constexpr std::array<std::string_view, 31> kNames = {"the top level",
                                                     "global_defs",
                                                     "vrrp_script",
                                                     "track_file",
                                                     "vrrp_track_process",
                                                     "vrrp_sync_group",
                                                     "garp_group",
                                                     "bfd_instance",
                                                     "vrrp_instance",
                                                     "authentication",
                                                     "a tracked name",
                                                     "an address",
                                                     "a route",
                                                     "a rule",
                                                     "unicast_peer",
                                                     "SSL",
                                                     "virtual_server",
                                                     "real_server",
                                                     "a check",
                                                     "TCP_CHECK",
                                                     "HTTP_GET",
                                                     "SSL_GET",
                                                     "url",
                                                     "SMTP_CHECK",
                                                     "host",
                                                     "DNS_CHECK",
                                                     "MISC_CHECK",
                                                     "BFD_CHECK",
                                                     "PING_CHECK",
                                                     "UDP_CHECK",
                                                     "FILE_CHECK"};
static_assert(kNames.size() == static_cast<std::size_t>(Block::FileCheck) + 1);

}  // namespace

const Keyword* find_keyword(Block block, std::string_view word) {
    auto found = index().find({block, word});
    if (found == index().end() && is_network_check(block)) {
        found = index().find({Block::NetworkCheck, word});
    }
    if (found == index().end() && block == Block::SslGet) {
        found = index().find({Block::HttpGet, word});
    }
    return found == index().end() ? nullptr : found->second;
}

std::string_view nearest_keyword(Block block, std::string_view word) {
    std::vector<std::string_view> words;
    for (const auto& [key, row] : index()) {
        if (find_keyword(block, key.second) != nullptr) words.push_back(key.second);
    }
    return nearest(word, words);
}

std::string_view other_block_of(std::string_view word) {
    for (const auto& [key, row] : index()) {
        if (key.second == word) return block_name(key.first);
    }
    return {};
}

std::string_view block_name(Block block) {
    return kNames[static_cast<std::size_t>(block)];
}

}  // namespace pollux::control
