// SPDX-License-Identifier: Apache-2.0
#pragma once

// The text of a mail (RFC 5322). What events quote may come from hostile peers: it can neither add
// a header nor end the body. Pure.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "control/config/config.h"
#include "control/mail/mail_queue.h"

namespace pollux::control {

struct MailStamp {
    std::chrono::system_clock::time_point time;
    std::uint64_t number = 0;  // makes the Message-ID unique
};

// Complete: headers, empty line, body; lines end in CR LF and have at most 998 bytes.
[[nodiscard]] std::string event_mail(const EmailConfig& config, const std::string& router_id,
                                     const MailBatch& batch, const MailStamp& stamp);
[[nodiscard]] std::string test_mail(const EmailConfig& config, const std::string& router_id,
                                    const MailStamp& stamp);

// Printable ASCII; everything else, and the backslash, as \xNN.
[[nodiscard]] std::string plain_text(std::string_view text);

// Whether it can stand in an SMTP command: printable ASCII without blanks and angle brackets, with
// one @ inside.
[[nodiscard]] bool is_mail_address(std::string_view address);

}  // namespace pollux::control
