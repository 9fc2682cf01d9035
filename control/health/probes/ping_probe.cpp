// SPDX-License-Identifier: Apache-2.0
// PING_CHECK: one ICMP echo request (RFC 792, RFC 4443 section 4).

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include "control/health/probe_table.h"
#include "control/health/probes/probe_socket.h"

namespace pollux::control {
namespace {

//  0  type   1  code   2  checksum   4  identifier   6  sequence   8  data
constexpr std::size_t kHeaderSize = 8;
constexpr std::size_t kDataSize = 24;
constexpr std::uint8_t kRequestV4 = ICMP_ECHO, kReplyV4 = ICMP_ECHOREPLY;
constexpr std::uint8_t kRequestV6 = ICMP6_ECHO_REQUEST, kReplyV6 = ICMP6_ECHO_REPLY;
using Echo = std::array<std::uint8_t, kHeaderSize + kDataSize>;

// RFC 1071. Bytes in network order.
void set_checksum(Echo& echo) {
    echo[2] = echo[3] = 0;
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < echo.size(); i += 2) {
        sum += (std::uint32_t{echo[i]} << 8U) | echo[i + 1];
    }
    while ((sum >> 16U) != 0) sum = (sum & 0xffffU) + (sum >> 16U);
    const std::uint32_t value = ~sum;
    echo[2] = static_cast<std::uint8_t>(value >> 8U);
    echo[3] = static_cast<std::uint8_t>(value);
}

class PingProbe final : public Probe {
  public:
    PingProbe(const CheckConfig& check, ProbeContext& context)
        : check_(check), loop_(&context.loop) {
        check_.connect_port = 0;  // of no meaning for a raw socket
        check_.bind_port = 0;
    }
    ~PingProbe() override { PingProbe::cancel(); }

    void start(bool /*recovering*/, Done done) override {
        const bool v6 = check_.connect_ip.is_v6();
        auto socket =
            connect_socket(check_, SOCK_RAW, v6 ? int{IPPROTO_ICMPV6} : int{IPPROTO_ICMP});
        if (!socket) {
            done(failed(socket.error().message));
            return;
        }
        socket_ = std::move(*socket);
        take_answers_only(v6);
        make_request(v6);
        if (send(socket_.fd(), echo_.data(), echo_.size(), MSG_NOSIGNAL) < 0) {
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
    // Identifier and data are random: nobody else's answer is taken for ours.
    void make_request(bool v6) {
        arc4random_buf(echo_.data(), echo_.size());
        echo_[0] = v6 ? kRequestV6 : kRequestV4;
        echo_[1] = 0;
        // The kernel does it for ICMPv6.
        set_checksum(echo_);
    }

    void take_answers_only(bool v6) {
        if (v6) {
            icmp6_filter filter{};
            ICMP6_FILTER_SETBLOCKALL(&filter);
            ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
            setsockopt(socket_.fd(), IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
        } else {
            const std::uint32_t blocked = ~(1U << static_cast<unsigned>(ICMP_ECHOREPLY));
            constexpr int kIcmpFilter = 1;  // ICMP_FILTER of linux/icmp.h
            setsockopt(socket_.fd(), SOL_RAW, kIcmpFilter, &blocked, sizeof(blocked));
        }
    }

    void receive() {
        std::array<std::uint8_t, 256> buffer{};
        const ssize_t length = recv(socket_.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (length < 0) {
            finish(failed(error_text(errno)));
            return;
        }
        // An IPv4 raw socket gives the IP header, too.
        const auto size = static_cast<std::size_t>(length);
        const bool v6 = check_.connect_ip.is_v6();
        const std::size_t start = v6 ? 0 : std::size_t{buffer[0] & 0x0fU} * 4;
        if (size < start + echo_.size()) return;
        const std::uint8_t reply = v6 ? kReplyV6 : kReplyV4;
        const bool ours = buffer.at(start) == reply &&
                          std::memcmp(&buffer.at(start + 4), &echo_[4], echo_.size() - 4) == 0;
        if (ours) finish(succeeded("echo reply"));
    }

    void finish(ProbeResult result) {
        const Done done = std::move(done_);
        cancel();
        done(std::move(result));
    }

    CheckConfig check_;
    EventLoop* loop_;
    Echo echo_{};
    ProbeSocket socket_;
    std::unique_ptr<FdWatch> watch_;
    Done done_;
};

}  // namespace

std::unique_ptr<Probe> make_ping_probe(const CheckConfig& check, ProbeContext& context) {
    return std::make_unique<PingProbe>(check, context);
}

}  // namespace pollux::control
