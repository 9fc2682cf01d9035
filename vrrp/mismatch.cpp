// SPDX-License-Identifier: Apache-2.0

#include "vrrp/mismatch.h"

#include "vrrp/advert.h"
#include "vrrp/wire.h"

namespace pollux::vrrp {
namespace {

std::string auth_text(std::uint64_t type) {
    switch (type) {
        case kAuthNone:
            return "none";
        case kAuthPass:
            return "PASS";
        case kAuthHeader:
            return "AH";
        default:
            return std::to_string(type);
    }
}

std::string address_list(const std::vector<net::IpAddress>& addresses) {
    std::string text;
    for (const net::IpAddress& address : addresses) {
        if (!text.empty()) text += ", ";
        text += address.to_string();
    }
    return text;
}

std::string number_text(MismatchKind kind, std::uint64_t number) {
    switch (kind) {
        case MismatchKind::AuthType:
            return auth_text(number);
        case MismatchKind::Interval:
            return std::to_string(number / 1'000'000) + "ms";
        case MismatchKind::ChecksumForm:
            return std::string(to_string(static_cast<ChecksumForm>(number)));
        case MismatchKind::Version:
        case MismatchKind::EqualPriority:
        case MismatchKind::TwoOwners:
            return std::to_string(number);
        case MismatchKind::Password:
        case MismatchKind::Addresses:
        case MismatchKind::Destination:
        case MismatchKind::UnknownPeer:
        case MismatchKind::LinkLocal:
        case MismatchKind::OwnAddress:
        case MismatchKind::Unsupported:
            break;
    }
    return "";
}

}  // namespace

std::string MismatchRecord::ours_text() const {
    switch (kind) {
        case MismatchKind::Password:
            return "(configured)";
        case MismatchKind::Unsupported:
            return "none or PASS";
        case MismatchKind::UnknownPeer:
            return "unicast_peer";
        case MismatchKind::LinkLocal:
            return "a link-local address first";
        case MismatchKind::Addresses:
        case MismatchKind::Destination:
        case MismatchKind::OwnAddress:
            return address_list(our_addresses);
        case MismatchKind::Version:
        case MismatchKind::AuthType:
        case MismatchKind::Interval:
        case MismatchKind::ChecksumForm:
        case MismatchKind::EqualPriority:
        case MismatchKind::TwoOwners:
            break;
    }
    return number_text(kind, ours);
}

std::string MismatchRecord::theirs_text() const {
    switch (kind) {
        case MismatchKind::Password:
            return "(another)";
        case MismatchKind::Unsupported:
            return "AH";
        case MismatchKind::UnknownPeer:
            return peer.to_string();
        case MismatchKind::LinkLocal:
        case MismatchKind::Addresses:
        case MismatchKind::Destination:
        case MismatchKind::OwnAddress:
            return address_list(their_addresses);
        case MismatchKind::Version:
        case MismatchKind::AuthType:
        case MismatchKind::Interval:
        case MismatchKind::ChecksumForm:
        case MismatchKind::EqualPriority:
        case MismatchKind::TwoOwners:
            break;
    }
    return number_text(kind, theirs);
}

MismatchTable::Noted MismatchTable::note(const Seen& seen, TimePoint now) {
    auto& record = records_[static_cast<std::size_t>(seen.kind)];
    Noted noted;
    if (!record) {
        record.emplace();
        record->kind = seen.kind;
        record->first = now;
        noted = {true, true};
    } else {
        noted = {now - record->last_warned >= kWarnInterval,
                 now - record->last_refreshed >= kRefreshInterval};
    }
    record->peer = seen.peer;
    record->ours = seen.ours;
    record->theirs = seen.theirs;
    record->last = now;
    ++record->count;
    if (noted.warn) record->last_warned = now;
    if (noted.refresh) record->last_refreshed = now;
    return noted;
}

void MismatchTable::set_addresses(MismatchKind kind, std::vector<net::IpAddress> ours,
                                  std::vector<net::IpAddress> theirs) {
    MismatchRecord& record = *records_[static_cast<std::size_t>(kind)];
    record.our_addresses = std::move(ours);
    record.their_addresses = std::move(theirs);
}

const MismatchRecord* MismatchTable::find(MismatchKind kind) const {
    const auto& record = records_[static_cast<std::size_t>(kind)];
    return record ? &*record : nullptr;
}

std::vector<MismatchRecord> MismatchTable::all() const {
    std::vector<MismatchRecord> result;
    for (const auto& record : records_) {
        if (record) result.push_back(*record);
    }
    return result;
}

}  // namespace pollux::vrrp
