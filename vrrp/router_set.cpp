// SPDX-License-Identifier: Apache-2.0

#include "vrrp/router_set.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace pollux::vrrp {
namespace {

FaultSet own_faults(const Instance& instance) {
    FaultSet faults = instance.faults();
    faults.set(Fault::SyncGroup, false);
    return faults;
}

Notice notice_of(State state) {
    switch (state) {
        case State::Master:
            return Notice::Master;
        case State::Fault:
            return Notice::Fault;
        case State::Init:
            return Notice::Stop;
        case State::Backup:
            break;
    }
    return Notice::Backup;
}

}  // namespace

// --- configuration ----------------------------------------------------------------------------

InstanceId RouterSet::add(InterfaceId interface, InstanceConfig config) {
    const InstanceId id{next_instance_++};
    const Key key{interface, config.family, config.virtual_router_id};
    const bool inserted = by_key_.emplace(key, id).second;
    assert(inserted);
    static_cast<void>(inserted);
    members_.emplace(id, Member{interface, Instance(std::move(config)), std::nullopt});
    return id;
}

RoutedActions RouterSet::remove(InstanceId id, TimePoint now) {
    RoutedActions out;
    Member& gone = member(id);
    append(id, gone.instance.stop(now), out);
    if (gone.group) std::erase(groups_.at(*gone.group).config.members, id);
    const InstanceConfig& config = gone.instance.config();
    by_key_.erase({gone.interface, config.family, config.virtual_router_id});
    members_.erase(id);
    return out;
}

GroupId RouterSet::add_group(GroupConfig config, State told) {
    const GroupId id{next_group_++};
    for (const InstanceId instance : config.members) member(instance).group = id;
    groups_.emplace(id, Group{std::move(config), told});
    return id;
}

void RouterSet::remove_group(GroupId id) {
    for (const InstanceId instance : groups_.at(id).config.members) {
        member(instance).group.reset();
    }
    groups_.erase(id);
}

// After a change of groups: whoever left one loses its fault, new members take the common state.
RoutedActions RouterSet::synchronise(TimePoint now) {
    RoutedActions out;
    for (auto& [id, entry] : members_) {
        if (entry.group) continue;
        append(id, entry.instance.set_fault(Fault::SyncGroup, false, now), out);
    }
    for (auto& [id, group] : groups_) {
        share_faults(group, now, out);
        const auto is_master = [&](InstanceId member) {
            return instance(member).state() == State::Master;
        };
        if (std::ranges::any_of(group.config.members, is_master)) {
            for (const InstanceId each : group.config.members) {
                append(each, member(each).instance.follow(State::Master, now), out);
            }
        }
        notice_group_state(id, out);
    }
    return out;
}

// --- events -----------------------------------------------------------------------------------

template <typename Event>
RoutedActions RouterSet::handle(InstanceId id, TimePoint now, Event&& event) {
    RoutedActions out;
    Instance& instance = member(id).instance;
    const State before = instance.state();
    append(id, event(instance), out);
    settle(id, before, now, out);
    return out;
}

RoutedActions RouterSet::start(InstanceId id, TimePoint now) {
    return handle(id, now, [&](Instance& instance) { return instance.start(now); });
}

RoutedActions RouterSet::stop(InstanceId id, TimePoint now) {
    return handle(id, now, [&](Instance& instance) { return instance.stop(now); });
}

RoutedActions RouterSet::receive(InterfaceId interface, std::span<const std::uint8_t> frame,
                                 TimePoint now) {
    ++counters_.frames;
    const Decoded packet = decode_frame(frame);
    if (packet.error == DecodeError::NotVrrp) {
        ++counters_.not_vrrp;
        return {};
    }
    if (!packet.has_virtual_router_id) {
        ++counters_.unreadable;
        return {};
    }
    const ReceivedAdvert& advert = packet.advert;
    const auto found = by_key_.find({interface, advert.family(), advert.virtual_router_id});
    if (found != by_key_.end()) {
        return handle(found->second, now,
                      [&](Instance& instance) { return instance.receive(packet, now); });
    }
    ++counters_.vrid_err;
    RoutedActions out;
    if (packet.error == DecodeError::None && strangers_.note(interface, advert, now)) {
        out.push_back(
            {kNoInstance, std::nullopt, WarnStranger{advert.virtual_router_id, advert.source}});
    }
    return out;
}

RoutedActions RouterSet::timers_expired(TimePoint now) {
    std::vector<std::pair<TimePoint, InstanceId>> due;
    for (const auto& [id, entry] : members_) {
        if (entry.instance.deadline() <= now) due.emplace_back(entry.instance.deadline(), id);
    }
    std::ranges::sort(due);
    RoutedActions out;
    for (const auto& [deadline, id] : due) {
        Member& expired = member(id);
        const bool held = is_held_back(expired, now);
        RoutedActions actions = handle(id, now, [&](Instance& instance) {
            return held ? instance.hold_back(now) : instance.timer_expired(now);
        });
        std::ranges::move(actions, std::back_inserter(out));
    }
    return out;
}

RoutedActions RouterSet::set_priority(InstanceId id, std::uint8_t effective, TimePoint now) {
    return handle(id, now,
                  [&](Instance& instance) { return instance.set_priority(effective, now); });
}

RoutedActions RouterSet::set_fault(InstanceId id, Fault fault, bool present, TimePoint now) {
    return handle(id, now,
                  [&](Instance& instance) { return instance.set_fault(fault, present, now); });
}

RoutedActions RouterSet::set_source(InstanceId id, const net::IpAddress& source, TimePoint now) {
    return handle(id, now, [&](Instance& instance) { return instance.set_source(source, now); });
}

RoutedActions RouterSet::step_down(InstanceId id, Duration hold, TimePoint now) {
    RoutedActions out;
    std::vector<InstanceId> all{id};
    if (const auto group = member(id).group) all = groups_.at(*group).config.members;
    for (const InstanceId each : all) {
        append(each, member(each).instance.step_down(hold, now), out);
    }
    if (const auto group = member(id).group) notice_group_state(*group, out);
    return out;
}

RoutedActions RouterSet::announce(InstanceId id, TimePoint now) {
    return handle(id, now, [&](Instance& instance) { return instance.announce(now); });
}

RoutedActions RouterSet::foreign_claim(InstanceId id, const net::IpAddress& address,
                                       const net::MacAddress& mac, TimePoint now) {
    return handle(id, now,
                  [&](Instance& instance) { return instance.foreign_claim(address, mac, now); });
}

RoutedActions RouterSet::reconfigure(InstanceId id, InstanceConfig next, TimePoint now) {
    return handle(id, now,
                  [&](Instance& instance) { return instance.reconfigure(std::move(next), now); });
}

// --- sync groups ------------------------------------------------------------------------------

// What one member's event means for the others.
void RouterSet::settle(InstanceId id, State before, TimePoint now, RoutedActions& out) {
    const Member& changed = member(id);
    if (!changed.group) return;
    const Group& group = groups_.at(*changed.group);
    share_faults(group, now, out);
    const State after = changed.instance.state();
    const bool rose = before != State::Master && after == State::Master;
    const bool yielded = before == State::Master && after == State::Backup;
    if (rose || yielded) {
        for (const InstanceId other : group.config.members) {
            if (other != id) append(other, member(other).instance.follow(after, now), out);
        }
    }
    notice_group_state(*changed.group, out);
}

// A member is in fault while any other has a fault of its own.
void RouterSet::share_faults(const Group& group, TimePoint now, RoutedActions& out) {
    const auto has_own = [&](InstanceId id) { return own_faults(instance(id)).any(); };
    const auto faulty = std::ranges::count_if(group.config.members, has_own);
    for (const InstanceId id : group.config.members) {
        const bool others = faulty > (has_own(id) ? 1 : 0);
        append(id, member(id).instance.set_fault(Fault::SyncGroup, others, now), out);
    }
}

// keepalived warns that members with a master on either side re-elect for ever. A group takes over
// by silence only when none of its members hears a master.
bool RouterSet::is_held_back(const Member& expired, TimePoint now) const {
    if (!expired.group || !expired.instance.expires_by_silence(now)) return false;
    const auto hears = [&](InstanceId id) { return instance(id).hears_master(now); };
    return std::ranges::any_of(groups_.at(*expired.group).config.members, hears);
}

State RouterSet::common_state(const Group& group) const {
    const auto any = [&](State state) {
        return std::ranges::any_of(group.config.members,
                                   [&](InstanceId id) { return instance(id).state() == state; });
    };
    if (any(State::Fault)) return State::Fault;
    if (group.config.members.empty() || any(State::Init)) return State::Init;
    return any(State::Backup) ? State::Backup : State::Master;
}

void RouterSet::notice_group_state(GroupId id, RoutedActions& out) {
    Group& group = groups_.at(id);
    const State state = common_state(group);
    const auto rests = [&](InstanceId member) { return instance(member).state() == State::Init; };
    // Some members have not started yet, or have stopped already: the others follow.
    const bool underway = state == State::Init && !std::ranges::all_of(group.config.members, rests);
    if (underway || group.config.members.empty()) return;
    if (std::exchange(group.state, state) == state) return;
    out.push_back({kNoInstance, id, Notify{notice_of(state), 0}});
}

// --- views ------------------------------------------------------------------------------------

RouterSet::Member& RouterSet::member(InstanceId id) {
    return members_.at(id);
}

const Instance& RouterSet::instance(InstanceId id) const {
    return members_.at(id).instance;
}

InterfaceId RouterSet::interface(InstanceId id) const {
    return members_.at(id).interface;
}

std::optional<GroupId> RouterSet::group_of(InstanceId id) const {
    return members_.at(id).group;
}

const GroupConfig& RouterSet::group(GroupId id) const {
    return groups_.at(id).config;
}

State RouterSet::group_state(GroupId id) const {
    return groups_.at(id).state;
}

std::vector<InstanceId> RouterSet::instances() const {
    std::vector<InstanceId> result;
    for (const auto& [id, entry] : members_) result.push_back(id);
    return result;
}

TimePoint RouterSet::next_deadline() const {
    TimePoint next = kNever;
    for (const auto& [id, entry] : members_) next = std::min(next, entry.instance.deadline());
    return next;
}

void RouterSet::append(InstanceId id, const Actions& actions, RoutedActions& out) const {
    for (const Action& action : actions) out.push_back({id, std::nullopt, action});
}

}  // namespace pollux::vrrp
