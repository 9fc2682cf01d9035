// SPDX-License-Identifier: Apache-2.0
#include "control/director/reloader.h"

#include <utility>

#include "control/config/render.h"
#include "control/log/log.h"

namespace pollux::control {
namespace {

// A file that does not load, as the outcome that says so.
Reloader::Outcome refused_by_file(const LoadResult& loaded, const std::string& path) {
    Reloader::Outcome outcome;
    outcome.messages = render_all(loaded);
    outcome.error = loaded.unreadable
                        ? Error{"cannot read " + path, "check the path and its permissions"}
                        : Error{counted(loaded.errors, "error") + " in the configuration",
                                "run: pollux check " + path};
    return outcome;
}

void log_refusal(const Reloader::Outcome& outcome) {
    log::error("reload refused, nothing was applied", outcome.error);
    if (!outcome.messages.empty()) log::error("configuration", {{"text", outcome.messages}});
}

}  // namespace

Reloader::Reloader(Director& director, std::string path, LoadOptions options)
    : director_(&director),
      path_(std::move(path)),
      options_(std::move(options)),
      confirm_timer_(director.loop(),
                     [this] {
                         log::warning("reload not confirmed in time, going back");
                         rollback({});
                     }),
      background_(director.loop()) {}

void Reloader::enqueue(Job job) {
    jobs_.push_back(std::move(job));
    if (jobs_.size() == 1) jobs_.front()();
}

void Reloader::next_job() {
    jobs_.pop_front();
    if (!jobs_.empty()) jobs_.front()();
}

void Reloader::read(std::function<void(Candidate&)> then) {
    auto candidate = std::make_shared<Candidate>();
    candidate->against = director_->shared_config();
    background_.start(
        [candidate, path = path_, options = options_] {
            LoadResult loaded = load_config(path, options);
            if (!loaded.config) {
                candidate->outcome = refused_by_file(loaded, path);
                return;
            }
            if (loaded.warnings > 0) {
                candidate->outcome.messages = render_all(loaded);
                candidate->outcome.warnings = summarize_warnings(loaded);
            }
            candidate->plan = plan_reload(
                *candidate->against, std::make_shared<const Config>(std::move(*loaded.config)));
        },
        [candidate, then = std::move(then)] { then(*candidate); });
}

void Reloader::plan(std::shared_ptr<const Config> config, std::function<void(Candidate&)> then) {
    auto candidate = std::make_shared<Candidate>();
    candidate->against = director_->shared_config();
    background_.start(
        [candidate, config = std::move(config)] {
            candidate->plan = plan_reload(*candidate->against, config);
        },
        [candidate, then = std::move(then)] { then(*candidate); });
}

// `candidate` lives until the end of the call; what must live on is taken out of it.
void Reloader::apply(Candidate& candidate, RuntimeChanges fate, Done done) {
    auto kept = std::make_shared<Candidate>(std::move(candidate));
    ReloadPlan plan = std::move(*kept->plan);
    kept->plan.reset();
    const std::shared_ptr<const Config> config = plan.config;
    director_->reload(std::move(plan), fate,
                      [this, kept, config, done = std::move(done)](Result<ConfigDiff> result) {
                          Outcome& outcome = kept->outcome;
                          outcome.accepted = result.ok();
                          if (result) {
                              outcome.diff = std::move(result).value();
                              if (!outcome.diff.changes.empty()) keep_previous(kept->against);
                          } else {
                              outcome.error = result.error();
                              discard(config);
                          }
                          discard(std::move(kept->against));
                          if (done) done(outcome);
                      });
}

// Until a reload is confirmed, going back means going back to what was before it.
void Reloader::keep_previous(std::shared_ptr<const Config> before) {
    if (confirm_timer_.active() && previous_) return;
    discard(std::exchange(previous_, std::move(before)));
}

void Reloader::reload(std::chrono::seconds confirm, RuntimeChanges fate, Done done) {
    const auto finish = [this, confirm, done = std::move(done)](const Outcome& outcome) {
        if (outcome.accepted) log_warnings(outcome.warnings);
        if (!outcome.accepted) {
            log_refusal(outcome);
        } else if (confirm > std::chrono::seconds::zero() && !outcome.diff.changes.empty()) {
            confirm_timer_.start_once(confirm);  // else there is nothing to go back from
        }
        if (done) done(outcome);
        next_job();
    };
    // Whatever comes of the reload, its log belongs into the file that has the name now.
    if (const Status opened = log::reopen(); !opened) log::error("log", opened.error());
    enqueue([this, fate, finish] {
        read([this, fate, finish](Candidate& candidate) {
            if (!candidate.plan) return finish(candidate.outcome);
            apply(candidate, fate, finish);
        });
    });
}

void Reloader::reload_unasked() {
    if (reloads_waiting_ > 1) return;
    ++reloads_waiting_;
    reload(std::chrono::seconds::zero(), RuntimeChanges::Keep,
           [this](const Outcome&) { --reloads_waiting_; });
}

void Reloader::preview(RuntimeChanges fate, Done done) {
    enqueue([this, fate, done = std::move(done)] {
        read([this, fate, done](Candidate& candidate) {
            Outcome& outcome = candidate.outcome;
            if (candidate.plan) {
                outcome.accepted = true;
                outcome.diff = std::move(candidate.plan->diff);
                RuntimeServices changes = director_->runtime_services();
                director_->preview_runtime(*candidate.plan->config, changes, fate, outcome.diff);
                discard(std::move(candidate.plan));
            }
            done(outcome);
            next_job();
        });
    });
}

Status Reloader::confirm() {
    if (!confirm_timer_.active()) {
        return Error{"no reload waits for a confirmation",
                     "start one: pollux reload --confirm 60s"};
    }
    confirm_timer_.cancel();
    log::info("reload confirmed");
    return ok_status();
}

void Reloader::rollback(Done done) {
    confirm_timer_.cancel();
    const auto finish = [this, done = std::move(done)](const Outcome& outcome) {
        if (!outcome.accepted) log_refusal(outcome);
        if (done) done(outcome);
        next_job();
    };
    enqueue([this, finish] {
        if (!previous_) {
            Outcome outcome;
            outcome.error = {"there is no earlier configuration to go back to", ""};
            return finish(outcome);
        }
        plan(std::exchange(previous_, nullptr), [this, finish](Candidate& candidate) {
            apply(candidate, RuntimeChanges::Keep, finish);
        });
    });
}

}  // namespace pollux::control
