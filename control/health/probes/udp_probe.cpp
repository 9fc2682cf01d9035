// SPDX-License-Identifier: Apache-2.0
// UDP_CHECK: a datagram; bad is an ICMP error, or with require_reply no fitting answer. Without
// require_reply a try lasts connect_timeout, because silence is the good answer.

#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>

#include "control/health/probe_table.h"
#include "control/health/probes/socket_probe.h"

namespace pollux::control {
namespace {

constexpr std::string_view kDefaultPayload = "Pollux UDP check";

class UdpProbe final : public SocketProbe {
  public:
    UdpProbe(const CheckConfig& check, ProbeContext& context)
        : SocketProbe(context.loop),
          check_(&check),
          silence_(context.loop, [this] { finish(succeeded("no error came back")); }) {}

    void start(const ProbeTry& attempt, Done done) override {
        if (!open(addresses_of(*check_, attempt), SOCK_DGRAM, IPPROTO_UDP, std::move(done))) return;
        const bool own = !check_->payload.empty();
        const void* data = own ? static_cast<const void*>(check_->payload.data())
                               : static_cast<const void*>(kDefaultPayload.data());
        const std::size_t size = own ? check_->payload.size() : kDefaultPayload.size();
        if (!send_all(data, size)) return;
        watch().on_readable([this] { receive(); });
        if (!check_->require_reply) silence_.start_once(check_->connect_timeout);
    }

    void cancel() override {
        silence_.cancel();
        SocketProbe::cancel();
    }

  private:
    void receive() {
        std::uint8_t byte = 0;
        // With MSG_TRUNC the length of the datagram, whatever fits into the buffer.
        const auto length = receive_some(&byte, 1, MSG_TRUNC);
        if (!length) return;
        const std::string answer = "an answer of " + std::to_string(*length) + " bytes";
        const bool fits =
            *length >= check_->min_reply_length && *length <= check_->max_reply_length;
        finish(fits ? succeeded(answer) : failed(answer));
    }

    const CheckConfig* check_;
    Timer silence_;
};

}  // namespace

std::unique_ptr<Probe> make_udp_probe(const CheckConfig& check, ProbeContext& context) {
    return std::make_unique<UdpProbe>(check, context);
}

}  // namespace pollux::control
