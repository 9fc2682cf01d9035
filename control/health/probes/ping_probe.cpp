// SPDX-License-Identifier: Apache-2.0
// PING_CHECK: one ICMP echo request (RFC 792, RFC 4443 section 4).

#include <array>
#include <cstdlib>
#include <cstring>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include "control/health/probe_table.h"
#include "control/health/probes/socket_probe.h"
#include "dataplane/net/checksum.h"

namespace pollux::control {
namespace {

//  0  type   1  code   2  checksum   4  identifier   6  sequence   8  data
constexpr std::size_t kHeaderSize = 8;
constexpr std::size_t kDataSize = 24;
constexpr std::uint8_t kRequestV4 = ICMP_ECHO, kReplyV4 = ICMP_ECHOREPLY;
constexpr std::uint8_t kRequestV6 = ICMP6_ECHO_REQUEST, kReplyV6 = ICMP6_ECHO_REPLY;
using Echo = std::array<std::uint8_t, kHeaderSize + kDataSize>;

class PingProbe final : public SocketProbe {
  public:
    explicit PingProbe(ProbeContext& context) : SocketProbe(context.loop) {}

    void start(const ProbeTry& attempt, Done done) override {
        const bool v6 = attempt.target.is_v6();
        v6_ = v6;
        const int protocol = v6 ? int{IPPROTO_ICMPV6} : int{IPPROTO_ICMP};
        if (!open({attempt.target, 0, attempt.source, 0}, SOCK_RAW, protocol, std::move(done)))
            return;
        take_answers_only(v6);
        make_request(v6);
        if (!send_all(echo_.data(), echo_.size())) return;
        watch().on_readable([this] { receive(); });
    }

  private:
    // Identifier and data are random: nobody else's answer is taken for ours.
    void make_request(bool v6) {
        arc4random_buf(echo_.data(), echo_.size());
        echo_[0] = v6 ? kRequestV6 : kRequestV4;
        echo_[1] = echo_[2] = echo_[3] = 0;
        // The kernel does it for ICMPv6.
        const std::uint16_t checksum = net::internet_checksum(echo_).wire();
        std::memcpy(&echo_[2], &checksum, sizeof(checksum));
    }

    void take_answers_only(bool v6) {
        if (v6) {
            icmp6_filter filter{};
            ICMP6_FILTER_SETBLOCKALL(&filter);
            ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
            setsockopt(fd(), IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
        } else {
            const std::uint32_t blocked = ~(1U << static_cast<unsigned>(ICMP_ECHOREPLY));
            constexpr int kIcmpFilter = 1;  // ICMP_FILTER of linux/icmp.h
            setsockopt(fd(), SOL_RAW, kIcmpFilter, &blocked, sizeof(blocked));
        }
    }

    void receive() {
        std::array<std::uint8_t, 256> buffer{};
        const auto size = receive_some(buffer.data(), buffer.size());
        if (!size) return;
        // An IPv4 raw socket gives the IP header, too.
        const std::size_t start = v6_ ? 0 : std::size_t{buffer[0] & 0x0fU} * 4;
        if (*size < start + echo_.size()) return;
        const std::uint8_t reply = v6_ ? kReplyV6 : kReplyV4;
        const bool ours = buffer.at(start) == reply &&
                          std::memcmp(&buffer.at(start + 4), &echo_[4], echo_.size() - 4) == 0;
        if (ours) finish(succeeded("echo reply"));
    }

    bool v6_ = false;
    Echo echo_{};
};

}  // namespace

std::unique_ptr<Probe> make_ping_probe(const CheckConfig& /*check*/, ProbeContext& context) {
    return std::make_unique<PingProbe>(context);
}

}  // namespace pollux::control
