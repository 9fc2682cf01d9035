// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/node.h"

#include <algorithm>
#include <utility>

namespace pollux::vrrp::simulation {
namespace {

constexpr std::int64_t kMillion = 1'000'000;

}  // namespace

Node::Node(const Scenario& scenario, unsigned index, Mutant mutant)
    : setup_(scenario.nodes[index]),
      index_(index),
      grouped_(scenario.grouped),
      mutant_(mutant),
      presence_(scenario.segments) {
    for (InstanceConfig& config : setup_.instances) {
        if (mutant == Mutant::NoLastWord) config.higher_prio_send_advert = false;
        if (mutant == Mutant::PreemptsAnyway) config.nopreempt = false;
    }
}

TimePoint Node::local(Duration now) const {
    return TimePoint(now + Duration(now.count() / kMillion * setup_.clock_ppm));
}

// The first instant at which the local clock has reached the deadline.
std::optional<Duration> Node::wake_time() const {
    if (!running() || set_->next_deadline() == kNever) return std::nullopt;
    const std::int64_t target = set_->next_deadline().time_since_epoch().count();
    std::int64_t guess = target * kMillion / (kMillion + setup_.clock_ppm);
    guess -= guess % kMillion;
    while (local(Duration(guess)) < TimePoint(Duration(target))) guess += kMillion / 100;
    return std::max(Duration(guess), asleep_until_);
}

const Instance& Node::instance(unsigned segment) const {
    return set_->instance(ids_[segment]);
}

std::vector<OutFrame> Node::take_frames() {
    return std::exchange(frames_, {});
}

std::vector<Deed> Node::take_deeds() {
    return std::exchange(deeds_, {});
}

// --- events -----------------------------------------------------------------------------------

void Node::boot(Duration now) {
    set_ = std::make_unique<RouterSet>();
    ids_.clear();
    for (unsigned i = 0; i < setup_.instances.size(); ++i) {
        presence_[i] = {};
        ids_.push_back(set_->add(InterfaceId{static_cast<std::uint16_t>(i)}, setup_.instances[i]));
    }
    if (grouped_ && mutant_ != Mutant::NoGroup) set_->add_group({"VG_1", ids_});
    carry_out(set_->synchronise(local(now)), Trigger::Boot);
    for (const InstanceId id : ids_) {
        const net::IpAddress source = node_address(set_->instance(id).config().family, index_);
        carry_out(set_->set_source(id, source, local(now)), Trigger::Boot);
    }
}

void Node::start(Duration now) {
    for (const InstanceId id : ids_) carry_out(set_->start(id, local(now)), Trigger::Boot);
}

void Node::kill() {
    set_.reset();
    backlog.clear();
    for (Presence& presence : presence_) presence = {};
}

void Node::stop(Duration now) {
    for (const InstanceId id : ids_) carry_out(set_->stop(id, local(now)), Trigger::Stop);
}

std::uint64_t Node::rejected(unsigned segment) const {
    const Counters& c = instance(segment).counters();
    return c.ip_ttl_err + c.vers_err + c.chk_err + c.auth_failure + c.advert_interval_err;
}

void Node::receive(unsigned segment, const Bytes& frame, Duration now) {
    const bool is_master = instance(segment).state() == State::Master;
    if (mutant_ == Mutant::DeafMaster && is_master) return;
    const std::uint64_t before = rejected(segment);
    carry_out(set_->receive(InterfaceId{static_cast<std::uint16_t>(segment)}, frame, local(now)),
              Trigger::Receive);
    if (mutant_ == Mutant::ForgedMovesTimer && is_master && rejected(segment) != before) {
        asleep_until_ = now + setup_.instances[segment].advert_interval;
    }
    answer_wrongly();
}

void Node::timers(Duration now) {
    if (now < asleep_until_) return;
    if (mutant_ == Mutant::NeverTakesOver && instance(0).state() == State::Backup) {
        asleep_until_ = now + std::chrono::hours(1);
        return;
    }
    carry_out(set_->timers_expired(local(now)), Trigger::Timer);
}

void Node::set_fault(unsigned segment, vrrp::Fault fault, bool present, Duration now) {
    if (mutant_ == Mutant::MasterInFault) return;
    carry_out(set_->set_fault(ids_[segment], fault, present, local(now)), Trigger::Fault);
}

void Node::set_priority_loss(std::uint8_t loss, Duration now) {
    for (const InstanceId id : ids_) {
        const std::uint8_t base = set_->instance(id).config().priority;
        const bool owner = base == kPriorityOwner;
        const auto effective =
            owner ? base : static_cast<std::uint8_t>(std::max(1, int{base} - int{loss}));
        carry_out(set_->set_priority(id, effective, local(now)), Trigger::Priority);
    }
}

void Node::step_down(unsigned segment, Duration hold, Duration now) {
    carry_out(set_->step_down(ids_[segment], hold, local(now)), Trigger::StepDown);
}

void Node::reload(Duration now) {
    for (unsigned i = 0; i < ids_.size(); ++i) {
        carry_out(set_->reconfigure(ids_[i], setup_.instances[i], local(now)), Trigger::Reload);
    }
    if (mutant_ == Mutant::ActsOnReload) {
        carry_out_one(0, SendAdvert{instance(0).priority()}, Trigger::Reload);
    }
}

// Mutants that answer what nobody may answer.
void Node::answer_wrongly() {
    const State state = instance(0).state();
    if (mutant_ == Mutant::ReleasesAtWill && state == State::Master) {
        carry_out_one(0, SendAdvert{kPriorityRelease}, Trigger::Receive);
    }
    if (mutant_ == Mutant::BackupAdvertises && state == State::Backup) {
        carry_out_one(0, SendAdvert{instance(0).priority()}, Trigger::Receive);
    }
}

// --- actions ----------------------------------------------------------------------------------

void Node::carry_out(const RoutedActions& actions, Trigger trigger) {
    for (const RoutedAction& routed : actions) {
        if (routed.group || routed.instance == kNoInstance) continue;
        const auto position = std::ranges::find(ids_, routed.instance) - ids_.begin();
        carry_out_one(static_cast<unsigned>(position), routed.action, trigger);
    }
}

void Node::carry_out_one(unsigned segment, const Action& action, Trigger trigger) {
    Presence& presence = presence_[segment];
    deeds_.push_back(
        {index_, segment, trigger, action, presence.answering, instance(segment).state()});
    if (const auto* sent = std::get_if<SendAdvert>(&action)) {
        emit(segment, sent->priority);
    } else if (std::holds_alternative<StartAnswering>(action)) {
        presence.answering = true;
    } else if (std::holds_alternative<StopAnswering>(action)) {
        presence.answering = mutant_ == Mutant::KeepsAnswering;
    } else if (std::holds_alternative<AddAddresses>(action)) {
        presence.has_addresses = true;
    } else if (std::holds_alternative<RemoveAddresses>(action)) {
        presence.has_addresses = false;
    } else if (const auto* notify = std::get_if<Notify>(&action)) {
        const bool forget = mutant_ == Mutant::ForgetsToNotify && notify->notice == Notice::Backup;
        if (notify->notice != Notice::MasterRxLowerPriority && !forget) {
            presence.told = notify->notice;
        }
    } else if (const auto* log = std::get_if<LogTransition>(&action)) {
        presence.logged = log->to;
    }
}

void Node::emit(unsigned segment, std::uint8_t priority) {
    const Instance& self = instance(segment);
    const InstanceConfig& config = self.config();
    const AdvertMessage message = self.message(priority);
    std::vector<net::IpAddress> destinations = config.unicast_peers;
    if (destinations.empty()) destinations.push_back(config.group);
    for (const net::IpAddress& destination : destinations) {
        AdvertEnvelope envelope;
        envelope.source_mac = {{2, 0, 0, 0, 0, static_cast<std::uint8_t>(index_)}};
        envelope.source = self.source();
        envelope.destination = destination;
        Bytes bytes(advert_frame_length(message));
        write_advert_frame(message, envelope, bytes);
        frames_.push_back({segment, destination, std::move(bytes)});
    }
}

}  // namespace pollux::vrrp::simulation
