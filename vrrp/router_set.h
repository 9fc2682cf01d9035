// SPDX-License-Identifier: Apache-2.0
#pragma once

// All instances of this node and their sync groups: gives received frames to the right instance and
// keeps the members of a group in one state. Control thread.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vrrp/action.h"
#include "vrrp/instance.h"
#include "vrrp/strangers.h"

namespace pollux::vrrp {

enum class InstanceId : std::uint32_t {};
enum class GroupId : std::uint32_t {};
inline constexpr InstanceId kNoInstance{0xffffffff};

struct GroupConfig {
    std::string name;
    std::vector<InstanceId> members;
};

// `group` set: a Notify of the group as a whole (priority 0), not of one instance.
struct RoutedAction {
    InstanceId instance = kNoInstance;
    std::optional<GroupId> group;
    Action action;
};
using RoutedActions = std::vector<RoutedAction>;

// Packets that no instance counts.
struct ReceiveCounters {
    std::uint64_t frames = 0;
    std::uint64_t not_vrrp = 0;
    std::uint64_t unreadable = 0;  // too broken to know the virtual router
    std::uint64_t vrid_err = 0;    // the virtual router is not configured on that interface
};

class RouterSet {
  public:
    // Precondition: no other instance has this interface, family and virtual router id.
    InstanceId add(InterfaceId interface, InstanceConfig config);
    // Stops it and forgets it; it leaves its group.
    RoutedActions remove(InstanceId id, TimePoint now);
    // An instance is in one group at most. Call synchronise when done with changes. `told`: what
    // was told of the group last, when it replaces one.
    GroupId add_group(GroupConfig config, State told = State::Init);
    void remove_group(GroupId id);
    RoutedActions synchronise(TimePoint now);

    // --- events: as in Instance, then what the group makes of it ---------------------------------
    RoutedActions start(InstanceId id, TimePoint now);
    RoutedActions stop(InstanceId id, TimePoint now);
    RoutedActions receive(InterfaceId interface, std::span<const std::uint8_t> frame,
                          TimePoint now);
    // All instances that are due, in order of their deadlines.
    RoutedActions timers_expired(TimePoint now);
    RoutedActions set_priority(InstanceId id, std::uint8_t effective, TimePoint now);
    RoutedActions set_fault(InstanceId id, Fault fault, bool present, TimePoint now);
    RoutedActions set_source(InstanceId id, const net::IpAddress& source, TimePoint now);
    // The whole group steps down.
    RoutedActions step_down(InstanceId id, Duration hold, TimePoint now);
    RoutedActions announce(InstanceId id, TimePoint now);
    RoutedActions foreign_claim(InstanceId id, const net::IpAddress& address,
                                const net::MacAddress& mac, TimePoint now);
    RoutedActions reconfigure(InstanceId id, InstanceConfig next, TimePoint now);

    // --- views ----------------------------------------------------------------------------------
    [[nodiscard]] const Instance& instance(InstanceId id) const;
    [[nodiscard]] InterfaceId interface(InstanceId id) const;
    [[nodiscard]] std::vector<InstanceId> instances() const;
    [[nodiscard]] std::optional<GroupId> group_of(InstanceId id) const;
    [[nodiscard]] const GroupConfig& group(GroupId id) const;
    [[nodiscard]] State group_state(GroupId id) const;
    [[nodiscard]] TimePoint next_deadline() const;
    [[nodiscard]] const ReceiveCounters& receive_counters() const noexcept { return counters_; }
    [[nodiscard]] const std::vector<Stranger>& strangers() const noexcept {
        return strangers_.all();
    }

  private:
    struct Member {
        InterfaceId interface {};
        Instance instance;
        std::optional<GroupId> group;
    };
    struct Group {
        GroupConfig config;
        State state = State::Init;
    };
    struct Key {
        InterfaceId interface {};
        net::Family family{};
        std::uint8_t virtual_router_id = 0;
        auto operator<=>(const Key&) const = default;
    };

    Member& member(InstanceId id);
    void append(InstanceId id, const Actions& actions, RoutedActions& out) const;
    void settle(InstanceId id, State before, TimePoint now, RoutedActions& out);
    void share_faults(const Group& group, TimePoint now, RoutedActions& out);
    void notice_group_state(GroupId id, RoutedActions& out);
    [[nodiscard]] State common_state(const Group& group) const;
    [[nodiscard]] bool is_held_back(const Member& member, TimePoint now) const;
    template <typename Event>
    RoutedActions handle(InstanceId id, TimePoint now, Event&& event);

    std::map<InstanceId, Member> members_;
    std::map<GroupId, Group> groups_;
    std::map<Key, InstanceId> by_key_;
    StrangerTable strangers_;
    ReceiveCounters counters_;
    std::uint32_t next_instance_ = 0;
    std::uint32_t next_group_ = 0;
};

}  // namespace pollux::vrrp
