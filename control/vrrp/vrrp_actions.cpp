// SPDX-License-Identifier: Apache-2.0

// How VrrpRunner carries out what the protocol asks for.

#include <algorithm>
#include <array>
#include <type_traits>

#include "control/director/director.h"
#include "control/log/log.h"
#include "control/netlink/kernel_writer.h"
#include "control/nexthop/route_builder.h"
#include "control/vrrp/instance_plan.h"
#include "control/vrrp/vrrp_runner.h"
#include "dataplane/net/neighbor_frames.h"
#include "vrrp/advert.h"

namespace pollux::control {
namespace {

using namespace std::chrono_literals;

// Announcements per turn of the loop: adverts are never more than these frames away.
constexpr unsigned kAnnouncementsPerTurn = 64;
constexpr std::size_t kMaxAdvertFrame = 14 + 40 + 8 + vrrp::kMaxAdvertAddresses * 16 + 8;

bool has_address(const std::vector<Vip>& vips, const net::IpAddress& address) {
    return std::ranges::any_of(vips,
                               [&](const Vip& vip) { return vip.address.address == address; });
}

}  // namespace

// Adverts of all instances leave first: nothing else may delay them. That keeps each instance's own
// order, because an advert is always the first thing that it asks for.
void VrrpRunner::carry_out(const vrrp::RoutedActions& actions) {
    if (actions.empty()) return;
    for (const vrrp::RoutedAction& routed : actions) {
        const auto* sent = std::get_if<vrrp::SendAdvert>(&routed.action);
        Entry* entry = sent == nullptr ? nullptr : find(routed.instance);
        if (entry != nullptr) send_advert(*entry, sent->priority);
    }
    for (const vrrp::RoutedAction& routed : actions) carry_out_one(routed);
    give_up_without_mac();
    set_timers();
}

void VrrpRunner::carry_out_one(const vrrp::RoutedAction& routed) {
    if (routed.group) {
        if (const auto* notice = std::get_if<vrrp::Notify>(&routed.action)) {
            tell_of_group(group_names_.at(*routed.group), *notice);
        }
        return;
    }
    if (const auto* stranger = std::get_if<vrrp::WarnStranger>(&routed.action)) {
        log::warning("vrrp adverts of a virtual router that is not configured",
                     {{"virtual_router_id", stranger->virtual_router_id},
                      {"peer", stranger->source.to_string()}});
        return;
    }
    Entry* entry = find(routed.instance);
    if (entry == nullptr) return;
    std::visit(
        [&](const auto& action) {
            using Kind = std::decay_t<decltype(action)>;
            if constexpr (std::is_same_v<Kind, vrrp::AddAddresses>) {
                take_addresses(*entry, true);
            } else if constexpr (std::is_same_v<Kind, vrrp::RemoveAddresses>) {
                take_addresses(*entry, false);
            } else if constexpr (std::is_same_v<Kind, vrrp::Announce>) {
                queue_announcements(*entry, action.reason);
            } else if constexpr (std::is_same_v<Kind, vrrp::CancelAnnouncements>) {
                announcements_.cancel(entry->id);
                probes_.cancel(entry->id);
            } else if constexpr (std::is_same_v<Kind, vrrp::Fence>) {
                fence(*entry, action);
            } else if constexpr (std::is_same_v<Kind, vrrp::Notify>) {
                notify(*entry, action);
            } else if constexpr (std::is_same_v<Kind, vrrp::LogTransition>) {
                log_transition(*entry, action);
            } else if constexpr (std::is_same_v<Kind, vrrp::WarnMismatch> ||
                                 std::is_same_v<Kind, vrrp::WarnSplitBrain> ||
                                 std::is_same_v<Kind, vrrp::WarnStall>) {
                warn(*entry, routed.action);
            }
        },
        routed.action);
}

void VrrpRunner::set_timers() {
    const vrrp::TimePoint time = now();
    const auto arm = [&](auto& timer, vrrp::TimePoint deadline) {
        if (deadline == vrrp::kNever) return timer.cancel();
        timer.start_once(deadline <= time ? vrrp::Duration::zero() : deadline - time);
    };
    if (!started_) return;
    arm(protocol_timer_, routers_.next_deadline());
    arm(announce_timer_, std::min(announcements_.next_deadline(), probes_.next_deadline()));
}

// --- adverts ----------------------------------------------------------------------------------

void VrrpRunner::send_advert(Entry& entry, std::uint8_t priority) {
    const ControlPort* port = port_of(entry.config, director_->ports());
    const vrrp::Instance& instance = routers_.instance(entry.id);
    const vrrp::AdvertMessage message = instance.message(priority);
    if (!instance.config().is_unicast()) {
        send_to(entry, *port, instance.config().group, message);
        return;
    }
    for (const net::IpAddress& peer : instance.config().unicast_peers) {
        send_to(entry, *port, peer, message);
    }
}

void VrrpRunner::send_to(Entry& entry, const ControlPort& port, const net::IpAddress& destination,
                         const vrrp::AdvertMessage& message) {
    const vrrp::Instance& instance = routers_.instance(entry.id);
    vrrp::AdvertEnvelope envelope;
    envelope.source = instance.source();
    envelope.destination = destination;
    envelope.identification = ++entry.identification;
    std::array<std::uint8_t, kMaxAdvertFrame> buffer{};
    bool sent = false;
    if (destination.is_multicast()) {
        envelope.source_mac = mac_of(entry.config, port);
        envelope.destination_mac = vrrp::group_mac(destination);
        const std::size_t length = vrrp::write_advert_frame(message, envelope, buffer);
        sent = length > 0 && director_->transmit(port.id, std::span(buffer).first(length));
    } else {
        envelope.ttl = instance.config().unicast_ttl;
        const std::size_t length = vrrp::write_advert_frame(message, envelope, buffer);
        HopKey hop = next_hop_of(director_->kernel(), director_->ports(), destination);
        if (hop.port == lb::kNoPort && destination.is_link_local()) hop = {port.id, destination};
        sent = length > 0 && hop.port != lb::kNoPort;
        if (sent) {
            // Sent now when the neighbour is known, else as soon as it is.
            director_->next_hops().forward(std::span(buffer).first(length), hop, director_->now());
        }
    }
    if (!sent) ++adverts_failed_;
}

// --- addresses --------------------------------------------------------------------------------

// Answering for the addresses, the virtual MAC and the data plane's list follow from the claim.
void VrrpRunner::take_addresses(Entry& entry, bool present) {
    if (present) {
        claim(entry, entry.vips);
        entry.routes_wanted = !entry.routes.empty() || !entry.rules.empty();
        if (director_->vips().all_settled()) vips_settled();
    } else {
        set_routes(entry, false);
        director_->vips().release(entry.vips);
    }
}

// What is refused becomes a fault when all actions of the event are done.
void VrrpRunner::claim(Entry& entry, std::span<const Vip> vips) {
    const Status received = director_->vips().claim(vips);
    if (!received) entry.mac_refusal = received.error().message;
}

// Routes come after the addresses that they may prefer as source, and go before them.
void VrrpRunner::vips_settled() {
    for (auto& [id, entry] : entries_) {
        if (entry.routes_wanted) set_routes(entry, true);
    }
}

void VrrpRunner::set_routes(Entry& entry, bool present) {
    entry.routes_wanted = false;
    if (entry.routes_present == present) return;
    entry.routes_present = present;
    std::vector<KernelChange> changes;
    for (const RouteRequest& route : entry.routes) changes.push_back({route, present});
    for (const RuleRequest& rule : entry.rules) changes.push_back({rule, present});
    if (!present) std::ranges::reverse(changes);
    const auto complain = [present, name = entry.config.name](const std::vector<Status>& results) {
        for (const Status& done : results) {
            if (done) continue;
            log::error(
                present ? "virtual route or rule not added" : "virtual route or rule not removed",
                {{"instance", name}, {"cause", done.error().message}});
        }
    };
    director_->kernel_writer().apply(std::move(changes), complain);
}

void VrrpRunner::queue_announcements(Entry& entry, vrrp::AnnounceReason reason) {
    const bool again = reason != vrrp::AnnounceReason::BecameMaster;
    log::info(again ? "announcing addresses again" : "announcing addresses",
              {{"instance", entry.config.name}, {"addresses", entry.vips.size()}});
    announcements_.announce(entry.id, reason, plan_announcements(entry.config.tuning),
                            plan_targets(entry.vips), now());
    if (!again) {
        probes_.announce(entry.id, reason, plan_probes(entry.config.tuning),
                         plan_targets(entry.vips), now());
    }
}

void VrrpRunner::send_announcements() {
    const auto& owned = director_->vips().vips();
    for (unsigned i = 0; i < kAnnouncementsPerTurn; ++i) {
        const auto next = announcements_.next(now());
        if (!next) break;
        const auto vip = owned.find(next->target.address);
        if (vip == owned.end()) continue;
        const auto frame = net::build_neighbor_announcement({vip->first, vip->second.mac}, true);
        if (director_->transmit(vip->second.port, frame.span())) ++announcements_sent_;
    }
    for (unsigned i = 0; i < kAnnouncementsPerTurn; ++i) {
        const auto next = probes_.next(now());
        if (!next) break;
        const auto vip = owned.find(next->target.address);
        if (vip != owned.end()) send_probe(*next, vip->second);
    }
    set_timers();
}

// A node that died without giving its addresses up (keepalived leaves them in the kernel) is silent
// in VRRP and still answers for them: ask as duplicate address detection does (RFC 5227, RFC 4862).
// Not right after the change: the former master needs the moment to let go.
void VrrpRunner::send_probe(const vrrp::Announcement& probe, const Vip& vip) {
    const vrrp::Instance& instance = routers_.instance(probe.instance);
    if (now() - instance.since() <= instance.config().advert_interval) return;
    const net::IpAddress nobody{{}, probe.target.address.family};
    const auto frame = net::build_neighbor_question({probe.target.address, nobody, vip.mac});
    if (director_->transmit(vip.port, frame.span())) ++probes_sent_;
}

// --- telling ----------------------------------------------------------------------------------

void VrrpRunner::notify(const Entry& entry, const vrrp::Notify& notice) {
    notifier_.notify({false, entry.config.name}, notice.notice, notice.priority);
}

void VrrpRunner::tell_of_group(const std::string& name, const vrrp::Notify& notice) {
    log::info("vrrp group", {{"group", name}, {"to", vrrp::to_string(notice.notice)}});
    notifier_.notify({true, name}, notice.notice, notice.priority);
    const auto& groups = director_->config().vrrp_sync_groups;
    const auto group = std::ranges::find(groups, name, &VrrpSyncGroupConfig::name);
    const bool muted =
        notice.notice == vrrp::Notice::Fault && director_->config().global.email.no_email_faults;
    const bool alert = group != groups.end() && group->notify.smtp_alert && !muted;
    director_->events().add({0,
                             {},
                             EventKind::Vrrp,
                             "sync group " + name,
                             "",
                             std::string(vrrp::to_string(notice.notice)),
                             "its instances changed together",
                             alert});
}

void VrrpRunner::fence(const Entry& entry, const vrrp::Fence& conflict) {
    const bool configured = !entry.config.notify.fence.empty();
    log::warning(configured ? "vrrp split brain lasts: running the fence command"
                            : "vrrp split brain lasts: no fence command is configured",
                 {{"instance", entry.config.name},
                  {"peer", conflict.peer.to_string()},
                  {"peer_priority", conflict.peer_priority}});
    notifier_.fence({false, entry.config.name}, routers_.instance(entry.id).priority());
}

void VrrpRunner::log_transition(const Entry& entry, const vrrp::LogTransition& line) {
    const vrrp::Instance& instance = routers_.instance(entry.id);
    std::string faults;
    for (unsigned i = 0; i < vrrp::kFaultCount; ++i) {
        const auto fault = static_cast<vrrp::Fault>(i);
        if (!instance.faults().has(fault)) continue;
        faults += (faults.empty() ? "" : ", ") + std::string(vrrp::to_string(fault));
    }
    log::info("vrrp transition", {{"instance", entry.config.name},
                                  {"from", vrrp::to_string(line.from)},
                                  {"to", vrrp::to_string(line.to)},
                                  {"cause", vrrp::to_string(line.cause)},
                                  {"peer", line.peer.to_string()},
                                  {"peer_priority", line.peer_priority},
                                  {"priority", instance.priority()},
                                  {"faults", faults}});
    const bool fault = line.to == vrrp::State::Fault;
    const bool alert = entry.config.notify.smtp_alert &&
                       !(fault && director_->config().global.email.no_email_faults);
    director_->events().add({0,
                             {},
                             EventKind::Vrrp,
                             entry.config.name,
                             std::string(vrrp::to_string(line.from)),
                             std::string(vrrp::to_string(line.to)),
                             faults.empty() ? std::string(vrrp::to_string(line.cause)) : faults,
                             alert});
}

void VrrpRunner::warn(const Entry& entry, const vrrp::Action& action) {
    const std::string& name = entry.config.name;
    if (const auto* mismatch = std::get_if<vrrp::WarnMismatch>(&action)) {
        const auto* record = routers_.instance(entry.id).mismatches().find(mismatch->kind);
        if (record == nullptr) return;
        log::warning("vrrp mismatch", {{"instance", name},
                                       {"what", vrrp::to_string(mismatch->kind)},
                                       {"peer", record->peer.to_string()},
                                       {"ours", record->ours_text()},
                                       {"theirs", record->theirs_text()},
                                       {"count", record->count}});
    } else if (const auto* conflict = std::get_if<vrrp::WarnSplitBrain>(&action)) {
        const auto& other = routers_.instance(entry.id).other_master();
        const std::string mac = other ? other->mac.to_string() : std::string();
        if (has_address(entry.vips, conflict->peer)) {
            log::warning(
                "vrrp split brain: another station claims a virtual address",
                {{"instance", name}, {"address", conflict->peer.to_string()}, {"mac", mac}});
            return;
        }
        log::warning("vrrp split brain: another master is heard",
                     {{"instance", name},
                      {"peer", conflict->peer.to_string()},
                      {"peer_priority", conflict->peer_priority},
                      {"mac", mac}});
    } else if (const auto* stall = std::get_if<vrrp::WarnStall>(&action)) {
        log::warning("the control core was asleep",
                     {{"instance", name},
                      {"milliseconds",
                       std::chrono::duration_cast<std::chrono::milliseconds>(stall->gap).count()}});
    }
}

}  // namespace pollux::control
