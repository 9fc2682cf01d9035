// SPDX-License-Identifier: Apache-2.0
// Commands about VRRP.

#include <nlohmann/json.hpp>

#include "control/api/commands.h"
#include "control/director/director.h"
#include "control/loop/duration_number.h"
#include "control/vrrp/vrrp_runner.h"

namespace pollux::control::api {
namespace {

Json peer_json(const std::optional<vrrp::PeerView>& peer, vrrp::TimePoint now) {
    if (!peer) return nullptr;
    return {{"address", peer->address.to_string()},
            {"mac", peer->mac.to_string()},
            {"priority", peer->priority},
            {"seconds_ago", seconds(now - peer->last_heard)}};
}

Json faults_json(vrrp::FaultSet faults) {
    Json list = Json::array();
    for (unsigned i = 0; i < vrrp::kFaultCount; ++i) {
        const auto fault = static_cast<vrrp::Fault>(i);
        if (faults.has(fault)) list.push_back(vrrp::to_string(fault));
    }
    return list;
}

Json mismatches_json(const vrrp::Instance& instance, vrrp::TimePoint now) {
    Json list = Json::array();
    for (const vrrp::MismatchRecord& record : instance.mismatches().all()) {
        list.push_back({{"what", vrrp::to_string(record.kind)},
                        {"peer", record.peer.to_string()},
                        {"ours", record.ours_text()},
                        {"theirs", record.theirs_text()},
                        {"count", record.count},
                        {"seconds_ago", seconds(now - record.last)}});
    }
    return list;
}

Json counters_json(const vrrp::Counters& counters) {
    Json object = Json::object();
    vrrp::for_each_counter(counters,
                           [&](std::string_view name, std::string_view, std::uint64_t value) {
                               object[std::string(name)] = value;
                           });
    return object;
}

Json addresses_json(const std::vector<VirtualIpConfig>& addresses) {
    Json list = Json::array();
    for (const VirtualIpConfig& address : addresses) list.push_back(address.address.to_string());
    return list;
}

Json instance_json(const VrrpRunner::InstanceView& view, vrrp::TimePoint now) {
    const vrrp::Instance& instance = *view.instance;
    const vrrp::InstanceConfig& config = instance.config();
    const bool waits = instance.deadline() != vrrp::kNever;
    Json row{{"name", config.name},
             {"state", vrrp::to_string(instance.state())},
             {"since_seconds", seconds(now - instance.since())},
             {"cause", vrrp::to_string(instance.last_cause())},
             {"interface", view.config->interface},
             {"version", config.version},
             {"family", config.family == net::Family::V4 ? "IPv4" : "IPv6"},
             {"virtual_router_id", config.virtual_router_id},
             {"priority", instance.priority()},
             {"base_priority", view.config->priority},
             {"advert_seconds", seconds(config.advert_interval)},
             {"active_advert_seconds", seconds(instance.active_interval())},
             {"down_seconds", seconds(instance.down_interval())},
             {"timer_seconds", waits ? Json(seconds(instance.deadline() - now)) : Json(nullptr)},
             {"source", instance.source().to_string()},
             {"unicast", config.is_unicast()},
             {"use_vmac", view.config->use_vmac},
             {"group", view.group.empty() ? Json(nullptr) : Json(view.group)},
             {"addresses", addresses_json(view.config->virtual_ipaddress)},
             {"addresses_excluded", addresses_json(view.config->virtual_ipaddress_excluded)}};
    row["virtual_mac_refused"] = view.mac_refusal.empty() ? Json(nullptr) : Json(view.mac_refusal);
    row["faults"] = faults_json(instance.faults());
    row["master"] =
        instance.state() == vrrp::State::Backup ? peer_json(instance.master(), now) : Json(nullptr);
    row["other_master"] = peer_json(instance.other_master(), now);
    row["split_brain"] = instance.in_conflict(now);
    row["mismatches"] = mismatches_json(instance, now);
    row["counters"] = counters_json(instance.counters());
    return row;
}

Json tracks_json(const Tracker& tracker) {
    Json list = Json::array();
    for (const TrackView& view : tracker.views()) {
        list.push_back({{"kind", view.kind},
                        {"name", view.name},
                        {"good", view.good},
                        {"last", view.last},
                        {"runs", view.runs},
                        {"failures", view.failures}});
    }
    return list;
}

Json strangers_json(const VrrpRunner& runner, const PortTable& ports) {
    Json list = Json::array();
    for (const vrrp::Stranger& stranger : runner.routers().strangers()) {
        const auto id = static_cast<lb::PortId>(stranger.interface);
        const ControlPort* port = ports.find(id);
        Json addresses = Json::array();
        for (const net::IpAddress& address : stranger.addresses) {
            addresses.push_back(address.to_string());
        }
        list.push_back({{"port", port == nullptr ? "" : port->name},
                        {"virtual_router_id", stranger.virtual_router_id},
                        {"version", stranger.version},
                        {"priority", stranger.priority},
                        {"peer", stranger.source.to_string()},
                        {"mac", stranger.mac.to_string()},
                        {"addresses", std::move(addresses)},
                        {"count", stranger.count},
                        {"seconds_ago", seconds(runner.now() - stranger.last)}});
    }
    return list;
}

// The name is required.
Result<std::string> instance_argument(const Json& args) {
    auto name = text_argument(args, "instance");
    if (name && name->empty()) {
        return Error{"the name of an instance is missing", "see: pollux show vrrp"};
    }
    return name;
}

}  // namespace

Result<Json> show_vrrp(CommandContext& context, const Json& /*args*/) {
    const VrrpRunner& runner = context.vrrp;
    Json instances = Json::array();
    for (const VrrpRunner::InstanceView& view : runner.instances()) {
        instances.push_back(instance_json(view, runner.now()));
    }
    const vrrp::ReceiveCounters& received = runner.routers().receive_counters();
    return Json{{"instances", std::move(instances)},
                {"tracks", tracks_json(runner.tracker())},
                {"strangers", strangers_json(runner, context.director.ports())},
                {"received",
                 {{"frames", received.frames},
                  {"not_vrrp", received.not_vrrp},
                  {"unreadable", received.unreadable},
                  {"vrid_err", received.vrid_err}}},
                {"probes_sent", runner.probes_sent()},
                {"announcements_sent", runner.announcements_sent()},
                {"adverts_failed", runner.adverts_failed()},
                {"notify_failures", runner.notifier().failures()},
                {"notify_coalesced", runner.notifier().coalesced()},
                {"fifo_drops", runner.notifier().fifo_drops()},
                {"scripts_running", runner.scripts().running()},
                {"scripts_waiting", runner.scripts().waiting()}};
}

Result<Json> vrrp_step_down(CommandContext& context, const Json& args) {
    const auto name = instance_argument(args);
    if (!name) return name.error();
    const auto hold = number_argument(args, "hold_seconds", {60, 0, 86400});
    if (!hold) return hold.error();
    const Status done = context.vrrp.step_down(*name, std::chrono::seconds(*hold));
    if (!done) return done.error();
    return Json::object();
}

Result<Json> vrrp_garp(CommandContext& context, const Json& args) {
    const auto name = instance_argument(args);
    if (!name) return name.error();
    const Status done = context.vrrp.announce(*name);
    if (!done) return done.error();
    return Json::object();
}

}  // namespace pollux::control::api
