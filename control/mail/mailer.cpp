// SPDX-License-Identifier: Apache-2.0
#include "control/mail/mailer.h"

#include <utility>

#include "control/director/director.h"
#include "control/log/log.h"
#include "control/mail/mail_message.h"

namespace pollux::control {

Mailer::Mailer(Director& director)
    : director_(&director),
      config_(director.config().global.email),
      timer_(director.loop(), [this] { pump(); }) {
    queue_.configure(config_);
    director.events().listen([this](const Event& event) { this->event(event); });
}

Mailer::~Mailer() {
    if (!stopping_ || !enabled() || queue_.waiting() == 0) return;
    log::warning("mail not sent before the end", {{"events", queue_.waiting()}});
}

void Mailer::reloaded(const Config& /*before*/, const ReloadPlan& next) {
    const Config& now = *next.config;
    trust_.refresh();
    if (config_ == now.global.email) return;
    config_ = now.global.email;
    queue_.configure(config_);
    pump();
}

void Mailer::stopping() {
    timer_.cancel();
    stopping_ = true;
    queue_.hurry(director_->now());
    pump();
}

bool Mailer::finished() const {
    return !enabled() || gave_up_ || queue_.waiting() == 0;
}

void Mailer::event(const Event& event) {
    if (!event.alert || !enabled()) return;
    queue_.add(event, director_->now());
    if (stopping_) queue_.hurry(director_->now());
    set_timer();
}

void Mailer::set_timer() {
    const auto next = queue_.next();
    if (!next || !enabled() || gave_up_) {
        timer_.cancel();
    } else {
        timer_.start_once(*next - director_->now());
    }
}

void Mailer::pump() {
    if (!enabled()) return;
    const auto batch = queue_.take(director_->now());
    if (!batch) {
        set_timer();
        return;
    }
    const std::string text = event_mail(config_, director_->config().global.router_id, *batch,
                                        {std::chrono::system_clock::now(), ++number_});
    delivery_ = deliver(text, [this](const std::string& problem) { delivered(problem); });
    if (!delivery_) delivered(problem_of_settings());
}

void Mailer::delivered(const std::string& problem) {
    const lb::TimePoint now = director_->now();
    delivery_.reset();
    if (problem.empty()) {
        ++mails_;
        queue_.sent(now);
        log::info("mail sent", {{"server", config_.server}, {"recipients", config_.to.size()}});
    } else {
        ++failures_;
        queue_.failed(now);
        gave_up_ = stopping_;
        log::warning(
            stopping_ ? "mail not sent" : "mail not sent, will be tried again",
            {{"server", config_.server}, {"cause", problem}, {"waiting", queue_.waiting()}});
    }
    last_problem_ = problem;
    if (stopping_ && !gave_up_) queue_.hurry(now);
    set_timer();
}

// Empty: mail can be sent with these settings.
std::string Mailer::problem_of_settings() {
    if (!is_mail_address(config_.from)) {
        return "from = \"" + config_.from + "\" is not a mail address";
    }
    for (const std::string& to : config_.to) {
        if (!is_mail_address(to)) return "to = \"" + to + "\" is not a mail address";
    }
    if (config_.tls != SmtpTls::None && config_.verify) {
        const auto store = trust_.get("");
        if (!store) return store.error().message;
    }
    return "";
}

// Null: the settings do not allow it.
std::unique_ptr<MailDelivery> Mailer::deliver(std::string text, MailDelivery::Done done) {
    if (!problem_of_settings().empty()) return nullptr;
    MailOrder order{config_, nullptr, std::move(text)};
    if (config_.tls != SmtpTls::None && config_.verify) order.trust = *trust_.get("");
    return std::make_unique<MailDelivery>(director_->loop(), std::move(order), std::move(done));
}

Status Mailer::send_test(TestDone done) {
    if (!enabled()) {
        return Error{"no mail is configured", "write [global.email] with to and server"};
    }
    if (test_) return Error{"a test mail is on its way already", "wait for its end"};
    const std::string text = test_mail(config_, director_->config().global.router_id,
                                       {std::chrono::system_clock::now(), ++number_});
    test_ = deliver(text, [this, done = std::move(done)](const std::string& problem) {
        const TestDone call = done;
        test_.reset();
        call(problem);
    });
    if (!test_) return Error{problem_of_settings(), "correct [global.email]"};
    return ok_status();
}

}  // namespace pollux::control
