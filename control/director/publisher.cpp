// SPDX-License-Identifier: Apache-2.0
#include "control/director/publisher.h"

#include <algorithm>
#include <utility>

#include "control/log/log.h"

namespace pollux::control {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(10);
// A refused snapshot (a table is full) is tried again even if nothing else changes.
constexpr auto kRetry = std::chrono::seconds(5);

}  // namespace

Publisher::Publisher(EventLoop& loop, lb::DataPlane& plane, Hooks hooks)
    : plane_(&plane), hooks_(std::move(hooks)), timer_(loop, [this] { run(); }) {}

void Publisher::request() {
    if (timer_.active() && failures_ == 0) return;
    const lb::Duration wait = last_ + kInterval - hooks_.now();
    timer_.start_once(std::max(wait, lb::Duration::zero()));
}

Status Publisher::publish() {
    return publish(hooks_.build());
}

Status Publisher::publish(const lb::DataPlaneSpec& spec) {
    const lb::TimePoint now = hooks_.now();
    Status done = plane_->apply(spec, now);
    if (!done) return done;
    timer_.cancel();
    last_ = now;
    hooks_.applied(spec);
    return done;
}

void Publisher::run() {
    if (const Status done = publish(); !done) {
        ++failures_;
        log::error("snapshot refused, the last one stays", done.error());
        timer_.start_once(kRetry);
    }
}

}  // namespace pollux::control
