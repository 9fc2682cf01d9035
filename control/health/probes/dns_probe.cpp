// SPDX-License-Identifier: Apache-2.0
// DNS_CHECK: one question over UDP; an answer without error is good.

#include <array>
#include <cstdlib>

#include <netinet/in.h>
#include <sys/socket.h>

#include "control/health/dns_message.h"
#include "control/health/probe_table.h"
#include "control/health/probes/socket_probe.h"

namespace pollux::control {
namespace {

// Longer answers are cut off; only their start is read.
constexpr std::size_t kMaxAnswer = 4096;
// Foreign datagrams looked at in one turn of the loop.
constexpr unsigned kDatagramsPerTurn = 16;

class DnsProbe final : public SocketProbe {
  public:
    DnsProbe(const CheckConfig& check, ProbeContext& context)
        : SocketProbe(context.loop), check_(&check) {}

    void start(const ProbeTry& attempt, Done done) override {
        const auto id = static_cast<std::uint16_t>(arc4random());
        const auto question = build_dns_question(id, check_->dns_name, check_->dns_type);
        if (!question) {
            done(failed("dns_name is not a domain name"));
            return;
        }
        question_ = *question;
        if (!open(addresses_of(*check_, attempt), SOCK_DGRAM, IPPROTO_UDP, std::move(done))) return;
        if (!send_all(question_.data(), question_.size())) return;
        watch().on_readable([this] { receive(); });
    }

  private:
    void receive() {
        std::array<std::uint8_t, kMaxAnswer> buffer{};
        for (unsigned i = 0; i < kDatagramsPerTurn; ++i) {
            const auto length = receive_some(buffer.data(), buffer.size());
            if (!length) return;
            const std::span<const std::uint8_t> answer(buffer.data(), *length);
            const DnsVerdict verdict = judge_dns_answer(question_, answer);
            if (verdict.answer == DnsAnswer::Foreign) continue;
            const std::string code = dns_code_text(verdict.code);
            finish(verdict.answer == DnsAnswer::Good ? succeeded(code) : failed(code));
            return;
        }
    }

    const CheckConfig* check_;
    std::vector<std::uint8_t> question_;
};

}  // namespace

std::unique_ptr<Probe> make_dns_probe(const CheckConfig& check, ProbeContext& context) {
    return std::make_unique<DnsProbe>(check, context);
}

}  // namespace pollux::control
