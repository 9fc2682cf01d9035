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
                        : Error{std::to_string(loaded.errors) + " errors in the configuration",
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

// Reads the file on the thread and compares it with what is in force, then calls back.
void Reloader::read(const std::function<void(Candidate&)>& then) {
    auto candidate = std::make_shared<Candidate>();
    candidate->against = director_->shared_config();
    background_.start(
        [candidate, path = path_, options = options_] {
            LoadResult loaded = load_config(path, options);
            if (!loaded.config) {
                candidate->outcome = refused_by_file(loaded, path);
                return;
            }
            if (loaded.warnings > 0) candidate->outcome.messages = render_all(loaded);
            candidate->config = std::make_shared<const Config>(std::move(*loaded.config));
            candidate->outcome.diff = diff_configs(*candidate->against, *candidate->config);
        },
        [candidate, then] { then(*candidate); });
}

Reloader::Outcome Reloader::apply(Candidate& candidate, RuntimeChanges fate) {
    Outcome outcome = std::move(candidate.outcome);
    const std::shared_ptr<const Config> before = director_->shared_config();
    // Another reload came in between.
    if (before != candidate.against) outcome.diff = diff_configs(*before, *candidate.config);
    auto done = director_->reload(candidate.config, std::move(outcome.diff), fate);
    if (!done) {
        outcome.error = done.error();
        outcome.diff = {};
        discard(std::move(candidate.config));
        return outcome;
    }
    outcome.accepted = true;
    outcome.diff = std::move(done).value();
    if (!outcome.diff.changes.empty()) keep_previous(before);
    candidate.config.reset();  // the director's now
    candidate.against.reset();
    discard(before);
    return outcome;
}

// Until a reload is confirmed, going back means going back to what was before it.
void Reloader::keep_previous(std::shared_ptr<const Config> before) {
    if (confirm_timer_.active() && previous_) return;
    discard(std::exchange(previous_, std::move(before)));
}

void Reloader::discard(std::shared_ptr<const Config> config) {
    if (!config) return;
    background_.start([dead = std::move(config)] {}, {});
}

void Reloader::reload(std::chrono::seconds confirm, RuntimeChanges fate, Done done) {
    read([this, confirm, fate, done = std::move(done)](Candidate& candidate) {
        if (!candidate.config) {
            log_refusal(candidate.outcome);
            if (done) done(candidate.outcome);
            return;
        }
        const Outcome outcome = apply(candidate, fate);
        if (!outcome.accepted) {
            log_refusal(outcome);
        } else if (confirm > std::chrono::seconds::zero()) {
            confirm_timer_.start_once(confirm);
        }
        if (done) done(outcome);
    });
}

void Reloader::reload_unasked() {
    if (reloads_waiting_ > 1) return;
    ++reloads_waiting_;
    reload(std::chrono::seconds::zero(), RuntimeChanges::Keep,
           [this](const Outcome&) { --reloads_waiting_; });
}

void Reloader::preview(RuntimeChanges fate, Done done) {
    read([this, fate, done = std::move(done)](Candidate& candidate) {
        Outcome& outcome = candidate.outcome;
        if (candidate.config) {
            outcome.accepted = true;
            RuntimeServices changes = director_->runtime_services();
            director_->preview_runtime(*candidate.config, changes, fate, outcome.diff);
        }
        discard(std::move(candidate.config));
        done(outcome);
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
    if (!previous_) {
        Outcome outcome;
        outcome.error = {"there is no earlier configuration to go back to", ""};
        if (done) done(outcome);
        return;
    }
    auto candidate = std::make_shared<Candidate>();
    candidate->against = director_->shared_config();
    candidate->config = std::exchange(previous_, nullptr);
    background_.start(
        [candidate] {
            candidate->outcome.diff = diff_configs(*candidate->against, *candidate->config);
        },
        [this, candidate, done = std::move(done)] {
            const Outcome outcome = apply(*candidate, RuntimeChanges::Keep);
            if (!outcome.accepted) log_refusal(outcome);
            if (done) done(outcome);
        });
}

}  // namespace pollux::control
