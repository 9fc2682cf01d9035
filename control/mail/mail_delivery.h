// SPDX-License-Identifier: Apache-2.0
#pragma once

// MailDelivery: one mail on its way to the mail server, in a thread of its own: libcurl waits for
// the server's last replies within a call, and on the control loop that would stop the adverts, and
// the frames of its own connection with them. The thread shares nothing; its result comes back
// through EventLoop::post. Control thread.

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "control/config/config.h"
#include "control/curl/trust_stores.h"
#include "control/loop/event_loop.h"

namespace pollux::control {

struct MailOrder {
    EmailConfig config;
    TrustStore trust;  // null: no TLS, or not verified
    std::string text;  // a whole message, lines with CR LF
};

class MailDelivery {
  public:
    // Empty: the server took it.
    using Done = std::function<void(const std::string& problem)>;

    // `done` is called once from the loop, which outlives this object; never after its end. It may
    // end this object.
    MailDelivery(EventLoop& loop, MailOrder order, Done done);
    // A delivery that still runs is given up, which takes up to about a second.
    ~MailDelivery();
    MailDelivery(const MailDelivery&) = delete;
    MailDelivery& operator=(const MailDelivery&) = delete;

  private:
    struct Work;

    std::shared_ptr<Work> work_;
    std::shared_ptr<Done> done_;
    std::thread thread_;
};

}  // namespace pollux::control
