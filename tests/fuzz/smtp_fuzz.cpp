// SPDX-License-Identifier: Apache-2.0
// Replies to SMTP_CHECK: any bytes end in a bounded time, and in whatever pieces they come the
// verdict is the same.

#include <cstdint>
#include <cstdlib>
#include <span>

#include "control/health/smtp_reply.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using pollux::control::SmtpReply;
    const std::span<const char> bytes(reinterpret_cast<const char*>(data), size);
    SmtpReply whole;
    const SmtpReply::State state = whole.feed(bytes);
    if (state == SmtpReply::State::NeedsMore && size > SmtpReply::kMaxBytes) std::abort();
    if (state == SmtpReply::State::Complete && (whole.code() < 200 || whole.code() > 599)) {
        std::abort();
    }
    SmtpReply pieces;
    SmtpReply::State last = SmtpReply::State::NeedsMore;
    for (const char& byte : bytes) {
        last = pieces.feed({&byte, 1});
        if (last != SmtpReply::State::NeedsMore) break;
    }
    if (last != state || pieces.code() != whole.code()) std::abort();
    return 0;
}
