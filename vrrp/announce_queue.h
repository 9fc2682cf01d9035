// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which gratuitous ARP or unsolicited NA frame goes out next, and when. Every address once first,
// repeats after that, at a bounded rate per interface, so that announcing thousands of addresses
// never delays an advert (finding F5). Pure: the caller sends what `next` returns. Control thread.

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "dataplane/net/ip_address.h"
#include "vrrp/action.h"
#include "vrrp/clock.h"
#include "vrrp/router_set.h"
#include "vrrp/strangers.h"

namespace pollux::vrrp {

// keepalived's garp_* settings of an instance.
struct AnnouncePolicy {
    unsigned master_repeat = 5;  // frames per address after becoming MASTER ...
    Duration master_delay = std::chrono::seconds(5);  // ... and again after this; 0: not again
    unsigned lower_prio_repeat = 5;                   // the same after another master was heard
    Duration lower_prio_delay = std::chrono::seconds(5);
    Duration refresh{};  // 0: none
    unsigned refresh_repeat = 1;
};

// `burst` frames at once, then one per `interval`; 0: no limit.
struct AnnouncePace {
    Duration interval{};
    unsigned burst = 1;
};

struct AnnounceTarget {
    InterfaceId interface {};  // where the address lives, not always where the adverts go
    net::IpAddress address;
    bool operator==(const AnnounceTarget&) const = default;
};

struct Announcement {
    InstanceId instance{};
    AnnounceTarget target;
};

class AnnounceQueue {
  public:
    AnnounceQueue(AnnouncePace arp, AnnouncePace neighbour) : arp_(arp), neighbour_(neighbour) {}

    void set_pace(AnnouncePace arp, AnnouncePace neighbour);

    // Announces all targets from now on. While frames are still due the new ones replace them: at
    // least one frame per address follows each call.
    void announce(InstanceId id, AnnounceReason reason, const AnnouncePolicy& policy,
                  std::vector<AnnounceTarget> targets, TimePoint now);
    // The addresses of a running master changed: `added` are announced, the others are not.
    void change_targets(InstanceId id, std::vector<AnnounceTarget> targets,
                        const std::vector<AnnounceTarget>& added, TimePoint now);
    // No longer MASTER.
    void cancel(InstanceId id);

    // The next frame to send now; nothing: wait until next_deadline().
    std::optional<Announcement> next(TimePoint now);
    [[nodiscard]] TimePoint next_deadline() const;

  private:
    struct Entry {
        AnnouncePolicy policy;
        std::vector<AnnounceTarget> targets;
        std::vector<AnnounceTarget> added;  // ahead of the targets, sent from the back
        std::size_t cursor = 0;
        std::size_t frames_done = 0;  // of the running block
        std::size_t frames_left = 0;
        TimePoint second_block = kNever;
        unsigned second_repeat = 0;
        TimePoint refresh = kNever;
        std::uint64_t served = 0;  // turn of the last frame, for fairness
    };
    using PaceKey = std::pair<InterfaceId, net::Family>;

    static void start_due_blocks(Entry& entry, TimePoint now);
    static const AnnounceTarget& front(const Entry& entry);
    static void pop(Entry& entry);
    static void begin_block(Entry& entry, unsigned repeat);
    static std::size_t pass_of(const Entry& entry);
    [[nodiscard]] const AnnouncePace& pace_of(net::Family family) const;
    [[nodiscard]] TimePoint ready_at(const AnnounceTarget& target) const;
    void consume(const AnnounceTarget& target, TimePoint now);

    AnnouncePace arp_;
    AnnouncePace neighbour_;
    std::map<InstanceId, Entry> entries_;
    std::map<PaceKey, TimePoint> allowance_;  // theoretical arrival time of the next frame
    std::uint64_t turn_ = 0;
};

}  // namespace pollux::vrrp
