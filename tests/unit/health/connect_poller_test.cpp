// SPDX-License-Identifier: Apache-2.0
// Sockets on their way to the loopback interface.

#include "control/health/connect_poller.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pollux::control {
namespace {

// A TCP port of this host: one that listens, or one that nobody has.
class LocalPort {
  public:
    explicit LocalPort(bool listening) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address_), sizeof(address_)), 0);
        socklen_t length = sizeof(address_);
        EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address_), &length), 0);
        if (listening) {
            EXPECT_EQ(listen(fd_, 128), 0);
        }
    }
    ~LocalPort() { close(fd_); }
    LocalPort(const LocalPort&) = delete;
    LocalPort& operator=(const LocalPort&) = delete;

    // A socket that connects to it; the caller closes it.
    [[nodiscard]] int connecting() const {
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        static_cast<void>(
            connect(fd, reinterpret_cast<const sockaddr*>(&address_), sizeof(address_)));
        return fd;
    }

  private:
    sockaddr_in address_{};
    int fd_;
};

TEST(ConnectPoller, TellsConnectedFromRefusedOnceEach) {
    EventLoop loop;
    ConnectPoller poller(loop);
    const LocalPort open(true), shut(false);
    const int good = open.connecting(), bad = shut.connecting();
    std::vector<std::pair<char, bool>> seen;
    ASSERT_NE(poller.wait(good, [&](bool ok) { seen.emplace_back('g', ok); }),
              ConnectPoller::kNoTicket);
    ASSERT_NE(poller.wait(bad, [&](bool ok) { seen.emplace_back('b', ok); }),
              ConnectPoller::kNoTicket);
    for (int i = 0; i < 10; ++i) loop.run_ready();
    std::ranges::sort(seen);
    EXPECT_EQ(seen, (std::vector<std::pair<char, bool>>{{'b', false}, {'g', true}}));
    close(good);
    close(bad);
}

TEST(ConnectPoller, NobodyIsCalledAfterForget) {
    EventLoop loop;
    ConnectPoller poller(loop);
    const LocalPort open(true);
    const int fd = open.connecting();
    bool called = false;
    poller.forget(poller.wait(fd, [&](bool) { called = true; }));
    for (int i = 0; i < 10; ++i) loop.run_ready();
    EXPECT_FALSE(called);
    close(fd);
}

// The event of the first socket is in the same batch as the one whose callback forgets it.
TEST(ConnectPoller, ACallbackMayForgetAnotherThatIsReady) {
    EventLoop loop;
    ConnectPoller poller(loop);
    const LocalPort open(true);
    const int fds[] = {open.connecting(), open.connecting()};
    ConnectPoller::Ticket tickets[2] = {};
    int calls = 0;
    for (int i = 0; i < 2; ++i) {
        tickets[i] = poller.wait(fds[i], [&, i](bool) {
            ++calls;
            poller.forget(tickets[1 - i]);
        });
    }
    for (int i = 0; i < 10; ++i) loop.run_ready();
    EXPECT_EQ(calls, 1);
    for (const int fd : fds) close(fd);
}

TEST(ConnectPoller, AForgottenPlaceServesTheNextSocket) {
    EventLoop loop;
    ConnectPoller poller(loop);
    const LocalPort open(true);
    const int first = open.connecting();
    const ConnectPoller::Ticket old = poller.wait(first, [](bool) {});
    poller.forget(old);
    close(first);
    const int second = open.connecting();
    int calls = 0;
    ASSERT_NE(poller.wait(second, [&](bool) { ++calls; }), old);
    poller.forget(old);  // of somebody who came before
    for (int i = 0; i < 10; ++i) loop.run_ready();
    EXPECT_EQ(calls, 1);
    close(second);
}

TEST(ConnectPoller, ADescriptorThatIsNoneIsRefused) {
    EventLoop loop;
    ConnectPoller poller(loop);
    EXPECT_EQ(poller.wait(-1, [](bool) {}), ConnectPoller::kNoTicket);
}

}  // namespace
}  // namespace pollux::control
