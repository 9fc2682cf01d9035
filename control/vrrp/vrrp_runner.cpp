// SPDX-License-Identifier: Apache-2.0

// Configuration and events of control/vrrp/vrrp_runner.h; vrrp_actions.cpp has the other half.

#include "control/vrrp/vrrp_runner.h"

#include <algorithm>
#include <utility>

#include "control/director/director.h"
#include "control/log/log.h"
#include "control/vrrp/instance_plan.h"

namespace pollux::control {
namespace {

using namespace std::chrono_literals;

constexpr auto kSurroundingsInterval = 200ms;
constexpr auto kWorkerInterval = 50ms;
// A worker that makes no progress for so long forwards nothing; nobody may be told otherwise.
constexpr auto kWorkerPatience = 400ms;
// And it counts as well again after so long.
constexpr auto kWorkerRecovery = 1s;
// A port that refused a virtual MAC may have room for it again.
constexpr auto kMacRetryInterval = 5s;

}  // namespace

VrrpRunner::VrrpRunner(Director& director, ScriptRunner& scripts)
    : director_(&director),
      scripts_(&scripts),
      announcements_(plan_pace({}), plan_pace({})),
      probes_(plan_pace({}), plan_pace({})),
      notifier_(scripts),
      tracker_(director.loop(), scripts,
               {[&director] { return director.now(); }, [this] { evaluate_tracking(); }}),
      protocol_timer_(director.loop(), [this] { timers_due(); }),
      announce_timer_(director.loop(), [this] { send_announcements(); }),
      surroundings_timer_(director.loop(), [this] { look_at_surroundings(); }),
      worker_timer_(director.loop(), [this] { watch_workers(); }),
      mac_timer_(director.loop(), [this] { try_refused_macs(); }) {
    tracker_.link_is_up = [this](const std::string& port) { return link_is_up(port); };
}

VrrpRunner::~VrrpRunner() = default;

vrrp::TimePoint VrrpRunner::now() const {
    return vrrp::TimePoint(director_->now().time_since_epoch());
}

// --- configuration ----------------------------------------------------------------------------

void VrrpRunner::start() {
    started_ = true;
    const Config& config = director_->config();
    scripts_->set_limit(config.global.scripts.max_concurrent);
    notifier_.configure(config);
    tracker_.configure(config);
    const VrrpTuning& tuning = config.global.vrrp.tuning;
    announcements_.set_pace(plan_pace(tuning.garp_interval), plan_pace(tuning.gna_interval));
    for (const VrrpInstanceConfig& instance : config.vrrp_instances) add_instance(instance);
    set_groups(config);
    for (auto& [id, entry] : entries_) carry_out(routers_.start(id, now()));
    last_worker_look_ = now();
    surroundings_timer_.start_every(kSurroundingsInterval);
    worker_timer_.start_every(kWorkerInterval);
    mac_timer_.start_every(kMacRetryInterval);
}

// A master that its neighbours send to in vain is worse than none: found out before it is needed.
Status VrrpRunner::check(const ReloadPlan& plan) {
    for (const VrrpInstanceConfig& instance : plan.config->vrrp_instances) {
        const ControlPort* port = port_of(instance, director_->ports());
        if (port == nullptr || !instance.use_vmac) continue;
        const Status possible = director_->vips().try_mac(port->id, mac_of(instance, *port));
        if (possible) continue;
        return Error{"vrrp_instance " + instance.name + ": use_vmac is not possible, " +
                         possible.error().message,
                     possible.error().remedy};
    }
    return ok_status();
}

// What is known of its health is told before it starts.
void VrrpRunner::add_instance(const VrrpInstanceConfig& config) {
    const ControlPort* port = port_of(config, director_->ports());
    if (port == nullptr) return;  // the configuration's rules have made sure that it exists
    const auto interface = static_cast<vrrp::InterfaceId>(port->id);
    const vrrp::InstanceId id =
        routers_.add(interface, plan_protocol(config, director_->config().global.vrrp));
    Entry& entry = entries_[id];
    entry.id = id;
    entry.config = config;
    entry.vips = plan_vips(config, director_->ports());
    entry.routes = plan_routes(config, director_->config(), director_->ports());
    entry.rules = plan_rules(config, director_->ports());
    set_source(entry);
    evaluate(entry);
    carry_out(routers_.set_fault(id, vrrp::Fault::WorkerStalled, workers_stalled_, now()));
}

void VrrpRunner::remove_instance(const std::string& name) {
    Entry* entry = find(name);
    if (entry == nullptr) return;
    // keepalived tells FAULT of an instance that a reload has deleted, or DELETED if asked to.
    const auto notice =
        notifier_.has_deleted_command(name) ? vrrp::Notice::Deleted : vrrp::Notice::Fault;
    vrrp::RoutedActions actions = routers_.stop(entry->id, now());
    for (vrrp::RoutedAction& routed : actions) {
        if (auto* notify = std::get_if<vrrp::Notify>(&routed.action)) notify->notice = notice;
    }
    carry_out(actions);
    routers_.remove(entry->id, now());
    entries_.erase(entry->id);
    notifier_.retire({false, name});
}

void VrrpRunner::update_instance(Entry& entry, const VrrpInstanceConfig& next) {
    if (entry.config == next) return;
    replace_addresses(entry, next);
    entry.config = next;
    const Config& config = director_->config();
    carry_out(routers_.reconfigure(entry.id, plan_protocol(next, config.global.vrrp), now()));
}

// The addresses of a running master: what stays is not touched, only what is new is announced.
void VrrpRunner::replace_addresses(Entry& entry, const VrrpInstanceConfig& next) {
    const PortTable& ports = director_->ports();
    std::vector<Vip> vips = plan_vips(next, ports);
    std::vector<RouteRequest> routes = plan_routes(next, director_->config(), ports);
    std::vector<RuleRequest> rules = plan_rules(next, ports);
    const bool changed = vips != entry.vips || routes != entry.routes || rules != entry.rules;
    const bool is_master = routers_.instance(entry.id).state() == vrrp::State::Master;
    if (!changed) return;
    if (is_master) set_routes(entry, false);
    std::vector<Vip> gone, added;
    for (const Vip& vip : entry.vips) {
        if (std::ranges::find(vips, vip) == vips.end()) gone.push_back(vip);
    }
    for (const Vip& vip : vips) {
        if (std::ranges::find(entry.vips, vip) == entry.vips.end()) added.push_back(vip);
    }
    entry.vips = std::move(vips);
    entry.routes = std::move(routes);
    entry.rules = std::move(rules);
    if (!is_master) return;
    director_->vips().release(gone);
    claim(entry, added);
    entry.routes_wanted = !entry.routes.empty() || !entry.rules.empty();
    if (director_->vips().all_settled()) vips_settled();
    announcements_.change_targets(entry.id, plan_targets(entry.vips), plan_targets(added), now());
    probes_.change_targets(entry.id, plan_targets(entry.vips), plan_targets(added), now());
}

void VrrpRunner::set_groups(const Config& config) {
    std::map<std::string, vrrp::State> told;
    for (const auto& [name, id] : groups_) {
        told[name] = routers_.group_state(id);
        routers_.remove_group(id);
        const bool stays =
            std::ranges::count(config.vrrp_sync_groups, name, &VrrpSyncGroupConfig::name) > 0;
        if (!stays) notifier_.retire({true, name});
    }
    groups_.clear();
    group_names_.clear();
    for (auto& [id, entry] : entries_) entry.group.clear();
    for (const VrrpSyncGroupConfig& group : config.vrrp_sync_groups) {
        vrrp::GroupConfig members;
        members.name = group.name;
        for (const std::string& name : group.group) {
            Entry* entry = find(name);
            if (entry == nullptr) continue;
            entry->group = group.name;
            members.members.push_back(entry->id);
        }
        const vrrp::GroupId id = routers_.add_group(std::move(members), told[group.name]);
        groups_[group.name] = id;
        group_names_[id] = group.name;
    }
    carry_out(routers_.synchronise(now()));
    evaluate_tracking();
}

void VrrpRunner::reloaded(const Config& before, const ReloadPlan& plan) {
    const Config& now_config = *plan.config;
    if (!started_) return;
    scripts_->set_limit(now_config.global.scripts.max_concurrent);
    std::vector<std::string> fresh;
    const auto find_next = [&](const std::string& name) {
        return std::ranges::find(now_config.vrrp_instances, name, &VrrpInstanceConfig::name);
    };
    for (const VrrpInstanceConfig& old : before.vrrp_instances) {
        const auto next = find_next(old.name);
        const bool stays =
            next != now_config.vrrp_instances.end() && next->interface == old.interface &&
            next->use_vmac == old.use_vmac &&
            vrrp::is_same_virtual_router(plan_protocol(old, before.global.vrrp),
                                         plan_protocol(*next, now_config.global.vrrp));
        if (!stays) remove_instance(old.name);
    }
    notifier_.configure(now_config);
    tracker_.configure(now_config);
    const VrrpTuning& tuning = now_config.global.vrrp.tuning;
    announcements_.set_pace(plan_pace(tuning.garp_interval), plan_pace(tuning.gna_interval));
    for (const VrrpInstanceConfig& next : now_config.vrrp_instances) {
        if (Entry* entry = find(next.name)) {
            update_instance(*entry, next);
        } else {
            add_instance(next);
            fresh.push_back(next.name);
        }
    }
    const bool same_groups = before.vrrp_sync_groups == now_config.vrrp_sync_groups;
    if (!same_groups || !fresh.empty()) set_groups(now_config);
    for (const std::string& name : fresh) {
        if (const Entry* entry = find(name)) carry_out(routers_.start(entry->id, now()));
    }
    evaluate_tracking();
    give_up_without_mac();
}

// Every priority 0 leaves before the first address is taken away.
void VrrpRunner::stopping() {
    vrrp::RoutedActions all;
    for (const auto& [id, entry] : entries_) {
        vrrp::RoutedActions actions = routers_.stop(id, now());
        std::ranges::move(actions, std::back_inserter(all));
    }
    carry_out(all);
    notifier_.flush();
    protocol_timer_.cancel();
    announce_timer_.cancel();
    surroundings_timer_.cancel();
    worker_timer_.cancel();
    mac_timer_.cancel();
    started_ = false;
}

// --- events -----------------------------------------------------------------------------------

void VrrpRunner::vrrp_frame(const dpdk::PuntedFrame& frame) {
    if (!started_) return;
    carry_out(routers_.receive(static_cast<vrrp::InterfaceId>(frame.port), frame.bytes, now()));
}

// Who slept hears first what came meanwhile.
void VrrpRunner::timers_due() {
    director_->receive_punts();
    if (started_) carry_out(routers_.timers_expired(now()));
    set_timers();
}

void VrrpRunner::neighbor_claim(lb::PortId port, const net::NeighborClaim& claim) {
    if (!started_ || !director_->vips().owns(claim.address)) return;
    for (const auto& [id, entry] : entries_) {
        for (const Vip& vip : entry.vips) {
            if (vip.address.address != claim.address || vip.port != port) continue;
            if (claim.mac == vip.mac) return;
            carry_out(routers_.foreign_claim(id, claim.address, claim.mac, now()));
            return;
        }
    }
}

void VrrpRunner::link_changed(const ControlPort&) {
    if (!started_) return;
    evaluate_tracking();
    look_at_surroundings();
}

bool VrrpRunner::link_is_up(const std::string& name) const {
    const ControlPort* port = director_->ports().find(std::string_view(name));
    return port != nullptr && port->link_up;
}

// Addresses come and go with the kernel's duplicate detection and the operator's commands.
void VrrpRunner::look_at_surroundings() {
    for (auto& [id, entry] : entries_) set_source(entry);
    std::set<net::MacAddress> peers;
    for (const auto& [id, entry] : entries_) {
        const vrrp::Instance& instance = routers_.instance(id);
        for (const auto* peer : {&instance.master(), &instance.other_master()}) {
            if (*peer && (*peer)->priority != 0) peers.insert((*peer)->mac);
        }
    }
    if (peers == known_peers_) return;
    known_peers_ = std::move(peers);
    const std::vector<net::MacAddress> list(known_peers_.begin(), known_peers_.end());
    director_->runtime().set_vrrp_peers(list);
}

void VrrpRunner::set_source(Entry& entry) {
    const ControlPort* port = port_of(entry.config, director_->ports());
    const net::IpAddress source =
        source_address(entry.config, director_->config(), *port, director_->kernel());
    if (source == routers_.instance(entry.id).source()) return;
    carry_out(routers_.set_source(entry.id, source, now()));
}

// Decision D13. Silence that is our own (the control core was busy) says nothing about workers.
void VrrpRunner::watch_workers() {
    const vrrp::TimePoint time = now();
    const vrrp::Duration own_gap = time - std::exchange(last_worker_look_, time);
    if (own_gap > kWorkerPatience / 2) return;
    const bool silent = director_->worker_silence() > kWorkerPatience;
    if (silent) {
        workers_well_since_.reset();
    } else if (!workers_well_since_) {
        workers_well_since_ = time;
    }
    const bool recovered = workers_well_since_ && time - *workers_well_since_ >= kWorkerRecovery;
    const bool stalled = silent || (workers_stalled_ && !recovered);
    if (stalled == workers_stalled_) return;
    workers_stalled_ = stalled;
    log::warning(stalled ? "a worker makes no progress" : "all workers make progress again");
    for (const auto& [id, entry] : entries_) {
        carry_out(routers_.set_fault(id, vrrp::Fault::WorkerStalled, stalled, time));
    }
}

// The port took the MAC when it was asked before, and does not now.
void VrrpRunner::give_up_without_mac() {
    for (const auto& [id, entry] : entries_) {
        const bool refused = !entry.mac_refusal.empty();
        if (refused == routers_.instance(id).faults().has(vrrp::Fault::MacRefused)) continue;
        carry_out(routers_.set_fault(id, vrrp::Fault::MacRefused, refused, now()));
    }
}

void VrrpRunner::try_refused_macs() {
    for (auto& [id, entry] : entries_) {
        if (entry.mac_refusal.empty()) continue;
        const ControlPort* port = port_of(entry.config, director_->ports());
        const Status possible = director_->vips().try_mac(port->id, mac_of(entry.config, *port));
        entry.mac_refusal = possible ? "" : possible.error().message;
    }
    give_up_without_mac();
}

void VrrpRunner::evaluate_tracking() {
    for (auto& [id, entry] : entries_) evaluate(entry);
}

// The instance's own list and its group's. keepalived lets a member's own weights count only with
// sync_group_tracking_weight, because members with different priorities re-elect for ever.
void VrrpRunner::evaluate(Entry& entry) {
    bool own_weights_count = true;
    std::vector<vrrp::TrackedState> tracked;
    for (const VrrpSyncGroupConfig& group : director_->config().vrrp_sync_groups) {
        if (group.name != entry.group) continue;
        own_weights_count = group.sync_group_tracking_weight;
        tracked = tracker_.states(group.track, true);
    }
    std::ranges::move(tracker_.states(entry.config.track, own_weights_count),
                      std::back_inserter(tracked));
    const vrrp::TrackResult result = vrrp::evaluate_tracking(entry.config.priority, true, tracked);
    const std::uint8_t before = routers_.instance(entry.id).priority();
    carry_out(routers_.set_priority(entry.id, result.priority, now()));
    if (before != result.priority) {
        const bool is_master = routers_.instance(entry.id).state() == vrrp::State::Master;
        log::info("vrrp priority",
                  {{"instance", entry.config.name}, {"from", before}, {"to", result.priority}});
        notifier_.priority_changed({false, entry.config.name}, is_master, result.priority);
        if (is_master && result.priority < before) warn_of_idle_weight(entry, result.priority);
    }
    const bool link_down = !entry.config.dont_track_primary && !link_is_up(entry.config.interface);
    carry_out(routers_.set_fault(entry.id, vrrp::Fault::InterfaceDown, link_down, now()));
    for (const vrrp::Fault fault : {vrrp::Fault::TrackInterface, vrrp::Fault::TrackScript,
                                    vrrp::Fault::TrackProcess, vrrp::Fault::TrackFile}) {
        carry_out(routers_.set_fault(entry.id, fault, result.faults.has(fault), now()));
    }
}

// A weight that leaves the priority above the other node's moves nothing (keepalived's users learn
// that in the outage). What the other node's priority is, only its adverts tell.
void VrrpRunner::warn_of_idle_weight(const Entry& entry, std::uint8_t priority) const {
    const std::optional<vrrp::PeerView>& peer = routers_.instance(entry.id).master();
    if (!peer || peer->priority >= priority) return;
    log::warning("vrrp priority fell, but not below the other node's: the addresses stay",
                 {{"instance", entry.config.name},
                  {"priority", priority},
                  {"peer", peer->address.to_string()},
                  {"peer_priority", peer->priority},
                  {"remedy", "a larger weight, or weight = 0: failure is a fault"}});
}

// --- the operator -----------------------------------------------------------------------------

Status VrrpRunner::step_down(const std::string& instance, std::chrono::seconds hold) {
    const Entry* entry = find(instance);
    if (entry == nullptr) return Error{"no vrrp_instance " + instance, "see: pollux show vrrp"};
    if (routers_.instance(entry->id).state() != vrrp::State::Master) {
        return Error{instance + " is not MASTER here", "see: pollux show vrrp"};
    }
    log::info("step-down wanted", {{"instance", instance}, {"hold_seconds", hold.count()}});
    carry_out(routers_.step_down(entry->id, hold, now()));
    return ok_status();
}

Status VrrpRunner::announce(const std::string& instance) {
    const Entry* entry = find(instance);
    if (entry == nullptr) return Error{"no vrrp_instance " + instance, "see: pollux show vrrp"};
    if (routers_.instance(entry->id).state() != vrrp::State::Master) {
        return Error{instance + " is not MASTER here", "only a MASTER announces its addresses"};
    }
    carry_out(routers_.announce(entry->id, now()));
    return ok_status();
}

std::vector<VrrpRunner::InstanceView> VrrpRunner::instances() const {
    std::vector<InstanceView> views;
    for (const auto& [id, entry] : entries_) {
        views.push_back({&entry.config, &routers_.instance(id), entry.group, entry.vips.size(),
                         entry.mac_refusal});
    }
    return views;
}

VrrpRunner::Entry* VrrpRunner::find(vrrp::InstanceId id) {
    const auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second;
}

VrrpRunner::Entry* VrrpRunner::find(const std::string& name) {
    const auto found = std::ranges::find_if(
        entries_, [&](const auto& item) { return item.second.config.name == name; });
    return found == entries_.end() ? nullptr : &found->second;
}

}  // namespace pollux::control
