// SPDX-License-Identifier: Apache-2.0
// TCP_CHECK: the server accepts a connection, which is reset at once. Three segments a try (SYN,
// SYN-ACK, RST): the server's program never sees it, and no side keeps a TIME_WAIT.

#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "control/health/connect_poller.h"
#include "control/health/probe_table.h"
#include "control/health/probes/probe_socket.h"

namespace pollux::control {
namespace {

class TcpProbe final : public Probe {
  public:
    TcpProbe(const CheckConfig& check, ProbeContext& context)
        : poller_(&context.connects), check_(&check) {}
    ~TcpProbe() override { TcpProbe::cancel(); }

    void start(const ProbeTry& attempt, Done done) override {
        const ProbeAddresses addresses = addresses_of(*check_, attempt);
        auto socket = open_socket(addresses, SOCK_STREAM, IPPROTO_TCP);
        if (socket) {
            close_by_reset(socket->fd());
            const Status connecting = start_connect(socket->fd(), addresses);
            if (!connecting) socket = connecting.error();
        }
        if (!socket) return done(failed(socket.error().message));
        ticket_ = poller_->wait(socket->fd(), [this](bool connected) { ended(connected); });
        if (ticket_ == ConnectPoller::kNoTicket) return done(failed(error_text(errno)));
        socket_ = std::move(*socket);
        done_ = std::move(done);
    }

    void cancel() override {
        poller_->forget(std::exchange(ticket_, ConnectPoller::kNoTicket));
        socket_.close();
        done_ = {};
    }

  private:
    // A refused option costs segments, nothing else.
    static void close_by_reset(int fd) {
        // The answer to the SYN-ACK may wait: the reset comes before it.
        const int off = 0;
        setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off));
        const linger at_once{1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }

    void ended(bool connected) {
        const std::string error = connected ? "" : pending_error(socket_.fd());
        const Done done = std::move(done_);
        cancel();
        done(error.empty() ? succeeded("connected") : failed(error));
    }

    ConnectPoller* poller_;
    const CheckConfig* check_;
    ProbeSocket socket_;
    ConnectPoller::Ticket ticket_ = ConnectPoller::kNoTicket;
    Done done_;
};

}  // namespace

std::unique_ptr<Probe> make_tcp_probe(const CheckConfig& check, ProbeContext& context) {
    return std::make_unique<TcpProbe>(check, context);
}

}  // namespace pollux::control
