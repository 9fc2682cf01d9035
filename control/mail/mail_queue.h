// SPDX-License-Identifier: Apache-2.0
#pragma once

// MailQueue: which events go into which mail, and when. Bounded; one mail at a time; what comes
// while a mail is on its way goes into the next one; a flapping server costs at most one mail a
// minute. No I/O, no clock; control thread.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/events/event_log.h"
#include "dataplane/lb/time.h"

namespace pollux::control {

struct MailBatch {
    std::vector<Event> events;
    std::uint64_t lost = 0;  // events that found no room since the last mail
};

class MailQueue {
  public:
    // At most so many events in one mail.
    static constexpr std::size_t kMaxBatch = 200;
    // Between two mails that speak of the same server or service.
    static constexpr Duration kSubjectPause = std::chrono::minutes(1);

    void configure(const EmailConfig& config);

    void add(const Event& event, lb::TimePoint now);

    // What to send now; nothing: not yet, or a mail is on its way. Then sent() or failed() follows.
    std::optional<MailBatch> take(lb::TimePoint now);
    void sent(lb::TimePoint now);
    // The events are kept and tried again after retry_interval.
    void failed(lb::TimePoint now);

    // The end is near: what waits may go now, also to a server that was away.
    void hurry(lb::TimePoint now);

    // When take() may have something.
    [[nodiscard]] std::optional<lb::TimePoint> next() const;

    [[nodiscard]] std::size_t waiting() const { return waiting_.size() + in_flight_.size(); }
    [[nodiscard]] std::uint64_t lost() const { return lost_total_; }

  private:
    struct Waiting {
        Event event;
        lb::TimePoint ripe;
    };
    void forget_old_subjects(lb::TimePoint now);
    void make_room();

    Duration digest_interval_{};
    Duration retry_interval_ = std::chrono::seconds(60);
    std::size_t limit_ = 1000;
    std::deque<Waiting> waiting_;
    std::vector<Waiting> in_flight_;
    std::map<std::string, lb::TimePoint> mailed_;  // by subject, for kSubjectPause
    std::optional<lb::TimePoint> blocked_until_;
    std::uint64_t lost_ = 0;  // since the last mail that was sent
    std::uint64_t lost_total_ = 0;
};

}  // namespace pollux::control
