// SPDX-License-Identifier: Apache-2.0
#include "control/director/director.h"

#include <algorithm>
#include <utility>

#include "control/director/log_options.h"
#include "control/log/log.h"
#include "control/spec/spec_builder.h"
#include "dataplane/net/neighbor_frames.h"

namespace pollux::control {
namespace {

constexpr auto kHousekeepingInterval = std::chrono::milliseconds(10);  // see lb::sweep_budget
constexpr auto kWatchInterval = std::chrono::milliseconds(20);
constexpr auto kSlowInterval = std::chrono::milliseconds(100);
// A port's own addresses, when its link comes up.
constexpr unsigned kAnnouncements = 3;
constexpr auto kAnnounceInterval = std::chrono::seconds(2);
// Batches of punted frames per turn of the loop.
constexpr unsigned kPuntBatchesPerTurn = 4;
// The last frames (VRRP priority 0) leave through the workers' queues meanwhile.
constexpr auto kStopGrace = std::chrono::milliseconds(20);

// So many changes of a reload are logged one by one.
constexpr std::size_t kMaxLoggedChanges = 100;

void log_changes(const std::vector<std::string>& changes) {
    const std::size_t shown = std::min(changes.size(), kMaxLoggedChanges);
    for (std::size_t i = 0; i < shown; ++i) log::info("changed", {{"what", changes[i]}});
    if (shown < changes.size()) {
        log::info("more changes, not logged one by one", {{"count", changes.size() - shown}});
    }
}

Error refuse_restart_only(const std::vector<std::string>& changed) {
    std::string keys;
    for (const std::string& key : changed) keys += (keys.empty() ? "" : ", ") + key;
    return {"these keys cannot change while running: " + keys,
            "restart polluxd, or put the old values back"};
}

PortTable make_ports(const Config& config, const std::vector<dpdk::PortView>& views) {
    PortTable table;
    for (std::size_t i = 0; i < config.ports.size(); ++i) {
        const PortConfig& port_config = config.ports[i];
        ControlPort port;
        port.id = static_cast<lb::PortId>(i);
        port.name = port_config.name;
        port.mtu = port_config.mtu;
        if (port_config.exception.type == ExceptionPath::Tap) {
            port.tap =
                port_config.exception.name.empty() ? port_config.name : port_config.exception.name;
        }
        if (i < views.size()) {
            port.mac = views[i].mac;
            port.link_up = views[i].link_up;
        }
        table.ports.push_back(std::move(port));
    }
    return table;
}

}  // namespace

Director::Director(EventLoop& loop, dpdk::Runtime& runtime, lb::DataPlane& plane, Config config)
    : loop_(&loop),
      runtime_(&runtime),
      plane_(&plane),
      config_(std::make_shared<const Config>(std::move(config))),
      ports_(make_ports(*config_, runtime.ports())),
      server_addresses_(server_addresses(*config_)),
      started_(runtime.now()),
      housekeeping_(loop, [this] { housekeep(); }),
      vip_timer_(loop, [this] { vips_->work(); }),
      announce_timer_(loop, [this] { announce_addresses(); }),
      watch_timer_(loop, [this] { watch_.update(runtime_->workers(), now()); }),
      slow_housekeeping_(loop,
                         [this] {
                             next_hops_->tick(now());
                             update_links();
                             close_unused_via();
                         }),
      stop_timer_(loop, [this] { stop_when_finished(); }) {}

// Extensions go first: they use everything else.
Director::~Director() {
    extensions_.clear();
}

Result<std::unique_ptr<Director>> Director::create(EventLoop& loop, dpdk::Runtime& runtime,
                                                   lb::DataPlane& plane, Config config) {
    std::unique_ptr<Director> director(new Director(loop, runtime, plane, std::move(config)));
    if (const Status opened = director->open_kernel(); !opened) return opened.error();
    director->make_components();
    if (const Status opened = director->open_via(director->config()); !opened) {
        return opened.error();
    }
    if (const Status published = director->publisher_->publish_now(); !published) {
        return published.error();
    }
    return director;
}

Status Director::open_kernel() {
    auto netlink = NetlinkRequests::open();
    if (!netlink) return netlink.error();
    netlink_ = std::move(netlink).value();
    auto taps = ExceptionTaps::open(ports_, *netlink_);
    if (!taps) return taps.error();
    taps_ = std::move(taps).value();
    const Status planned = apply_kernel_plan(*netlink_, {}, plan_kernel(*config_, ports_));
    if (!planned) return planned;
    auto monitor = KernelMonitor::open(*loop_);
    if (!monitor) return monitor.error();
    monitor_ = std::move(monitor).value();
    auto writer = KernelWriter::open(*loop_);
    if (!writer) return writer.error();
    kernel_writer_ = std::move(writer).value();
    return ok_status();
}

void Director::make_components() {
    const auto send = [this](lb::PortId port, std::span<const std::uint8_t> frame) {
        return runtime_->transmit(port, frame);
    };
    VipHooks hooks;
    hooks.transmit = send;
    hooks.add_mac = [this](lb::PortId port, const net::MacAddress& mac) {
        return runtime_->add_mac(port, mac);
    };
    hooks.remove_mac = [this](lb::PortId port, const net::MacAddress& mac) {
        return runtime_->remove_mac(port, mac);
    };
    hooks.changed = [this] { publisher_->request(); };
    hooks.work_later = [this] { vip_timer_.start_once(lb::Duration::zero()); };
    hooks.change_kernel = [this](std::vector<KernelChange> changes, KernelWriter::Done done) {
        kernel_writer_->apply(std::move(changes), std::move(done));
    };
    hooks.settled = [this] {
        for (const auto& extension : extensions_) extension->vips_settled();
    };
    vips_ = std::make_unique<VipOwner>(ports_, std::move(hooks));
    const auto send_from = [this](lb::PortId port, std::span<std::uint8_t> frame) {
        vips_->rewrite_source(port, frame);
        return runtime_->transmit(port, frame);
    };
    next_hops_ = std::make_unique<NextHops>(*netlink_, monitor_->tables(), ports_, send_from);
    punts_ = std::make_unique<PuntDispatch>(*taps_, *vips_, *next_hops_);
    punts_->on_vrrp = [this](const dpdk::PuntedFrame& frame) {
        for (const auto& extension : extensions_) extension->vrrp_frame(frame);
    };
    punts_->on_claim = [this](lb::PortId port, const net::NeighborClaim& claim) {
        for (const auto& extension : extensions_) extension->neighbor_claim(port, claim);
    };
    publisher_ = std::make_unique<Publisher>(
        *loop_, *plane_,
        Publisher::Hooks{[this] { return gather(config_, runtime_services_); },
                         [this] { return now(); },
                         [this](const Publisher::SharedSpec& spec) { spec_applied(spec); }});
}

Status Director::open_via(const Config& config) {
    if (!has_checks_through_services(config)) return ok_status();
    via_needed_ = true;
    if (via_) return ok_status();
    const ViaContext context{*loop_,
                             *netlink_,
                             monitor_->tables(),
                             ports_,
                             *next_hops_,
                             [this] { return vips_->owned(); },
                             [this] { return now(); }};
    const ViaRange range{config.global.stand_in_ipv4, config.global.stand_in_ipv6};
    auto path = ViaPath::open(context, range);
    if (!path) return path.error();
    via_ = std::move(path).value();
    punts_->on_answer = [this](std::span<std::uint8_t> frame) { return via_->receive(frame); };
    log::info("checks through services", {{"interface", via_->interface()}});
    return ok_status();
}

// Checks give their stand-ins back some time after the reload that removes them.
void Director::close_unused_via() {
    if (!via_ || via_needed_ || via_->translator().stand_ins() != 0) return;
    punts_->on_answer = nullptr;
    via_.reset();
}

void Director::start() {
    watch_kernel();
    taps_->start(*loop_, [this](lb::PortId port, std::span<std::uint8_t> frame) {
        vips_->rewrite_source(port, frame);
        return runtime_->transmit(port, frame);
    });
    punt_watch_ = std::make_unique<FdWatch>(*loop_, runtime_->punt_event_fd());
    punt_watch_->on_readable([this] { receive_punts(); });
    for (const ControlPort& port : ports_.ports) {
        if (!port.link_up) taps_->set_carrier(port.id, false);
    }
    begin_announcements();
    housekeeping_.start_every(kHousekeepingInterval);
    watch_timer_.start_every(kWatchInterval);
    slow_housekeeping_.start_every(kSlowInterval);
    next_hops_->tick(now());
    publisher_->request();
}

void Director::stop(const std::string& reason) {
    if (stopping_) return;
    stopping_ = true;
    log::info("stopping", {{"reason", reason}});
    for (const auto& extension : extensions_) extension->stopping();
    stop_latest_ = now() + kStopPatience;
    stop_timer_.start_every(kStopGrace);
}

void Director::stop_when_finished() {
    const bool finished = std::ranges::all_of(
        extensions_, [](const auto& extension) { return extension->finished(); });
    // Rules and routes of other tables do not go with the TAP.
    if ((finished && kernel_writer_->is_idle()) || now() >= stop_latest_) loop_->stop();
}

void Director::preview_runtime(const Config& next, RuntimeServices& changes, RuntimeChanges fate,
                               ConfigDiff& diff) const {
    if (changes.size() == 0) return;
    if (fate == RuntimeChanges::Discard) {
        diff.changes.push_back("run-time changes given up: " + std::to_string(changes.size()));
        changes = {};
        return;
    }
    const auto lines = changes.follow_file(build_file_table(*config_), build_file_table(next));
    diff.changes.insert(diff.changes.end(), lines.begin(), lines.end());
}

void Director::reload(ReloadPlan next, RuntimeChanges fate, ReloadDone done) {
    RuntimeServices changes = runtime_services_;
    ConfigDiff diff = std::move(next.diff);
    preview_runtime(*next.config, changes, fate, diff);
    const KernelPlan before = plan_kernel(*config_, ports_);
    const KernelPlan after = plan_kernel(*next.config, ports_);
    Status ready = prepare_reload(next, diff);
    if (ready) ready = apply_kernel_plan(*netlink_, before, after);
    if (!ready) {
        via_needed_ = has_checks_through_services(*config_);
        return done(ready.error());
    }
    const auto plan = std::make_shared<ReloadPlan>(std::move(next));
    publisher_->publish([this, plan, changes] { return gather(plan->config, changes); },
                        [this, plan, changes, before, after, diff = std::move(diff),
                         done = std::move(done)](const Status& published) mutable {
                            if (published) {
                                commit(*plan, std::move(changes), diff);
                                return done(std::move(diff));
                            }
                            const Status undone = apply_kernel_plan(*netlink_, after, before);
                            if (!undone) log::error("kernel state not restored", undone.error());
                            via_needed_ = has_checks_through_services(*config_);
                            done(published.error());
                        });
}

Status Director::prepare_reload(const ReloadPlan& next, const ConfigDiff& diff) {
    if (stopping_) return Error{"polluxd is stopping", ""};
    if (!next.available) return next.available;
    if (!diff.restart_only.empty()) return refuse_restart_only(diff.restart_only);
    for (const auto& extension : extensions_) {
        if (Status accepted = extension->check(next); !accepted) return accepted;
    }
    return open_via(*next.config);
}

void Director::commit(ReloadPlan& plan, RuntimeServices changes, const ConfigDiff& diff) {
    // The old one lives on for the extensions, and with whoever wants to go back to it.
    const std::shared_ptr<const Config> old = std::exchange(config_, plan.config);
    const bool by_hand = runtime_services_.size() != 0;
    runtime_services_ = std::move(changes);
    ++reloads_;
    for (const ServerKey& key : plan.removed) servers_.servers.erase(key);
    if (plan.server_addresses) server_addresses_ = *std::move(plan.server_addresses);
    if (by_hand || plan.server_addresses) update_next_hops();
    if (old->log.level != config_->log.level) log::set_level(to_log_level(config_->log.level));
    for (const auto& extension : extensions_) extension->reloaded(*old, plan);
    via_needed_ = has_checks_through_services(*config_);
    log_changes(diff.changes);
    log::info("reloaded", {{"changes", diff.changes.size()}, {"generation", plane_->generation()}});
}

void Director::add(std::unique_ptr<Extension> extension) {
    extensions_.push_back(std::move(extension));
}

// The network's part is small, and the kernel's tables are the loop's: only services, their servers
// and the states of those travel.
Publisher::Gathered Director::gather(std::shared_ptr<const Config> config,
                                     RuntimeServices changes) const {
    std::size_t servers = changes.size();
    for (const VirtualServerConfig& service : config->virtual_servers) {
        servers += service.real_server.size();
    }
    auto network = std::make_shared<lb::DataPlaneSpec>(
        build_network({*config, ports_, monitor_->tables(), servers_, vips_->owned(), nullptr}));
    auto build = [config = std::move(config), network = std::move(network), states = servers_,
                  changes = std::move(changes)] {
        lb::DataPlaneSpec spec = std::move(*network);
        add_services(spec, *config, states, changes);
        return spec;
    };
    return {std::move(build), servers};
}

Status Director::change_services(const lb::DataPlaneSpec& spec, RuntimeServices changes) {
    std::swap(runtime_services_, changes);
    Status done = publisher_->publish_now(spec);
    if (!done) {
        runtime_services_ = std::move(changes);
    } else {
        update_next_hops();
    }
    return done;
}

// Servers that are down are wanted, too: they may come back any moment.
void Director::update_next_hops() {
    std::set<net::IpAddress> added;
    for (const auto& [service, server] : runtime_services_.added_servers()) {
        added.insert(server.address);
    }
    if (added.empty()) {
        next_hops_->update_wanted(spec_->routes, server_addresses_);
    } else {
        added.insert(server_addresses_.begin(), server_addresses_.end());
        next_hops_->update_wanted(spec_->routes, added);
    }
    next_hops_stale_ = false;
}

void Director::spec_applied(const Publisher::SharedSpec& spec) {
    // Most snapshots only follow a server's state.
    const bool same_routes = spec->routes == spec_->routes;
    spec_ = spec;
    if (next_hops_stale_ || !same_routes) update_next_hops();
    log::debug("snapshot published", {{"generation", plane_->generation()},
                                      {"services", spec->services.size()},
                                      {"routes", spec->routes.size()},
                                      {"owned", spec->owned.size()}});
}

void Director::watch_kernel() {
    KernelMonitor::Events events;
    events.routes_changed = [this] {
        next_hops_stale_ = true;
        publisher_->request();
    };
    events.neighbour_changed = [this](const NeighbourKey& key, const Neighbour& before,
                                      const Neighbour& now) {
        if (ports_.find(key.interface) == nullptr) return;
        next_hops_->neighbour_changed(key, now);
        const bool same_path =
            before.usable() == now.usable() && (!now.usable() || before.mac == now.mac);
        if (!same_path) publisher_->request();
    };
    events.link_changed = [this](InterfaceIndex, const KernelLink&) { update_links(); };
    monitor_->watch(std::move(events));
}

void Director::receive_punts() {
    for (unsigned i = 0; i < kPuntBatchesPerTurn; ++i) {
        const auto frames = runtime_->receive_punted();
        if (frames.empty()) return;
        for (const dpdk::PuntedFrame& frame : frames) punts_->dispatch(frame, now());
    }
}

void Director::housekeep() {
    plane_->housekeep(now(), lb::sweep_budget(config().conntrack.max_connections));
}

void Director::update_links() {
    const auto views = runtime_->ports();
    for (ControlPort& port : ports_.ports) {
        const auto index = static_cast<std::size_t>(port.id);
        if (index >= views.size()) continue;
        bool up = views[index].link_up;
        // Virtual devices report "up" whatever their kernel interface does; the kernel knows
        // better as long as the interface is in this network namespace.
        const auto link = kernel().links.find(static_cast<InterfaceIndex>(views[index].if_index));
        if (views[index].if_index != 0 && link != kernel().links.end()) up = link->second.carrier;
        if (up != port.link_up) set_link(port, up);
    }
}

void Director::set_link(ControlPort& port, bool up) {
    port.link_up = up;
    log::info(up ? "link up" : "link down", {{"port", port.name}});
    taps_->set_carrier(port.id, up);
    if (up) begin_announcements();
    for (const auto& extension : extensions_) extension->link_changed(port);
}

// The neighbours may remember another MAC for the ports' own addresses: of the card or virtual
// device before this one, or of the machine that this one replaces. Virtual addresses are the
// instances' task. Several times, as a switch may not forward yet when a link comes up (RFC 5227
// section 2.3).
void Director::begin_announcements() {
    announcements_left_ = kAnnouncements;
    announce_addresses();
    announce_timer_.start_every(kAnnounceInterval);
}

void Director::announce_addresses() {
    for (const ControlPort& port : ports_.ports) {
        if (!port.link_up) continue;
        for (const net::IpPrefix& own : config().ports[static_cast<std::size_t>(port.id)].address) {
            if (vips_->owns(own.address)) continue;
            const auto frame = net::build_neighbor_announcement({own.address, port.mac}, true);
            if (!runtime_->transmit(port.id, frame.span())) {
                log::debug("address not announced", {{"port", port.name}});
            }
        }
    }
    if (--announcements_left_ == 0) announce_timer_.cancel();
}

}  // namespace pollux::control
