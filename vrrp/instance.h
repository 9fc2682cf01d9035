// SPDX-License-Identifier: Apache-2.0
#pragma once

// One virtual router on one interface: the state machine of RFC 3768 and RFC 9568 section 6.4 with
// keepalived's extensions. No I/O, no clock: each event comes with its time and returns one ordered
// list of actions. A packet that is rejected changes counters and nothing else. Control thread.

#include <cstdint>
#include <optional>

#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"
#include "vrrp/action.h"
#include "vrrp/address_set.h"
#include "vrrp/advert.h"
#include "vrrp/advert_check.h"
#include "vrrp/clock.h"
#include "vrrp/counters.h"
#include "vrrp/instance_config.h"
#include "vrrp/mismatch.h"

namespace pollux::vrrp {

// A master that was heard.
struct PeerView {
    net::IpAddress address;
    net::MacAddress mac;
    std::uint8_t priority = 0;
    TimePoint last_heard{};
};

class Instance {
  public:
    explicit Instance(InstanceConfig config);

    // --- events ---------------------------------------------------------------------------------
    // From INIT; also again after stop. Faults and the source address may be told before.
    Actions start(TimePoint now);
    // A master says priority 0 before anything else.
    Actions stop(TimePoint now);
    // Call at deadline(), after every received packet was handed in: who was asleep must hear
    // first.
    Actions timer_expired(TimePoint now);
    // `packet` is for this family, virtual router and interface.
    Actions receive(const Decoded& packet, TimePoint now);
    // The priority after tracking (see vrrp/tracking.h); 1..254, or 255 for an owner.
    Actions set_priority(std::uint8_t effective, TimePoint now);
    Actions set_fault(Fault fault, bool present, TimePoint now);
    // The address that adverts are sent from; unspecified: there is none, which is a fault.
    Actions set_source(const net::IpAddress& source, TimePoint now);
    // The operator hands the role over and does not take it back from a living master for `hold`.
    Actions step_down(Duration hold, TimePoint now);
    // The operator wants the addresses announced again.
    Actions announce(TimePoint now);
    // Another station said by ARP or ND that it has one of the virtual addresses.
    Actions foreign_claim(const net::IpAddress& address, const net::MacAddress& mac, TimePoint now);
    // Precondition: is_same_virtual_router(config(), next). Addresses are compared by the caller.
    Actions reconfigure(InstanceConfig next, TimePoint now);

    // --- for sync groups (see vrrp/router_set.h) ------------------------------------------------
    // Another member became MASTER or BACKUP. Precondition: target is one of them.
    Actions follow(State target, TimePoint now);
    // The master-down timer fired while another member hears a living master: wait once more.
    Actions hold_back(TimePoint now);
    // BACKUP, and the timer ran out without the master having said goodbye.
    [[nodiscard]] bool expires_by_silence(TimePoint now) const noexcept;
    // BACKUP, and the advert that armed the timer promised that a better master lives.
    [[nodiscard]] bool hears_master(TimePoint now) const noexcept;

    // --- views ----------------------------------------------------------------------------------
    [[nodiscard]] const InstanceConfig& config() const noexcept { return config_; }
    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] TimePoint since() const noexcept { return since_; }
    [[nodiscard]] Cause last_cause() const noexcept { return last_cause_; }
    [[nodiscard]] std::uint8_t priority() const noexcept { return priority_; }
    [[nodiscard]] FaultSet faults() const noexcept { return faults_; }
    [[nodiscard]] const net::IpAddress& source() const noexcept { return source_; }
    [[nodiscard]] TimePoint deadline() const noexcept;
    [[nodiscard]] Duration active_interval() const noexcept { return active_interval_; }
    [[nodiscard]] Duration skew() const noexcept;
    [[nodiscard]] Duration down_interval() const noexcept;
    // The sender of the last accepted advert in BACKUP, and the last losing one in MASTER.
    [[nodiscard]] const std::optional<PeerView>& master() const noexcept { return master_; }
    [[nodiscard]] const std::optional<PeerView>& other_master() const noexcept { return other_; }
    // MASTER, and a conflict that raised the alarm is not over: the other one was heard within its
    // dead time.
    [[nodiscard]] bool in_conflict(TimePoint now) const noexcept;
    [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
    [[nodiscard]] const MismatchTable& mismatches() const noexcept { return mismatches_; }
    // What SendAdvert{priority} puts on the wire; views this instance until the next event.
    [[nodiscard]] AdvertMessage message(std::uint8_t priority) const noexcept;

  private:
    enum class ArmedBy : std::uint8_t { Silence, Advert, Release };
    enum class Conflict : std::uint8_t { Seen, Alarmed, Fenced };

    void enter(Cause cause, TimePoint now, Actions& out);
    void become_master(Cause cause, TimePoint now, Actions& out);
    void become_backup(Cause cause, TimePoint now, Actions& out);
    void become_fault(TimePoint now, Actions& out);
    void leave_master(Actions& out);
    void log(State from, Cause cause, TimePoint now, Actions& out);
    void send(std::uint8_t priority, TimePoint now, Actions& out);
    void arm_down(ArmedBy by, TimePoint now);
    void rearm_down();
    void update_faults(FaultSet next, TimePoint now, Actions& out);
    bool notice_stall(TimePoint now, Actions& out);
    void backup_timer(TimePoint now, Actions& out);
    void master_timer(TimePoint now, Actions& out);
    void finish(Actions& out);

    void count(Rejection rejection);
    void note_rejection(const Decoded& packet, Rejection rejection, TimePoint now, Actions& out);
    void note_differences(const ReceivedAdvert& advert, const CheckResult& check, TimePoint now,
                          Actions& out);
    void note(const MismatchTable::Seen& seen, const ReceivedAdvert& advert, TimePoint now,
              Actions& out);
    void hear_in_backup(const ReceivedAdvert& advert, TimePoint now, Actions& out);
    void hear_in_master(const ReceivedAdvert& advert, TimePoint now, Actions& out);
    void accept_master(const ReceivedAdvert& advert, TimePoint now);
    void yield_to(const ReceivedAdvert& advert, TimePoint now, Actions& out);
    bool preempts(TimePoint now);
    void reply(TimePoint now, Actions& out);
    void see_other_master(const PeerView& peer, TimePoint now, Actions& out);
    void judge_conflict(const PeerView& peer, TimePoint now, Actions& out);
    [[nodiscard]] bool heard_other_lately(TimePoint now) const noexcept;

    InstanceConfig config_;
    AddressSet addresses_;
    Counters counters_;
    MismatchTable mismatches_;

    State state_ = State::Init;
    Cause last_cause_ = Cause::Stopped;
    TimePoint since_{};
    std::uint8_t priority_;
    FaultSet faults_;
    net::IpAddress source_;

    // The startup delay, the master-down timer or the advertisement timer, by state.
    TimePoint timer_ = kNever;
    TimePoint reannounce_timer_ = kNever;
    TimePoint armed_ = kNever;  // what the caller was last told
    ArmedBy armed_by_ = ArmedBy::Silence;
    TimePoint down_armed_at_{};
    Duration active_interval_;
    bool late_once_ = false;  // the last expiry came too late to be trusted

    std::optional<TimePoint> preempt_at_;
    TimePoint hold_until_ = TimePoint::min();
    TimePoint last_sent_{};
    TimePoint last_announced_{};
    TimePoint reply_allowance_ = TimePoint::min();
    std::optional<PeerView> master_;
    std::optional<PeerView> other_;
    Conflict conflict_ = Conflict::Seen;  // of `other_`
    TimePoint conflict_since_{};
    std::optional<ChecksumForm> learned_form_;
};

}  // namespace pollux::vrrp
