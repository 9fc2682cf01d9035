// SPDX-License-Identifier: Apache-2.0
#pragma once

// VrrpRunner: the shell around the protocol. Gives it packets, timers, links, tracking and the
// workers' health, and carries its actions out: adverts first, then addresses, announcements,
// notifications, log. Control thread.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/director/extension.h"
#include "control/loop/event_loop.h"
#include "control/scripts/script_runner.h"
#include "control/vip/vip_owner.h"
#include "control/vrrp/notifier.h"
#include "control/vrrp/tracker.h"
#include "vrrp/announce_queue.h"
#include "vrrp/router_set.h"

namespace pollux::control {

class Director;

class VrrpRunner final : public Extension {
  public:
    // Both outlive it. Instances start with `start`.
    VrrpRunner(Director& director, ScriptRunner& scripts);
    ~VrrpRunner() override;

    // Only what `check` has accepted.
    void start();

    // --- Extension ------------------------------------------------------------------------------
    // Error: a port that can receive for no virtual MAC (use_vmac).
    Status check(const ReloadPlan& next) override;
    void reloaded(const Config& before, const ReloadPlan& plan) override;
    void stopping() override;
    void vrrp_frame(const dpdk::PuntedFrame& frame) override;
    void neighbor_claim(lb::PortId port, const net::NeighborClaim& claim) override;
    void link_changed(const ControlPort& port) override;
    void vips_settled() override;

    // --- the operator's commands ----------------------------------------------------------------
    // Errors: no such instance, not MASTER.
    Status step_down(const std::string& instance, std::chrono::seconds hold);
    Status announce(const std::string& instance);

    // For lvs_notify_fifo: the notifier has all FIFOs.
    void server_line(const std::string& line) { notifier_.server_line(line); }

    // --- views ----------------------------------------------------------------------------------
    struct InstanceView {
        const VrrpInstanceConfig* config = nullptr;
        const vrrp::Instance* instance = nullptr;
        std::string group;
        std::size_t vips = 0;
        std::string
            mac_refusal;  // why the port does not receive for the virtual MAC; empty: it does
    };
    [[nodiscard]] std::vector<InstanceView> instances() const;
    [[nodiscard]] const vrrp::RouterSet& routers() const { return routers_; }
    [[nodiscard]] const Tracker& tracker() const { return tracker_; }
    [[nodiscard]] const Notifier& notifier() const { return notifier_; }
    [[nodiscard]] const ScriptRunner& scripts() const { return *scripts_; }
    [[nodiscard]] std::uint64_t announcements_sent() const { return announcements_sent_; }
    [[nodiscard]] std::uint64_t probes_sent() const { return probes_sent_; }
    [[nodiscard]] std::uint64_t adverts_failed() const { return adverts_failed_; }
    [[nodiscard]] vrrp::TimePoint now() const;

  private:
    struct Entry {
        vrrp::InstanceId id{};
        VrrpInstanceConfig config;
        std::vector<Vip> vips;
        std::vector<RouteRequest> routes;
        std::vector<RuleRequest> rules;
        bool routes_wanted = false;  // as soon as the addresses are there
        bool routes_present = false;
        std::string group;
        std::uint16_t identification = 0;
        std::uint8_t told_priority = 0;
        std::string mac_refusal;  // see InstanceView
    };

    // Configuration.
    void add_instance(const VrrpInstanceConfig& config);
    void remove_instance(const std::string& name);
    void update_instance(Entry& entry, const VrrpInstanceConfig& next);
    void set_groups(const Config& config);
    void tell_of_group(const std::string& name, const vrrp::Notify& notice);
    void replace_addresses(Entry& entry, const VrrpInstanceConfig& next);

    // Events.
    void timers_due();
    void look_at_surroundings();
    void watch_workers();
    void give_up_without_mac();
    void try_refused_macs();
    void evaluate_tracking();
    void evaluate(Entry& entry);
    void warn_of_idle_weight(const Entry& entry, std::uint8_t priority) const;
    void set_source(Entry& entry);
    [[nodiscard]] bool link_is_up(const std::string& port) const;

    // Actions, in two rounds: adverts, then all else in order.
    void carry_out(const vrrp::RoutedActions& actions);
    void carry_out_one(const vrrp::RoutedAction& routed);
    void send_advert(Entry& entry, std::uint8_t priority);
    void send_to(Entry& entry, const ControlPort& port, const net::IpAddress& destination,
                 const vrrp::AdvertMessage& message);
    void take_addresses(Entry& entry, bool present);
    void claim(Entry& entry, std::span<const Vip> vips);
    void set_routes(Entry& entry, bool present);
    void queue_announcements(Entry& entry, vrrp::AnnounceReason reason);
    void send_announcements();
    void send_probe(const vrrp::Announcement& probe, const Vip& vip);
    void notify(const Entry& entry, const vrrp::Notify& notice);
    void fence(const Entry& entry, const vrrp::Fence& conflict);
    void log_transition(const Entry& entry, const vrrp::LogTransition& line);
    void warn(const Entry& entry, const vrrp::Action& action);
    void set_timers();
    [[nodiscard]] Entry* find(vrrp::InstanceId id);
    [[nodiscard]] Entry* find(const std::string& name);

    Director* director_;
    ScriptRunner* scripts_;
    vrrp::RouterSet routers_;
    vrrp::AnnounceQueue announcements_;
    vrrp::AnnounceQueue probes_;  // for other holders of our addresses
    Notifier notifier_;
    Tracker tracker_;
    std::map<vrrp::InstanceId, Entry> entries_;
    std::map<std::string, vrrp::GroupId> groups_;
    std::map<vrrp::GroupId, std::string> group_names_;
    std::set<net::MacAddress> known_peers_;
    UrgentTimer protocol_timer_;
    Timer announce_timer_;
    Timer surroundings_timer_;
    Timer worker_timer_;
    Timer mac_timer_;
    vrrp::TimePoint last_worker_look_{};
    std::optional<vrrp::TimePoint> workers_well_since_;
    bool workers_stalled_ = false;
    bool started_ = false;
    std::uint64_t announcements_sent_ = 0;
    std::uint64_t probes_sent_ = 0;
    std::uint64_t adverts_failed_ = 0;
};

}  // namespace pollux::control
