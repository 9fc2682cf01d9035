// SPDX-License-Identifier: Apache-2.0
#pragma once

// Mailer: sends events that want mail ([global.email], smtp_alert) through libcurl: STARTTLS or
// TLS, authentication, several recipients. A mail server that is away costs a bounded queue and a
// log line, never a stall. Control thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "control/curl/trust_stores.h"
#include "control/director/extension.h"
#include "control/loop/event_loop.h"
#include "control/mail/mail_delivery.h"
#include "control/mail/mail_queue.h"

namespace pollux::control {

class Director;

class Mailer final : public Extension {
  public:
    // `director` outlives it. Listens to its events from now on.
    explicit Mailer(Director& director);
    ~Mailer() override;

    void reloaded(const Config& before, const ReloadPlan& next) override;
    // Sends what waits, one try each.
    void stopping() override;
    [[nodiscard]] bool finished() const override;

    // Sends a test mail now, beside the queue. `done` comes later; empty text: it was accepted.
    // Error: no mail is configured, or a test is on its way.
    using TestDone = std::function<void(const std::string& problem)>;
    Status send_test(TestDone done);

    // --- views ----------------------------------------------------------------------------------
    [[nodiscard]] bool enabled() const { return !config_.to.empty(); }
    [[nodiscard]] const MailQueue& queue() const { return queue_; }
    [[nodiscard]] std::uint64_t mails() const { return mails_; }
    [[nodiscard]] std::uint64_t failures() const { return failures_; }
    [[nodiscard]] const std::string& last_problem() const { return last_problem_; }

  private:
    void event(const Event& event);
    void pump();
    void set_timer();
    void delivered(const std::string& problem);
    std::unique_ptr<MailDelivery> deliver(std::string text, MailDelivery::Done done);
    [[nodiscard]] std::string problem_of_settings();

    Director* director_;
    TrustStores trust_;
    EmailConfig config_;
    MailQueue queue_;
    Timer timer_;
    std::unique_ptr<MailDelivery> delivery_;
    std::unique_ptr<MailDelivery> test_;
    bool stopping_ = false;
    bool gave_up_ = false;  // while stopping: the mail server does not take it
    std::uint64_t number_ = 0;
    std::uint64_t mails_ = 0;
    std::uint64_t failures_ = 0;
    std::string last_problem_;
};

}  // namespace pollux::control
