// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/record_route.h"

#include <cstring>

#include "dataplane/net/checksum.h"
#include "dataplane/net/header.h"
#include "dataplane/net/ipv4.h"

namespace pollux::lb {
namespace {

// Null: there is none. The parser has checked the options.
std::uint8_t* find_option(std::uint8_t* options, std::size_t length) noexcept {
    for (std::size_t at = 0; at < length && options[at] != net::kIpv4OptionEnd;) {
        if (options[at] == net::kIpv4OptionNoOperation) {
            ++at;
            continue;
        }
        if (at + 2 >= length) return nullptr;
        if (options[at] == net::kIpv4OptionRecordRoute) return options + at;
        at += options[at + 1];
    }
    return nullptr;
}

}  // namespace

void record_route(PacketContext& context) noexcept {
    auto& ip = net::header_in<net::Ipv4Header>(context.ip());
    std::uint8_t* const option =
        find_option(context.ip() + sizeof ip, ip.header_length() - sizeof ip);
    if (option == nullptr) return;
    // The pointer is relative to the option and counts from 1.
    const std::size_t size = option[1];
    const std::size_t pointer = option[2];
    if (pointer < 4 || pointer + 3 > size) return;
    std::memcpy(option + pointer - 1, context.connection->virtual_bytes().data(), 4);
    option[2] = static_cast<std::uint8_t>(pointer + 4);
    ip.checksum = {};
    ip.checksum = net::internet_checksum({context.ip(), ip.header_length()});
}

}  // namespace pollux::lb
