// SPDX-License-Identifier: Apache-2.0
#pragma once

// Director: owns all control state on one thread. It joins the components (kernel, TAPs, next hops,
// VIPs, snapshots) and is what extensions and control commands work on. No mutex: everything runs
// from the loop.

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/director/config_diff.h"
#include "control/director/extension.h"
#include "control/director/kernel_plan.h"
#include "control/director/publisher.h"
#include "control/director/punt_dispatch.h"
#include "control/director/reload_plan.h"
#include "control/director/worker_watch.h"
#include "control/events/event_log.h"
#include "control/loop/event_loop.h"
#include "control/netlink/kernel_monitor.h"
#include "control/netlink/kernel_writer.h"
#include "control/nexthop/next_hops.h"
#include "control/spec/runtime_services.h"
#include "control/spec/server_states.h"
#include "control/tap/exception_taps.h"
#include "control/via/via_path.h"
#include "control/vip/vip_owner.h"
#include "dataplane/dpdk/runtime.h"
#include "dataplane/lb/data_plane.h"

namespace pollux::control {

// What a reload does with the operator's changes that the new file does not contradict.
enum class RuntimeChanges : std::uint8_t { Keep, Discard };

class Director {
  public:
    // Opens the TAPs, sets addresses and routes, reads the kernel's tables and publishes the first
    // snapshot. After an error nothing is left behind. `loop`, `runtime` and `plane` outlive it.
    static Result<std::unique_ptr<Director>> create(EventLoop& loop, dpdk::Runtime& runtime,
                                                    lb::DataPlane& plane, Config config);
    ~Director();

    // Frames and events flow from now on. The workers run already.
    void start();
    // Tells the extensions, then stops the loop after the last frames had time to leave and the
    // extensions are finished; the latter for kStopPatience at most.
    static constexpr std::chrono::seconds kStopPatience{3};
    void stop(const std::string& reason);
    [[nodiscard]] bool stopping() const { return stopping_; }

    // Makes `next` the configuration, as one transaction: a refused one changes nothing. `done`
    // gets the lines that tell what changed; it may be called from within. One reload at a time.
    using ReloadDone = std::function<void(Result<ConfigDiff>)>;
    void reload(ReloadPlan next, RuntimeChanges fate, ReloadDone done);
    // Completes the diff by what a reload does to the operator's changes. `changes`, a copy of
    // runtime_services(), becomes what is left of them.
    void preview_runtime(const Config& next, RuntimeServices& changes, RuntimeChanges fate,
                         ConfigDiff& diff) const;

    void add(std::unique_ptr<Extension> extension);

    // Handles what the workers have handed over so far. The loop does so by itself; whoever is
    // about to act on silence calls this first.
    void receive_punts();

    // For extensions and commands.
    EventLoop& loop() { return *loop_; }
    dpdk::Runtime& runtime() { return *runtime_; }
    lb::DataPlane& plane() { return *plane_; }
    NetlinkRequests& netlink() { return *netlink_; }
    // For what may take the kernel long, in order with the virtual addresses.
    KernelWriter& kernel_writer() { return *kernel_writer_; }
    VipOwner& vips() { return *vips_; }
    // Call publish_soon() after a change.
    ServerStates& servers() { return servers_; }
    // State changes with their causes; whoever changes a state adds them.
    EventLog& events() { return events_; }
    void publish_soon() { publisher_->request(); }

    // The operator's changes of the LVS table. A refused change leaves everything as it was.
    [[nodiscard]] const RuntimeServices& runtime_services() const { return runtime_services_; }
    // To set weights; call publish_soon() after a change.
    RuntimeServices& runtime_changes() { return runtime_services_; }
    [[nodiscard]] lb::DataPlaneSpec build_with(const RuntimeServices& changes) const {
        return gather(config_, changes).build();
    }
    // Waits for a snapshot or a reload that is on its way: to be called before looking at what the
    // operator is about to change.
    void settle() { publisher_->complete(); }
    Status change_services(const lb::DataPlaneSpec& spec, RuntimeServices changes);
    // Sends a complete frame out of a port. False: queue full.
    bool transmit(lb::PortId port, std::span<const std::uint8_t> frame) {
        return runtime_->transmit(port, frame);
    }
    [[nodiscard]] lb::TimePoint now() const { return runtime_->now(); }

    [[nodiscard]] const Config& config() const { return *config_; }
    // For whoever needs it beyond a reload.
    [[nodiscard]] std::shared_ptr<const Config> shared_config() const { return config_; }
    [[nodiscard]] const PortTable& ports() const { return ports_; }
    [[nodiscard]] const KernelTables& kernel() const { return monitor_->tables(); }
    [[nodiscard]] const KernelMonitor& monitor() const { return *monitor_; }
    [[nodiscard]] const ExceptionTaps& taps() const { return *taps_; }
    [[nodiscard]] const NextHops& next_hops() const { return *next_hops_; }
    NextHops& next_hops() { return *next_hops_; }
    // The way of checks with check_via = "service"; null while the configuration has none.
    ViaPath* via() { return via_.get(); }
    [[nodiscard]] const PuntDispatch& punts() const { return *punts_; }
    [[nodiscard]] const Publisher& publisher() const { return *publisher_; }
    // How long the most silent worker has been silent (decision D13); known to about 20 ms.
    [[nodiscard]] lb::Duration worker_silence() const { return watch_.longest_silence(now()); }
    // The spec of the snapshot that workers use.
    [[nodiscard]] const lb::DataPlaneSpec& spec() const { return *spec_; }
    [[nodiscard]] std::uint64_t reloads() const { return reloads_; }
    [[nodiscard]] lb::TimePoint started() const { return started_; }

  private:
    Director(EventLoop& loop, dpdk::Runtime& runtime, lb::DataPlane& plane, Config config);

    Status open_kernel();
    // Opens the way of checks through services if this configuration needs it and it is not open.
    Status open_via(const Config& config);
    void close_unused_via();
    void stop_when_finished();
    void make_components();
    [[nodiscard]] Publisher::Gathered gather(std::shared_ptr<const Config> config,
                                             RuntimeServices changes) const;
    Status prepare_reload(const ReloadPlan& next, const ConfigDiff& diff);
    void commit(ReloadPlan& plan, RuntimeServices changes, const ConfigDiff& diff);
    void update_next_hops();
    void spec_applied(const Publisher::SharedSpec& spec);
    void watch_kernel();
    void housekeep();
    void update_links();
    void set_link(ControlPort& port, bool up);
    void begin_announcements();
    void announce_addresses();

    EventLoop* loop_;
    dpdk::Runtime* runtime_;
    lb::DataPlane* plane_;
    std::shared_ptr<const Config> config_;
    PortTable ports_;
    ServerStates servers_;
    RuntimeServices runtime_services_;
    EventLog events_;
    std::set<net::IpAddress> server_addresses_;  // of the configuration
    Publisher::SharedSpec spec_ = std::make_shared<const lb::DataPlaneSpec>();
    bool next_hops_stale_ = true;  // the kernel's routes changed since their last update
    lb::TimePoint started_;
    std::uint64_t reloads_ = 0;
    bool stopping_ = false;
    bool via_needed_ = false;  // by the configuration, or by one that a reload prepares
    lb::TimePoint stop_latest_{};

    std::unique_ptr<NetlinkRequests> netlink_;
    std::unique_ptr<ExceptionTaps> taps_;
    std::unique_ptr<KernelMonitor> monitor_;
    std::unique_ptr<VipOwner> vips_;
    std::unique_ptr<KernelWriter> kernel_writer_;  // calls back into vips_
    std::unique_ptr<NextHops> next_hops_;
    std::unique_ptr<PuntDispatch> punts_;
    std::unique_ptr<ViaPath> via_;
    std::unique_ptr<Publisher> publisher_;
    std::unique_ptr<FdWatch> punt_watch_;
    WorkerWatch watch_;
    Timer housekeeping_;
    Timer vip_timer_;
    Timer announce_timer_;
    unsigned announcements_left_ = 0;
    Timer watch_timer_;
    Timer slow_housekeeping_;
    Timer stop_timer_;
    std::vector<std::unique_ptr<Extension>> extensions_;
};

}  // namespace pollux::control
