// SPDX-License-Identifier: Apache-2.0
// SMTP_CHECK: greeting 220, HELO answered with 250, QUIT.

#include <algorithm>
#include <array>
#include <cerrno>

#include <netinet/in.h>
#include <sys/socket.h>

#include "control/health/probe_table.h"
#include "control/health/probes/probe_socket.h"
#include "control/health/smtp_reply.h"

namespace pollux::control {
namespace {

enum class Stage : std::uint8_t { Connecting, Greeting, Hello, Quit };

class SmtpProbe final : public Probe {
  public:
    SmtpProbe(const CheckConfig& check, ProbeContext& context)
        : check_(&check), loop_(&context.loop) {}
    ~SmtpProbe() override { SmtpProbe::cancel(); }

    void start(bool /*recovering*/, Done done) override {
        const bool printable = std::ranges::all_of(
            check_->helo_name, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
        if (!printable) {
            done(failed("helo_name is not a host name"));
            return;
        }
        auto socket = connect_socket(*check_, SOCK_STREAM, IPPROTO_TCP);
        if (!socket) {
            done(failed(socket.error().message));
            return;
        }
        socket_ = std::move(*socket);
        done_ = std::move(done);
        stage_ = Stage::Connecting;
        reply_ = {};
        watch_ = std::make_unique<FdWatch>(*loop_, socket_.fd());
        watch_->on_writable([this] { connected(); });
    }

    void cancel() override {
        watch_.reset();
        socket_.close();
        done_ = {};
    }

  private:
    void connected() {
        const std::string error = pending_error(socket_.fd());
        if (!error.empty()) {
            finish(failed(error));
            return;
        }
        stage_ = Stage::Greeting;
        watch_->on_writable(nullptr);
        watch_->on_readable([this] { receive(); });
    }

    void receive() {
        std::array<char, 1024> buffer{};
        const ssize_t length = recv(socket_.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (length < 0) {
            finish(failed(error_text(errno)));
            return;
        }
        if (length == 0) {
            // Some servers close instead of answering QUIT.
            finish(stage_ == Stage::Quit ? succeeded("HELO accepted")
                                         : failed("connection closed by the server"));
            return;
        }
        switch (reply_.feed({buffer.data(), static_cast<std::size_t>(length)})) {
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
    void say(const std::string& line) {
        const ssize_t sent = send(socket_.fd(), line.data(), line.size(), MSG_NOSIGNAL);
        if (sent == static_cast<ssize_t>(line.size())) return;
        finish(failed(sent < 0 ? error_text(errno) : "the server takes no more bytes"));
    }

    void finish(ProbeResult result) {
        const Done done = std::move(done_);
        cancel();
        done(std::move(result));
    }

    const CheckConfig* check_;
    EventLoop* loop_;
    Stage stage_ = Stage::Connecting;
    SmtpReply reply_;
    ProbeSocket socket_;
    std::unique_ptr<FdWatch> watch_;
    Done done_;
};

}  // namespace

std::unique_ptr<Probe> make_smtp_probe(const CheckConfig& check, ProbeContext& context) {
    return std::make_unique<SmtpProbe>(check, context);
}

}  // namespace pollux::control
