// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/connect_floor.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pollux::bench {
namespace {

constexpr unsigned kAtOnce = 256;
constexpr std::uint16_t kPort = 80;
constexpr int kPatienceMs = 1000;

struct Plan {
    std::uint32_t first = 0;  // host order
    std::uint32_t addresses = 0;
    unsigned seconds = 0;
};

template <typename Number>
bool read_number(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() && number > 0;
}

std::optional<Plan> read_plan(std::span<const std::string_view> arguments) {
    Plan plan;
    in_addr first{};
    const bool fine = arguments.size() == 3 &&
                      inet_pton(AF_INET, std::string(arguments[0]).c_str(), &first) == 1 &&
                      read_number(arguments[1], plan.addresses) &&
                      read_number(arguments[2], plan.seconds);
    if (!fine) return std::nullopt;
    plan.first = ntohl(first.s_addr);
    return plan;
}

// The system calls of a TCP_CHECK up to the wait. False: errno says why.
bool open_one(int epoll, std::uint32_t address) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0) return false;
    const int off = 0;
    const linger at_once{1, 0};
    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off));
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    sockaddr_in target{};
    target.sin_family = AF_INET;
    target.sin_port = htons(kPort);
    target.sin_addr.s_addr = htonl(address);
    epoll_event event{};
    event.events = EPOLLOUT | EPOLLONESHOT;
    event.data.fd = fd;
    const bool started =
        (connect(fd, reinterpret_cast<const sockaddr*>(&target), sizeof(target)) == 0 ||
         errno == EINPROGRESS) &&
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
    if (!started) close(fd);
    return started;
}

struct Outcome {
    std::uint64_t done = 0, failed = 0;
    double seconds = 0;
};

// Nothing: the system refused a call; errno says why.
std::optional<Outcome> connect_for(const Plan& plan, int epoll) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    const Clock::time_point end = start + std::chrono::seconds(plan.seconds);
    Outcome outcome;
    std::uint32_t next = 0;
    unsigned open = 0;
    std::array<epoll_event, kAtOnce> events;
    while (Clock::now() < end) {
        for (; open < kAtOnce; ++open) {
            if (!open_one(epoll, plan.first + next)) return std::nullopt;
            next = (next + 1) % plan.addresses;
        }
        const int count = epoll_wait(epoll, events.data(), kAtOnce, kPatienceMs);
        if (count < 0 && errno != EINTR) return std::nullopt;
        for (int i = 0; i < count; ++i) {
            const epoll_event& event = events[static_cast<unsigned>(i)];
            ++((event.events & (EPOLLERR | EPOLLHUP)) == 0 ? outcome.done : outcome.failed);
            close(event.data.fd);
            --open;
        }
    }
    outcome.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return outcome;
}

}  // namespace

int run_connects(std::span<const std::string_view> arguments) {
    const auto plan = read_plan(arguments);
    if (!plan) {
        std::fprintf(stderr,
                     "usage: pollux-bench connects FIRST-IPV4-ADDRESS ADDRESSES SECONDS\n"
                     "opens and resets TCP connections to port 80 of that many addresses\n");
        return 2;
    }
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    const auto outcome = connect_for(*plan, epoll);
    if (!outcome) {
        std::fprintf(stderr, "error: the system refused a connection: %s\n", strerror(errno));
        close(epoll);
        return 1;
    }
    close(epoll);
    std::printf("{\"connections\": %llu, \"failed\": %llu, \"per_second\": %.0f}\n",
                static_cast<unsigned long long>(outcome->done),
                static_cast<unsigned long long>(outcome->failed),
                static_cast<double>(outcome->done) / outcome->seconds);
    return outcome->done > 0 ? 0 : 1;
}

}  // namespace pollux::bench
