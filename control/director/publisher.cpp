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
    : plane_(&plane),
      hooks_(std::move(hooks)),
      timer_(loop, [this] { run(); }),
      background_(loop) {}

void Publisher::request() {
    if (work_) {
        again_ = true;
        return;
    }
    if (timer_.active() && failures_ == 0) return;
    timer_.start_once(pace_.wait(hooks_.now()));
}

void Publisher::publish(Gather gather, Done done) {
    jobs_.push_back({std::move(gather), std::move(done)});
    if (!work_) next();
}

Status Publisher::publish_now() {
    complete();
    return publish_now(hooks_.gather().build());
}

Status Publisher::publish_now(const lb::DataPlaneSpec& spec) {
    complete();
    started_ = hooks_.now();
    auto work = plane_->begin();
    const auto shared = std::make_shared<const lb::DataPlaneSpec>(spec);
    work->run(shared);
    Status done = plane_->finish(std::move(work), hooks_.now());
    if (done) timer_.cancel();
    settle(done, shared);
    return done;
}

void Publisher::complete() {
    background_.complete();
}

void Publisher::run() {
    publish(hooks_.gather, [this](const Status& done) {
        if (done) return;
        ++failures_;
        log::error("snapshot refused, the last one stays", done.error());
        timer_.start_once(kRetry);
    });
}

// What changes from here on goes into the snapshot after this one.
void Publisher::next() {
    started_ = hooks_.now();
    Gathered gathered = jobs_.front().gather();
    work_ = plane_->begin();
    auto work = [to = work_.get(), build = std::move(gathered.build)] {
        to->run(std::make_shared<const lb::DataPlaneSpec>(build()));
    };
    if (gathered.servers <= kServersInLoop) {
        work();
        finished();
    } else {
        background_.start(std::move(work), [this] { finished(); });
    }
}

void Publisher::finished() {
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    const SharedSpec spec = work_->spec();
    const Status done = plane_->finish(std::move(work_), hooks_.now());
    settle(done, spec);
    job.done(done);
    if (!jobs_.empty() && !work_) next();
    if (std::exchange(again_, false)) request();
}

void Publisher::settle(const Status& done, const SharedSpec& spec) {
    if (!done) return;
    hooks_.applied(spec);
    pace_.published(started_, hooks_.now());
}

}  // namespace pollux::control
