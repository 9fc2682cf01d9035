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
      confirm_timer_(director.loop(), [this] {
          log::warning("reload not confirmed in time, going back");
          rollback();
      }) {}

Reloader::Outcome Reloader::apply(Config next, RuntimeChanges fate) {
    Outcome outcome;
    Config before = director_->config();
    auto done = director_->reload(std::move(next), fate);
    if (!done) {
        outcome.error = done.error();
        return outcome;
    }
    outcome.accepted = true;
    outcome.diff = std::move(done).value();
    // Until a reload is confirmed, going back means going back to what was before it.
    const bool keep = confirm_timer_.active() && previous_;
    if (!keep && !(before == director_->config())) previous_ = std::move(before);
    return outcome;
}

Reloader::Outcome Reloader::reload(std::chrono::seconds confirm, RuntimeChanges fate) {
    LoadResult loaded = load_config(path_, options_);
    if (!loaded.config) {
        Outcome outcome = refused_by_file(loaded, path_);
        log_refusal(outcome);
        return outcome;
    }
    Outcome outcome = apply(std::move(*loaded.config), fate);
    if (loaded.warnings > 0) outcome.messages = render_all(loaded);
    if (!outcome.accepted) {
        log_refusal(outcome);
    } else if (confirm > std::chrono::seconds::zero()) {
        confirm_timer_.start_once(confirm);
    }
    return outcome;
}

Reloader::Outcome Reloader::preview(RuntimeChanges fate) const {
    const LoadResult loaded = load_config(path_, options_);
    if (!loaded.config) return refused_by_file(loaded, path_);
    Outcome outcome;
    outcome.accepted = true;
    outcome.messages = loaded.warnings > 0 ? render_all(loaded) : std::string();
    RuntimeServices changes = director_->runtime_services();
    outcome.diff = director_->preview(*loaded.config, changes, fate);
    return outcome;
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

Reloader::Outcome Reloader::rollback() {
    confirm_timer_.cancel();
    if (!previous_) {
        Outcome outcome;
        outcome.error = {"there is no earlier configuration to go back to", ""};
        return outcome;
    }
    Config target = std::move(*previous_);
    previous_.reset();
    Outcome outcome = apply(std::move(target), RuntimeChanges::Keep);
    if (!outcome.accepted) log_refusal(outcome);
    return outcome;
}

}  // namespace pollux::control
