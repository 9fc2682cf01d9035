// SPDX-License-Identifier: Apache-2.0

// The receiving half of vrrp/instance.h.

#include <algorithm>

#include "vrrp/instance.h"

namespace pollux::vrrp {
namespace {

// Answers to losing masters and to priority 0: RFC 9568 section 6.4.3 wants each at once, which a
// forger could turn into a flood. So many at once, and so many per interval after that.
constexpr int kRepliesPerInterval = 8;

// A lasting conflict is announced again at most this often.
Duration announce_gap(const InstanceConfig& config) {
    return std::clamp<Duration>(config.advert_interval, std::chrono::milliseconds(100),
                                std::chrono::seconds(1));
}

}  // namespace

Actions Instance::receive(const Decoded& packet, TimePoint now) {
    Actions out;
    if (state_ == State::Init || state_ == State::Fault) {
        ++counters_.not_listening;
        return out;
    }
    static const net::IpAddress kNobody;
    const net::IpAddress& last_master = master_ ? master_->address : kNobody;
    const CheckResult check = check_advert({config_, addresses_, source_, last_master}, packet);
    if (check.rejection != Rejection::None) {
        count(check.rejection);
        note_rejection(packet, check.rejection, now, out);
        return out;
    }
    const ReceivedAdvert& advert = packet.advert;
    ++counters_.advert_rcvd;
    if (advert.priority == kPriorityRelease) ++counters_.pri_zero_rcvd;
    note_differences(advert, check, now, out);

    notice_stall(now, out);
    if (state_ == State::Master) {
        hear_in_master(advert, now, out);
    } else {
        hear_in_backup(advert, now, out);
    }
    finish(out);
    return out;
}

// --- bookkeeping ------------------------------------------------------------------------------

void Instance::count(Rejection rejection) {
    switch (rejection) {
        case Rejection::None:
            break;
        case Rejection::IpHeader:
        case Rejection::Length:
            ++counters_.packet_len_err;
            break;
        case Rejection::AuthenticationHeader:
        case Rejection::AuthTypeInvalid:
            ++counters_.invalid_authtype;
            break;
        case Rejection::Ttl:
            ++counters_.ip_ttl_err;
            break;
        case Rejection::Version:
            ++counters_.vers_err;
            break;
        case Rejection::Type:
            ++counters_.invalid_type_rcvd;
            break;
        case Rejection::Checksum:
            ++counters_.chk_err;
            break;
        case Rejection::OwnAddress:
            ++counters_.own_address_err;
            break;
        case Rejection::Destination:
            ++counters_.destination_err;
            break;
        case Rejection::UnknownPeer:
            ++counters_.unicast_source_err;
            break;
        case Rejection::AuthTypeMismatch:
            ++counters_.authtype_mismatch;
            break;
        case Rejection::AuthFailure:
            ++counters_.auth_failure;
            break;
        case Rejection::NoAddress:
        case Rejection::AddressList:
        case Rejection::LinkLocal:
            ++counters_.addr_list_err;
            break;
        case Rejection::IntervalZero:
        case Rejection::Interval:
            ++counters_.advert_interval_err;
            break;
    }
}

void Instance::note(const MismatchTable::Seen& seen, const ReceivedAdvert& advert, TimePoint now,
                    Actions& out) {
    const MismatchTable::Noted noted = mismatches_.note(seen, now);
    if (noted.refresh && seen.kind == MismatchKind::Addresses) {
        mismatches_.set_addresses(seen.kind, config_.addresses, advert.addresses());
    } else if (noted.refresh && seen.kind == MismatchKind::Destination) {
        const net::IpAddress ours = config_.is_unicast() ? source_ : config_.group;
        mismatches_.set_addresses(seen.kind, {ours}, {advert.destination});
    } else if (noted.refresh && seen.kind == MismatchKind::OwnAddress) {
        mismatches_.set_addresses(seen.kind, {source_}, {advert.source});
    } else if (noted.refresh && seen.kind == MismatchKind::LinkLocal) {
        mismatches_.set_addresses(seen.kind, {}, {advert.address(0)});
    }
    if (noted.warn) out.emplace_back(WarnMismatch{seen.kind});
}

void Instance::note_rejection(const Decoded& packet, Rejection rejection, TimePoint now,
                              Actions& out) {
    const ReceivedAdvert& advert = packet.advert;
    const auto interval = [](Duration value) { return static_cast<std::uint64_t>(value.count()); };
    switch (rejection) {
        case Rejection::Version:
            note({MismatchKind::Version, advert.source, config_.version, advert.version}, advert,
                 now, out);
            break;
        case Rejection::AuthenticationHeader:
            note({MismatchKind::Unsupported, advert.source, config_.auth_type, kAuthHeader}, advert,
                 now, out);
            break;
        case Rejection::AuthTypeInvalid:
        case Rejection::AuthTypeMismatch:
            note({MismatchKind::AuthType, advert.source, config_.auth_type, advert.auth_type},
                 advert, now, out);
            break;
        case Rejection::AuthFailure:
            note({MismatchKind::Password, advert.source, 0, 0}, advert, now, out);
            break;
        case Rejection::OwnAddress:
            note({MismatchKind::OwnAddress, advert.source, 0, 0}, advert, now, out);
            break;
        case Rejection::Destination:
            note({MismatchKind::Destination, advert.source, 0, 0}, advert, now, out);
            break;
        case Rejection::UnknownPeer:
            note({MismatchKind::UnknownPeer, advert.source, 0, 0}, advert, now, out);
            break;
        case Rejection::AddressList:
            note({MismatchKind::Addresses, advert.source, 0, 0}, advert, now, out);
            break;
        case Rejection::LinkLocal:
            note({MismatchKind::LinkLocal, advert.source, 0, 0}, advert, now, out);
            break;
        case Rejection::Interval:
        case Rejection::IntervalZero:
            note({MismatchKind::Interval, advert.source, interval(config_.advert_interval),
                  interval(advert.interval)},
                 advert, now, out);
            break;
        case Rejection::None:
        case Rejection::IpHeader:
        case Rejection::Ttl:
        case Rejection::Type:
        case Rejection::Length:
        case Rejection::Checksum:
        case Rejection::NoAddress:
            break;
    }
}

// What a valid advert says that we would say otherwise.
void Instance::note_differences(const ReceivedAdvert& advert, const CheckResult& check,
                                TimePoint now, Actions& out) {
    if (check.addresses_differ) {
        if (advert.version == 3) ++counters_.addr_list_mismatch;
        note({MismatchKind::Addresses, advert.source, 0, 0}, advert, now, out);
    }
    if (check.interval_differs) {
        ++counters_.advert_interval_mismatch;
        note({MismatchKind::Interval, advert.source,
              static_cast<std::uint64_t>(config_.advert_interval.count()),
              static_cast<std::uint64_t>(advert.interval.count())},
             advert, now, out);
    }
    if (advert.version == 3 && advert.family() == net::Family::V4) {
        const bool pseudo = advert.checksum_form == ChecksumForm::PseudoHeader;
        ++(pseudo ? counters_.checksum_pseudo_header_rcvd : counters_.checksum_rfc9568_rcvd);
        learned_form_ = advert.checksum_form;
        const ChecksumForm ours = message(priority_).checksum_form;
        if (ours != advert.checksum_form) {
            note({MismatchKind::ChecksumForm, advert.source, static_cast<std::uint64_t>(ours),
                  static_cast<std::uint64_t>(advert.checksum_form)},
                 advert, now, out);
        }
    }
    if (advert.priority == priority_) {
        // RFC 9568 section 8.3.2: the operator should be told of both.
        const auto kind =
            priority_ == kPriorityOwner ? MismatchKind::TwoOwners : MismatchKind::EqualPriority;
        note({kind, advert.source, priority_, advert.priority}, advert, now, out);
    }
}

// --- BACKUP -----------------------------------------------------------------------------------

// RFC 9568 section 6.4.2.
void Instance::hear_in_backup(const ReceivedAdvert& advert, TimePoint now, Actions& out) {
    if (advert.priority == kPriorityRelease) {
        arm_down(ArmedBy::Release, now);
        return;
    }
    if (advert.priority >= priority_) {
        preempt_at_.reset();
        accept_master(advert, now);
    } else if (!preempts(now)) {
        accept_master(advert, now);
    }
}

void Instance::accept_master(const ReceivedAdvert& advert, TimePoint now) {
    if (config_.version == 3) active_interval_ = advert.interval;
    master_ = PeerView{advert.source, advert.source_mac, advert.priority, now};
    late_once_ = false;
    arm_down(ArmedBy::Advert, now);
}

// Whether the advert of a lower-priority master is discarded, so that our timer runs out. The delay
// counts from the first such advert; until it has passed that master is as good as any.
bool Instance::preempts(TimePoint now) {
    if (config_.nopreempt && priority_ != kPriorityOwner) return false;
    if (now < hold_until_) return false;
    if (config_.preempt_delay > Duration::zero()) {
        if (!preempt_at_) preempt_at_ = now + config_.preempt_delay;
        return now >= *preempt_at_;
    }
    return true;
}

// --- MASTER -----------------------------------------------------------------------------------

// RFC 9568 section 6.4.3. The address decides between equals, as unsigned bytes in network order.
void Instance::hear_in_master(const ReceivedAdvert& advert, TimePoint now, Actions& out) {
    const bool higher_address = advert.priority == priority_ && advert.source > source_;
    if (advert.priority > priority_ || higher_address) {
        yield_to(advert, now, out);
        return;
    }
    ++counters_.other_master;
    if (advert.priority == kPriorityRelease || !config_.lower_prio_no_advert) reply(now, out);
    see_other_master({advert.source, advert.source_mac, advert.priority, now}, now, out);
}

// The winner must learn that there were two masters, or it never announces the addresses again and
// the neighbours keep ours (finding F6): one last advert, sent while it still is the truth.
void Instance::yield_to(const ReceivedAdvert& advert, TimePoint now, Actions& out) {
    const Cause cause = advert.priority > priority_ ? Cause::HigherPriority : Cause::HigherAddress;
    if (config_.higher_prio_send_advert) send(priority_, now, out);
    master_ = PeerView{advert.source, advert.source_mac, advert.priority, now};
    become_backup(cause, now, out);
    accept_master(advert, now);
}

void Instance::reply(TimePoint now, Actions& out) {
    const Duration interval = config_.advert_interval;
    if (reply_allowance_ > now + interval) {
        ++counters_.reply_suppressed;
        return;
    }
    reply_allowance_ = std::max(reply_allowance_, now) + interval / kRepliesPerInterval;
    send(priority_, now, out);
}

// A master that we have just replaced may speak once more before it hears us: that is a hand-over,
// not a split brain. Whoever still claims the addresses an interval after we have answered does not
// hear us, or does not want to: that is what a fence is for.
void Instance::judge_conflict(const PeerView& peer, TimePoint now, Actions& out) {
    if (!heard_other_lately(now)) {
        conflict_ = Conflict::Seen;
        conflict_since_ = now;
    }
    other_ = peer;
    const bool handing_over = now - since_ <= config_.advert_interval;
    if (conflict_ == Conflict::Seen && !handing_over) {
        conflict_ = Conflict::Alarmed;
        ++counters_.split_brain;
        out.emplace_back(WarnSplitBrain{peer.address, peer.priority});
        out.emplace_back(Notify{Notice::MasterRxLowerPriority, priority_});
    }
    if (conflict_ == Conflict::Alarmed && now - conflict_since_ >= config_.advert_interval) {
        conflict_ = Conflict::Fenced;
        out.emplace_back(Fence{peer.address, peer.priority});
    }
}

// Announced at once when the last time is long ago, and once more after the last sighting: the
// other's own announcements may have been the last that the neighbours saw.
void Instance::see_other_master(const PeerView& peer, TimePoint now, Actions& out) {
    judge_conflict(peer, now, out);
    const Duration gap = announce_gap(config_);
    if (now - last_announced_ >= gap) {
        last_announced_ = now;
        out.emplace_back(Announce{AnnounceReason::OtherMaster});
    } else if (reannounce_timer_ == kNever) {
        reannounce_timer_ = last_announced_ + gap;
    }
}

}  // namespace pollux::vrrp
