// SPDX-License-Identifier: Apache-2.0
// DNS_CHECK: one question over UDP; an answer without error is good.

#include <array>
#include <cerrno>
#include <cstdlib>

#include <netinet/in.h>
#include <sys/socket.h>

#include "control/health/dns_message.h"
#include "control/health/probe_table.h"
#include "control/health/probes/probe_socket.h"

namespace pollux::control {
namespace {

// Longer answers are cut off; only their start is read.
constexpr std::size_t kMaxAnswer = 4096;
// Foreign datagrams looked at in one turn of the loop.
constexpr unsigned kDatagramsPerTurn = 16;

class DnsProbe final : public Probe {
  public:
    DnsProbe(const CheckConfig& check, ProbeContext& context)
        : check_(&check), loop_(&context.loop) {}
    ~DnsProbe() override { DnsProbe::cancel(); }

    void start(bool /*recovering*/, Done done) override {
        const auto id = static_cast<std::uint16_t>(arc4random());
        const auto question = build_dns_question(id, check_->dns_name, check_->dns_type);
        if (!question) {
            done(failed("dns_name is not a domain name"));
            return;
        }
        question_ = *question;
        auto socket = connect_socket(*check_, SOCK_DGRAM, IPPROTO_UDP);
        if (!socket) {
            done(failed(socket.error().message));
            return;
        }
        socket_ = std::move(*socket);
        if (send(socket_.fd(), question_.data(), question_.size(), MSG_NOSIGNAL) < 0) {
            const std::string error = error_text(errno);
            cancel();
            done(failed(error));
            return;
        }
        done_ = std::move(done);
        watch_ = std::make_unique<FdWatch>(*loop_, socket_.fd());
        watch_->on_readable([this] { receive(); });
    }

    void cancel() override {
        watch_.reset();
        socket_.close();
        done_ = {};
    }

  private:
    void receive() {
        std::array<std::uint8_t, kMaxAnswer> buffer{};
        for (unsigned i = 0; i < kDatagramsPerTurn; ++i) {
            const ssize_t length = recv(socket_.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
            if (length < 0) {
                finish(failed(error_text(errno)));
                return;
            }
            const std::span<const std::uint8_t> answer(buffer.data(),
                                                       static_cast<std::size_t>(length));
            const DnsVerdict verdict = judge_dns_answer(question_, answer);
            if (verdict.answer == DnsAnswer::Foreign) continue;
            const std::string code = dns_code_text(verdict.code);
            finish(verdict.answer == DnsAnswer::Good ? succeeded(code) : failed(code));
            return;
        }
    }

    void finish(ProbeResult result) {
        const Done done = std::move(done_);
        cancel();
        done(std::move(result));
    }

    const CheckConfig* check_;
    EventLoop* loop_;
    std::vector<std::uint8_t> question_;
    ProbeSocket socket_;
    std::unique_ptr<FdWatch> watch_;
    Done done_;
};

}  // namespace

std::unique_ptr<Probe> make_dns_probe(const CheckConfig& check, ProbeContext& context) {
    return std::make_unique<DnsProbe>(check, context);
}

}  // namespace pollux::control
