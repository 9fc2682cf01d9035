// SPDX-License-Identifier: Apache-2.0

#include "vrrp/instance.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace pollux::vrrp {

Instance::Instance(InstanceConfig config)
    : config_(std::move(config)),
      addresses_(config_.addresses),
      priority_(config_.priority),
      active_interval_(config_.advert_interval) {
    faults_.set(Fault::NoAddress, true);
}

// --- events -----------------------------------------------------------------------------------

Actions Instance::start(TimePoint now) {
    Actions out;
    if (state_ != State::Init || timer_ != kNever) return out;
    if (config_.startup_delay > Duration::zero()) {
        timer_ = now + config_.startup_delay;
    } else {
        enter(Cause::Started, now, out);
    }
    finish(out);
    return out;
}

Actions Instance::stop(TimePoint now) {
    Actions out;
    const State from = state_;
    if (from == State::Init && timer_ == kNever) return out;
    if (from == State::Master) {
        send(kPriorityRelease, now, out);
        leave_master(out);
    }
    state_ = State::Init;
    timer_ = kNever;
    reannounce_timer_ = kNever;
    preempt_at_.reset();
    log(from, Cause::Stopped, now, out);
    out.emplace_back(Notify{Notice::Stop, priority_});
    finish(out);
    return out;
}

Actions Instance::timer_expired(TimePoint now) {
    Actions out;
    if (now < deadline()) return out;
    if (!notice_stall(now, out)) {
        switch (state_) {
            case State::Init:
                enter(Cause::Started, now, out);
                break;
            case State::Backup:
                backup_timer(now, out);
                break;
            case State::Master:
                master_timer(now, out);
                break;
            case State::Fault:
                break;
        }
    }
    finish(out);
    return out;
}

Actions Instance::set_priority(std::uint8_t effective, TimePoint now) {
    Actions out;
    if (effective == priority_) return out;
    priority_ = effective;
    // RFC 9568 section 6.1: the skew follows the priority. A master's next advert carries it.
    if (state_ == State::Backup) rearm_down();
    finish(out);
    return out;
}

Actions Instance::set_fault(Fault fault, bool present, TimePoint now) {
    Actions out;
    FaultSet next = faults_;
    next.set(fault, present);
    update_faults(next, now, out);
    finish(out);
    return out;
}

Actions Instance::set_source(const net::IpAddress& source, TimePoint now) {
    source_ = source;
    return set_fault(Fault::NoAddress, source.is_unspecified(), now);
}

Actions Instance::step_down(Duration hold, TimePoint now) {
    Actions out;
    hold_until_ = now + hold;
    if (state_ == State::Master) {
        send(kPriorityRelease, now, out);
        become_backup(Cause::StepDown, now, out);
    }
    finish(out);
    return out;
}

Actions Instance::announce(TimePoint now) {
    Actions out;
    if (state_ == State::Master) {
        out.emplace_back(Announce{AnnounceReason::Operator});
        last_announced_ = now;
    }
    return out;
}

Actions Instance::foreign_claim(const net::IpAddress& address, const net::MacAddress& mac,
                                TimePoint now) {
    Actions out;
    if (state_ != State::Master || notice_stall(now, out)) {
        finish(out);
        return out;
    }
    ++counters_.foreign_claim;
    PeerView peer;
    peer.address = address;
    peer.mac = mac;
    peer.last_heard = now;
    see_other_master(peer, now, out);
    finish(out);
    return out;
}

Actions Instance::reconfigure(InstanceConfig next, TimePoint now) {
    assert(is_same_virtual_router(config_, next));
    Actions out;
    const bool interval_changed = next.advert_interval != config_.advert_interval;
    config_ = std::move(next);
    addresses_ = AddressSet(config_.addresses);
    const bool learned =
        config_.version == 3 && state_ == State::Backup && armed_by_ == ArmedBy::Advert;
    if (interval_changed && !learned) active_interval_ = config_.advert_interval;
    if (state_ == State::Master && interval_changed) {
        timer_ = std::max(now, last_sent_ + config_.advert_interval);
    } else if (state_ == State::Backup) {
        rearm_down();
    }
    finish(out);
    return out;
}

Actions Instance::follow(State target, TimePoint now) {
    assert(target == State::Master || target == State::Backup);
    Actions out;
    if (target == State::Master && state_ == State::Backup) {
        become_master(Cause::SyncGroup, now, out);
    } else if (target == State::Backup && state_ == State::Master) {
        become_backup(Cause::SyncGroup, now, out);
    }
    finish(out);
    return out;
}

Actions Instance::hold_back(TimePoint now) {
    Actions out;
    if (state_ == State::Backup) {
        ++counters_.held_by_group;
        arm_down(ArmedBy::Silence, now);
    }
    finish(out);
    return out;
}

// --- transitions ------------------------------------------------------------------------------

// Out of INIT or FAULT. RFC 9568 section 6.4.1: the owner is master at once, others listen first.
void Instance::enter(Cause cause, TimePoint now, Actions& out) {
    if (faults_.any()) {
        become_fault(now, out);
    } else if (priority_ == kPriorityOwner) {
        become_master(Cause::AddressOwner, now, out);
    } else {
        become_backup(cause, now, out);
    }
}

// RFC 9568 section 6.4.2: the advertisement leaves first, then the addresses are announced. They
// are answered for by then, so nobody is told of an address that is not ready (section 8.1.2).
void Instance::become_master(Cause cause, TimePoint now, Actions& out) {
    const State from = std::exchange(state_, State::Master);
    ++counters_.become_master;
    active_interval_ = config_.advert_interval;
    late_once_ = false;
    preempt_at_.reset();
    other_.reset();
    send(priority_, now, out);
    out.emplace_back(StartAnswering{});
    out.emplace_back(AddAddresses{});
    out.emplace_back(Announce{AnnounceReason::BecameMaster});
    last_announced_ = now;
    log(from, cause, now, out);
    out.emplace_back(Notify{Notice::Master, priority_});
}

void Instance::become_backup(Cause cause, TimePoint now, Actions& out) {
    if (state_ == State::Master) leave_master(out);
    const State from = std::exchange(state_, State::Backup);
    active_interval_ = config_.advert_interval;
    late_once_ = false;
    preempt_at_.reset();
    arm_down(ArmedBy::Silence, now);
    log(from, cause, now, out);
    out.emplace_back(Notify{Notice::Backup, priority_});
}

void Instance::become_fault(TimePoint now, Actions& out) {
    if (state_ == State::Master) {
        send(kPriorityRelease, now, out);
        leave_master(out);
    }
    const State from = std::exchange(state_, State::Fault);
    timer_ = kNever;
    preempt_at_.reset();
    log(from, Cause::Fault, now, out);
    out.emplace_back(Notify{Notice::Fault, priority_});
}

void Instance::leave_master(Actions& out) {
    ++counters_.release_master;
    reannounce_timer_ = kNever;
    out.emplace_back(StopAnswering{});
    out.emplace_back(RemoveAddresses{});
    out.emplace_back(CancelAnnouncements{});
}

void Instance::log(State from, Cause cause, TimePoint now, Actions& out) {
    since_ = now;
    last_cause_ = cause;
    LogTransition line{from, state_, cause, {}, 0};
    const bool about_peer = cause == Cause::MasterSilent || cause == Cause::MasterReleased ||
                            cause == Cause::HigherPriority || cause == Cause::HigherAddress;
    if (about_peer && master_) {
        line.peer = master_->address;
        line.peer_priority = master_->priority;
    }
    out.emplace_back(line);
}

// The only place, besides leaving MASTER, that touches the advertisement timer (finding F1).
void Instance::send(std::uint8_t priority, TimePoint now, Actions& out) {
    ++counters_.advert_sent;
    if (priority == kPriorityRelease) ++counters_.pri_zero_sent;
    last_sent_ = now;
    timer_ = now + config_.advert_interval;
    out.emplace_back(SendAdvert{priority});
}

void Instance::update_faults(FaultSet next, TimePoint now, Actions& out) {
    const bool was_faulty = faults_.any();
    faults_ = next;
    const bool running = state_ == State::Backup || state_ == State::Master;
    if (running && faults_.any()) {
        become_fault(now, out);
    } else if (state_ == State::Fault && was_faulty && !faults_.any()) {
        enter(Cause::FaultCleared, now, out);
    }
}

// --- timers -----------------------------------------------------------------------------------

TimePoint Instance::deadline() const noexcept {
    return std::min(timer_, reannounce_timer_);
}

// RFC 3768 section 6.1 counts in seconds, RFC 9568 section 6.1 in the master's intervals.
Duration Instance::skew() const noexcept {
    const Duration unit =
        config_.version == 2 ? Duration(std::chrono::seconds(1)) : active_interval_;
    return unit * (256 - priority_) / 256;
}

Duration Instance::down_interval() const noexcept {
    return config_.down_timer_adverts * active_interval_ + skew();
}

void Instance::arm_down(ArmedBy by, TimePoint now) {
    armed_by_ = by;
    down_armed_at_ = now;
    rearm_down();
}

void Instance::rearm_down() {
    timer_ = down_armed_at_ + (armed_by_ == ArmedBy::Release ? skew() : down_interval());
}

// A master that has not advertised for a dead time was asleep: others have taken over, and their
// adverts wait in the queue. Step down without a word, listen, elect once.
bool Instance::notice_stall(TimePoint now, Actions& out) {
    const Duration gap = now - last_sent_;
    if (state_ != State::Master || gap <= config_.down_timer_adverts * config_.advert_interval) {
        return false;
    }
    ++counters_.stall;
    out.emplace_back(WarnStall{gap});
    become_backup(Cause::Stall, now, out);
    return true;
}

void Instance::backup_timer(TimePoint now, Actions& out) {
    // Silence means nothing to somebody who was asleep himself. Once only: a machine that is always
    // late must still take over.
    const Duration late = now - timer_;
    if (late > active_interval_ && !late_once_) {
        ++counters_.stall;
        out.emplace_back(WarnStall{late});
        late_once_ = true;
        arm_down(ArmedBy::Silence, now);
        return;
    }
    const bool released = armed_by_ == ArmedBy::Release;
    become_master(released ? Cause::MasterReleased : Cause::MasterSilent, now, out);
}

void Instance::master_timer(TimePoint now, Actions& out) {
    if (now >= timer_) {
        // Counted from the due time, so that lateness does not add up.
        const TimePoint next = timer_ + config_.advert_interval;
        send(priority_, now, out);
        if (next > now) timer_ = next;
    }
    if (now >= reannounce_timer_) {
        reannounce_timer_ = kNever;
        last_announced_ = now;
        out.emplace_back(Announce{AnnounceReason::OtherMaster});
    }
}

void Instance::finish(Actions& out) {
    if (deadline() == armed_) return;
    armed_ = deadline();
    out.emplace_back(ArmTimer{armed_});
}

// --- views ------------------------------------------------------------------------------------

bool Instance::expires_by_silence(TimePoint now) const noexcept {
    return state_ == State::Backup && armed_by_ != ArmedBy::Release && now >= timer_;
}

bool Instance::hears_master(TimePoint now) const noexcept {
    return state_ == State::Backup && armed_by_ == ArmedBy::Advert && now < timer_;
}

bool Instance::heard_other_lately(TimePoint now) const noexcept {
    return state_ == State::Master && other_ &&
           now - other_->last_heard <= config_.down_timer_adverts * config_.advert_interval;
}

bool Instance::in_conflict(TimePoint now) const noexcept {
    return heard_other_lately(now) && conflict_ != Conflict::Seen;
}

AdvertMessage Instance::message(std::uint8_t priority) const noexcept {
    AdvertMessage message;
    message.version = config_.version;
    message.virtual_router_id = config_.virtual_router_id;
    message.priority = priority;
    message.interval = config_.advert_interval;
    message.auth_type = config_.auth_type;
    message.auth_data = config_.auth_data;
    message.addresses = config_.addresses;
    switch (config_.checksum) {
        case ChecksumPolicy::Auto:
            message.checksum_form = learned_form_.value_or(ChecksumForm::PseudoHeader);
            break;
        case ChecksumPolicy::MessageOnly:
            message.checksum_form = ChecksumForm::MessageOnly;
            break;
        case ChecksumPolicy::PseudoHeader:
            message.checksum_form = ChecksumForm::PseudoHeader;
            break;
    }
    return message;
}

}  // namespace pollux::vrrp
