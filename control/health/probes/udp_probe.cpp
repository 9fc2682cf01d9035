// SPDX-License-Identifier: Apache-2.0
// UDP_CHECK: a datagram; bad is an ICMP error, or with require_reply no fitting answer. Without
// require_reply a try lasts connect_timeout, because silence is the good answer.

#include <cerrno>
#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>

#include "control/health/probe_table.h"
#include "control/health/probes/probe_socket.h"

namespace pollux::control {
namespace {

constexpr std::string_view kDefaultPayload = "Pollux UDP check";

class UdpProbe final : public Probe {
  public:
    UdpProbe(const CheckConfig& check, ProbeContext& context)
        : check_(&check),
          loop_(&context.loop),
          silence_(context.loop, [this] { finish(succeeded("no error came back")); }) {}
    ~UdpProbe() override { UdpProbe::cancel(); }

    void start(bool /*recovering*/, Done done) override {
        auto socket = connect_socket(*check_, SOCK_DGRAM, IPPROTO_UDP);
        if (!socket) {
            done(failed(socket.error().message));
            return;
        }
        socket_ = std::move(*socket);
        const bool own = !check_->payload.empty();
        const void* data = own ? static_cast<const void*>(check_->payload.data())
                               : static_cast<const void*>(kDefaultPayload.data());
        const std::size_t size = own ? check_->payload.size() : kDefaultPayload.size();
        if (send(socket_.fd(), data, size, MSG_NOSIGNAL) < 0) {
            const std::string error = error_text(errno);
            cancel();
            done(failed(error));
            return;
        }
        done_ = std::move(done);
        watch_ = std::make_unique<FdWatch>(*loop_, socket_.fd());
        watch_->on_readable([this] { receive(); });
        if (!check_->require_reply) silence_.start_once(check_->connect_timeout);
    }

    void cancel() override {
        silence_.cancel();
        watch_.reset();
        socket_.close();
        done_ = {};
    }

  private:
    void receive() {
        std::uint8_t byte = 0;
        // With MSG_TRUNC the length of the datagram, whatever fits into the buffer.
        const ssize_t length = recv(socket_.fd(), &byte, 1, MSG_DONTWAIT | MSG_TRUNC);
        if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (length < 0) {
            finish(failed(error_text(errno)));
            return;
        }
        const std::string answer = "an answer of " + std::to_string(length) + " bytes";
        const bool fits = length >= check_->min_reply_length && length <= check_->max_reply_length;
        finish(fits ? succeeded(answer) : failed(answer));
    }

    void finish(ProbeResult result) {
        const Done done = std::move(done_);
        cancel();
        done(std::move(result));
    }

    const CheckConfig* check_;
    EventLoop* loop_;
    Timer silence_;
    ProbeSocket socket_;
    std::unique_ptr<FdWatch> watch_;
    Done done_;
};

}  // namespace

std::unique_ptr<Probe> make_udp_probe(const CheckConfig& check, ProbeContext& context) {
    return std::make_unique<UdpProbe>(check, context);
}

}  // namespace pollux::control
