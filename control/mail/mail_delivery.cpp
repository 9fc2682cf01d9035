// SPDX-License-Identifier: Apache-2.0
#include "control/mail/mail_delivery.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <utility>

#include "control/curl/curl_loop.h"

namespace pollux::control {
namespace {

// After the connection stands, for the whole conversation.
constexpr auto kTalkTime = std::chrono::seconds(60);

std::string server_url(const EmailConfig& config, CURL* transfer) {
    const bool v6 = config.server.find(':') != std::string::npos;
    const std::string host = v6 ? "[" + config.server + "]" : config.server;
    std::string url = (config.tls == SmtpTls::Tls ? "smtps://" : "smtp://") + host + ":" +
                      std::to_string(config.port) + "/";
    char* helo = curl_easy_escape(transfer, config.helo_name.data(),
                                  static_cast<int>(config.helo_name.size()));
    if (helo != nullptr) url += helo;
    curl_free(helo);
    return url;
}

}  // namespace

struct MailDelivery::Work {
    explicit Work(MailOrder its) : order(std::move(its)) {}

    static std::size_t read(char* buffer, std::size_t size, std::size_t count, void* self) {
        auto* work = static_cast<Work*>(self);
        const std::string& text = work->order.text;
        const std::size_t length = std::min(size * count, text.size() - work->position);
        text.copy(buffer, length, work->position);
        work->position += length;
        return length;
    }

    // libcurl asks about once a second, also while it waits.
    static int progress(void* self, curl_off_t /*down_total*/, curl_off_t /*down*/,
                        curl_off_t /*up_total*/, curl_off_t /*up*/) {
        // Relaxed: a plain wish to end, nothing else depends on it.
        return static_cast<Work*>(self)->abandoned.load(std::memory_order_relaxed) ? 1 : 0;
    }

    void set_security(CURL* transfer) const {
        const EmailConfig& config = order.config;
        if (config.tls == SmtpTls::StartTls) {
            curl_easy_setopt(transfer, CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
        }
        if (config.tls != SmtpTls::None) {
            curl_easy_setopt(transfer, CURLOPT_SSL_VERIFYPEER, config.verify ? 1L : 0L);
            curl_easy_setopt(transfer, CURLOPT_SSL_VERIFYHOST, config.verify ? 2L : 0L);
            if (order.trust) verify_against(transfer, order.trust.get());
        }
        if (!config.user.empty()) {
            curl_easy_setopt(transfer, CURLOPT_USERNAME, config.user.c_str());
            curl_easy_setopt(transfer, CURLOPT_PASSWORD, config.password.c_str());
        }
    }

    void set_options(CURL* transfer, curl_slist* recipients) {
        const EmailConfig& config = order.config;
        set_common_options(transfer, config.tls == SmtpTls::Tls ? "smtps" : "smtp");
        curl_easy_setopt(transfer, CURLOPT_URL, server_url(config, transfer).c_str());
        curl_easy_setopt(transfer, CURLOPT_MAIL_FROM, config.from.c_str());
        curl_easy_setopt(transfer, CURLOPT_MAIL_RCPT, recipients);
        // One address that is refused does not keep the mail from the others.
        curl_easy_setopt(transfer, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
        const auto connect =
            std::chrono::duration_cast<std::chrono::milliseconds>(config.connect_timeout);
        const auto whole = connect + std::chrono::milliseconds(kTalkTime);
        curl_easy_setopt(transfer, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect.count()));
        curl_easy_setopt(transfer, CURLOPT_TIMEOUT_MS, static_cast<long>(whole.count()));
        set_security(transfer);
        curl_easy_setopt(transfer, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(transfer, CURLOPT_READFUNCTION, &Work::read);
        curl_easy_setopt(transfer, CURLOPT_READDATA, this);
        curl_easy_setopt(transfer, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(transfer, CURLOPT_XFERINFOFUNCTION, &Work::progress);
        curl_easy_setopt(transfer, CURLOPT_XFERINFODATA, this);
        curl_easy_setopt(transfer, CURLOPT_QUICK_EXIT, 1L);
    }

    // The mail thread's life; returns the problem, empty: none.
    std::string run() {
        const CurlHandle transfer(curl_easy_init());
        if (!transfer) return "libcurl gave no handle";
        CurlList recipients;
        for (const std::string& to : order.config.to) {
            recipients = append(std::move(recipients), to);
        }
        set_options(transfer.get(), recipients.get());
        std::array<char, CURL_ERROR_SIZE> error{};
        curl_easy_setopt(transfer.get(), CURLOPT_ERRORBUFFER, error.data());
        const CURLcode code = curl_easy_perform(transfer.get());
        if (code == CURLE_OK) return "";
        long reply = 0;
        curl_easy_getinfo(transfer.get(), CURLINFO_RESPONSE_CODE, &reply);
        std::string problem = error.front() != '\0' ? error.data() : curl_easy_strerror(code);
        if (reply >= 400) problem += " (the server's last reply: " + std::to_string(reply) + ")";
        return problem;
    }

    MailOrder order;
    std::size_t position = 0;
    std::atomic<bool> abandoned{false};
};

MailDelivery::MailDelivery(EventLoop& loop, MailOrder order, Done done)
    : work_(std::make_shared<Work>(std::move(order))),
      done_(std::make_shared<Done>(std::move(done))) {
    // Signals are the control thread's.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([&loop, work = work_, alive = std::weak_ptr<Done>(done_)] {
        std::string problem = work->run();
        loop.post([alive, problem = std::move(problem)] {
            const auto call = alive.lock();
            if (call) (*call)(problem);
        });
    });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

MailDelivery::~MailDelivery() {
    work_->abandoned.store(true, std::memory_order_relaxed);
    thread_.join();
}

}  // namespace pollux::control
