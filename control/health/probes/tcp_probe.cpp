// SPDX-License-Identifier: Apache-2.0
// TCP_CHECK: a connection that is established and closed again.

#include <netinet/in.h>
#include <sys/socket.h>

#include "control/health/probe_table.h"
#include "control/health/probes/probe_socket.h"

namespace pollux::control {
namespace {

class TcpProbe final : public Probe {
  public:
    TcpProbe(const CheckConfig& check, ProbeContext& context)
        : check_(&check), loop_(&context.loop) {}
    ~TcpProbe() override { TcpProbe::cancel(); }

    void start(bool /*recovering*/, Done done) override {
        auto socket = connect_socket(*check_, SOCK_STREAM, IPPROTO_TCP);
        if (!socket) {
            done(failed(socket.error().message));
            return;
        }
        socket_ = std::move(*socket);
        done_ = std::move(done);
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
        const Done done = std::move(done_);
        cancel();
        done(error.empty() ? succeeded("connected") : failed(error));
    }

    const CheckConfig* check_;
    EventLoop* loop_;
    ProbeSocket socket_;
    std::unique_ptr<FdWatch> watch_;
    Done done_;
};

}  // namespace

std::unique_ptr<Probe> make_tcp_probe(const CheckConfig& check, ProbeContext& context) {
    return std::make_unique<TcpProbe>(check, context);
}

}  // namespace pollux::control
