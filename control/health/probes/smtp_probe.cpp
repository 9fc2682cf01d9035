// SPDX-License-Identifier: Apache-2.0
// SMTP_CHECK: greeting 220, HELO answered with 250, QUIT.

#include <algorithm>
#include <array>

#include <netinet/in.h>
#include <sys/socket.h>

#include "control/health/probe_table.h"
#include "control/health/probes/socket_probe.h"
#include "control/health/smtp_reply.h"

namespace pollux::control {
namespace {

enum class Stage : std::uint8_t { Connecting, Greeting, Hello, Quit };

class SmtpProbe final : public SocketProbe {
  public:
    SmtpProbe(const CheckConfig& check, ProbeContext& context)
        : SocketProbe(context.loop), check_(&check) {}

    void start(const ProbeTry& attempt, Done done) override {
        const bool printable = std::ranges::all_of(
            check_->helo_name, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
        if (!printable) {
            done(failed("helo_name is not a host name"));
            return;
        }
        stage_ = Stage::Connecting;
        reply_ = {};
        if (!open(addresses_of(*check_, attempt), SOCK_STREAM, IPPROTO_TCP, std::move(done)))
            return;
        watch().on_writable([this] { connected(); });
    }

  private:
    void connected() {
        const std::string error = pending_error(fd());
        if (!error.empty()) {
            finish(failed(error));
            return;
        }
        stage_ = Stage::Greeting;
        watch().on_writable(nullptr);
        watch().on_readable([this] { receive(); });
    }

    void receive() {
        std::array<char, 1024> buffer{};
        const auto length = receive_some(buffer.data(), buffer.size());
        if (!length) return;
        if (*length == 0) {
            // Some servers close instead of answering QUIT.
            finish(stage_ == Stage::Quit ? succeeded("HELO accepted")
                                         : failed("connection closed by the server"));
            return;
        }
        switch (reply_.feed({buffer.data(), *length})) {
            case SmtpReply::State::NeedsMore:
                return;
            case SmtpReply::State::Malformed:
                finish(failed("not an SMTP reply: " + reply_.first_line()));
                return;
            case SmtpReply::State::Complete:
                advance();
                return;
        }
    }

    void advance() {
        const int wanted = stage_ == Stage::Greeting ? 220 : 250;
        if (stage_ != Stage::Quit && reply_.code() != wanted) {
            finish(failed(reply_.first_line()));
            return;
        }
        reply_ = {};
        if (stage_ == Stage::Greeting) {
            stage_ = Stage::Hello;
            say("HELO " + check_->helo_name + "\r\n");
        } else if (stage_ == Stage::Hello) {
            stage_ = Stage::Quit;
            say("QUIT\r\n");
        } else {
            finish(succeeded("HELO accepted"));
        }
    }

    // A line of a few bytes on an empty socket buffer is taken whole.
    void say(const std::string& line) { send_all(line.data(), line.size()); }

    const CheckConfig* check_;
    Stage stage_ = Stage::Connecting;
    SmtpReply reply_;
};

}  // namespace

std::unique_ptr<Probe> make_smtp_probe(const CheckConfig& check, ProbeContext& context) {
    return std::make_unique<SmtpProbe>(check, context);
}

}  // namespace pollux::control
