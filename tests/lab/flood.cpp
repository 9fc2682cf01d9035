// SPDX-License-Identifier: Apache-2.0

// flood INTERFACE FRAME RATE SECONDS: sends one frame, given in hexadecimal, RATE times a second
// (0: as fast as it goes) from a station of the laboratory, and prints how many the interface took
// as JSON. Many frames per system call and no queueing discipline, so that the generator takes
// little from the programs under test. SIGTERM ends it early.

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kBatch = 64;
constexpr auto kPause = std::chrono::microseconds(500);
// A generator that was kept from running does not make up for more than this.
constexpr double kMaxDebtSeconds = 0.02;

volatile std::sig_atomic_t stopped = 0;

struct Order {
    const char* interface = nullptr;
    std::vector<std::uint8_t> frame;
    double rate = 0;
    double seconds = 0;
};

struct Outcome {
    std::uint64_t sent = 0;
    std::uint64_t refused = 0;  // by the interface
    std::uint64_t skipped = 0;  // the generator was late
    double seconds = 0;
};

bool read_frame(std::string_view text, std::vector<std::uint8_t>& frame) {
    if (text.size() % 2 != 0 || text.size() < 2 * 14U) return false;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        std::uint8_t byte = 0;
        const char* end = text.data() + i + 2;
        const auto parsed = std::from_chars(text.data() + i, end, byte, 16);
        if (parsed.ec != std::errc() || parsed.ptr != end) return false;
        frame.push_back(byte);
    }
    return true;
}

bool read_order(int argc, char** argv, Order& order) {
    if (argc != 5) return false;
    order.interface = argv[1];
    char* end = nullptr;
    order.rate = std::strtod(argv[3], &end);
    if (*end != '\0' || order.rate < 0) return false;
    order.seconds = std::strtod(argv[4], &end);
    return *end == '\0' && order.seconds > 0 && read_frame(argv[2], order.frame);
}

int open_interface(const char* name) {
    const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    const int on = 1;
    // Without it the frames queue and are sent one by one from a soft interrupt.
    (void)setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(if_nametoindex(name));
    if (address.sll_ifindex == 0 ||
        bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

Outcome flood(int fd, Order& order) {
    iovec data{order.frame.data(), order.frame.size()};
    std::array<mmsghdr, kBatch> batch{};
    for (mmsghdr& each : batch) {
        each.msg_hdr.msg_iov = &data;
        each.msg_hdr.msg_iovlen = 1;
    }
    Outcome outcome;
    double allowed = 0;
    const Clock::time_point start = Clock::now();
    Clock::time_point last = start;
    while (stopped == 0) {
        const Clock::time_point now = Clock::now();
        outcome.seconds = std::chrono::duration<double>(now - start).count();
        if (outcome.seconds >= order.seconds) break;
        allowed += order.rate * std::chrono::duration<double>(now - last).count();
        last = now;
        const double most = std::max(order.rate * kMaxDebtSeconds, 1.0);
        if (allowed > most) {
            outcome.skipped += static_cast<std::uint64_t>(allowed - most);
            allowed = most;
        }
        const unsigned count =
            order.rate == 0
                ? kBatch
                : static_cast<unsigned>(std::min<double>(allowed, static_cast<double>(kBatch)));
        if (count == 0) {
            std::this_thread::sleep_for(kPause);
            continue;
        }
        const int sent = sendmmsg(fd, batch.data(), count, 0);
        const unsigned taken = sent < 0 ? 0 : static_cast<unsigned>(sent);
        outcome.sent += taken;
        outcome.refused += count - taken;
        if (order.rate != 0) allowed -= count;
    }
    return outcome;
}

}  // namespace

int main(int argc, char** argv) {
    Order order;
    if (!read_order(argc, argv, order)) {
        std::fputs("usage: flood INTERFACE FRAME RATE SECONDS\n", stderr);
        return 2;
    }
    const int fd = open_interface(order.interface);
    if (fd < 0) {
        std::fprintf(stderr, "flood: cannot send on %s: %s\n", order.interface,
                     std::strerror(errno));
        return 1;
    }
    std::signal(SIGTERM, [](int) { stopped = 1; });
    const Outcome outcome = flood(fd, order);
    close(fd);
    std::printf("{\"sent\": %llu, \"refused\": %llu, \"skipped\": %llu, \"seconds\": %.3f}\n",
                static_cast<unsigned long long>(outcome.sent),
                static_cast<unsigned long long>(outcome.refused),
                static_cast<unsigned long long>(outcome.skipped), outcome.seconds);
    return 0;
}
