// SPDX-License-Identifier: Apache-2.0
// TCP_CHECK: a connection that is established and closed again.

#include <netinet/in.h>
#include <sys/socket.h>

#include "control/health/probe_table.h"
#include "control/health/probes/socket_probe.h"

namespace pollux::control {
namespace {

class TcpProbe final : public SocketProbe {
  public:
    TcpProbe(const CheckConfig& check, ProbeContext& context)
        : SocketProbe(context.loop), check_(&check) {}

    void start(bool /*recovering*/, Done done) override {
        if (!open(*check_, SOCK_STREAM, IPPROTO_TCP, std::move(done))) return;
        watch().on_writable([this] { connected(); });
    }

  private:
    void connected() {
        const std::string error = pending_error(fd());
        finish(error.empty() ? succeeded("connected") : failed(error));
    }

    const CheckConfig* check_;
};

}  // namespace

std::unique_ptr<Probe> make_tcp_probe(const CheckConfig& check, ProbeContext& context) {
    return std::make_unique<TcpProbe>(check, context);
}

}  // namespace pollux::control
