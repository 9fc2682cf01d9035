// SPDX-License-Identifier: Apache-2.0
#include "control/director/publisher.h"

#include <utility>

#include "control/log/log.h"

namespace pollux::control {
namespace {

// A refused snapshot (a table is full) is tried again even if nothing else changes.
constexpr auto kRetry = std::chrono::seconds(5);

}  // namespace

Publisher::Publisher(EventLoop& loop, lb::DataPlane& plane, Hooks hooks)
    : plane_(&plane), hooks_(std::move(hooks)), timer_(loop, [this] { run(); }) {}

void Publisher::request() {
    if (timer_.active() && failures_ == 0) return;
    timer_.start_once(pace_.wait(hooks_.now()));
}

Status Publisher::publish() {
    const lb::TimePoint start = hooks_.now();
    return publish_since(start, hooks_.build());
}

Status Publisher::publish(const lb::DataPlaneSpec& spec) {
    return publish_since(hooks_.now(), spec);
}

Status Publisher::publish_since(lb::TimePoint start, const lb::DataPlaneSpec& spec) {
    Status done = plane_->apply(spec, hooks_.now());
    if (!done) return done;
    timer_.cancel();
    hooks_.applied(spec);
    pace_.published(start, hooks_.now());
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
