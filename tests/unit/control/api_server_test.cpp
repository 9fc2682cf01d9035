// SPDX-License-Identifier: Apache-2.0
#include "control/api/api_server.h"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace pollux::control::api {
namespace {

// A socket in a folder of its own, and a server that answers "<line>!\n".
class ApiServerTest : public ::testing::Test {
  protected:
    ApiServerTest() {
        char name[] = "/tmp/pollux-api-XXXXXX";
        folder_ = mkdtemp(name);
        options_.path = folder_ + "/run/control.sock";
    }
    ~ApiServerTest() override {
        server_.reset();
        socket_.reset();
        std::filesystem::remove_all(folder_);
    }

    void start(const ApiLimits& limits = {}) {
        auto socket = ControlSocket::open(options_);
        ASSERT_TRUE(socket.ok()) << socket.error().message;
        socket_ = std::move(socket).value();
        server_.emplace(
            loop_, *socket_, options_,
            [this](Role role, std::string_view line) {
                role_ = role;
                return std::string(line) + answer_end_;
            },
            limits);
    }

    int connect() const {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        options_.path.copy(address.sun_path, sizeof(address.sun_path) - 1);
        const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
        return fd;
    }

    void turn() {
        for (int i = 0; i < 20; ++i) loop_.run_ready();
    }

    static std::string receive(int fd) {
        char buffer[4096];
        const ssize_t length = recv(fd, buffer, sizeof(buffer), 0);
        return length > 0 ? std::string(buffer, static_cast<std::size_t>(length)) : "";
    }

    std::string folder_;
    ControlSocketOptions options_;
    EventLoop loop_;
    std::unique_ptr<ControlSocket> socket_;
    std::optional<ApiServer> server_;
    std::string answer_end_ = "!\n";
    Role role_ = Role::None;
};

TEST_F(ApiServerTest, AnswersEachLineInOrder) {
    start();
    const int fd = connect();
    ASSERT_EQ(send(fd, "one\ntwo\nthr", 11, 0), 11);
    turn();
    ASSERT_EQ(send(fd, "ee\n", 3, 0), 3);
    turn();

    EXPECT_EQ(receive(fd), "one!\ntwo!\nthree!\n");
    EXPECT_EQ(role_, Role::Admin);
    close(fd);
}

TEST_F(ApiServerTest, EndlessRequestIsCutOff) {
    ApiLimits limits;
    limits.admin_request_bytes = 1000;
    start(limits);
    const int fd = connect();
    const std::string endless(2000, 'x');
    ASSERT_EQ(send(fd, endless.data(), endless.size(), 0), 2000);
    turn();

    EXPECT_NE(receive(fd).find("request too long"), std::string::npos);
    char byte = 0;
    EXPECT_EQ(recv(fd, &byte, 1, 0), 0);
    EXPECT_EQ(server_->clients(), 0U);
    close(fd);
}

TEST_F(ApiServerTest, ClientThatDoesNotReadDelaysNobody) {
    answer_end_ = std::string(4'000'000, 'y') + "\n";
    start();
    const int slow = connect();
    ASSERT_EQ(send(slow, "a\nb\nc\n", 6, 0), 6);
    turn();
    answer_end_ = "!\n";
    const int quick = connect();
    ASSERT_EQ(send(quick, "hello\n", 6, 0), 6);
    turn();

    EXPECT_EQ(receive(quick), "hello!\n");
    close(slow);
    close(quick);
}

TEST_F(ApiServerTest, OneClientTooManyIsToldSo) {
    ApiLimits limits;
    limits.clients = 1;
    start(limits);
    const int first = connect();
    const int second = connect();
    turn();

    EXPECT_NE(receive(second).find("too many clients"), std::string::npos);
    EXPECT_EQ(server_->clients(), 1U);
    close(first);
    close(second);
}

TEST_F(ApiServerTest, ClosedConnectionIsForgotten) {
    start();
    const int fd = connect();
    turn();
    EXPECT_EQ(server_->clients(), 1U);
    close(fd);
    turn();
    EXPECT_EQ(server_->clients(), 0U);
}

TEST_F(ApiServerTest, SocketIsNotForOthersAndGoesWithTheServer) {
    start();
    struct stat info {};
    ASSERT_EQ(stat(options_.path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0660U);
    ASSERT_EQ(stat((folder_ + "/run").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0750U);
    server_.reset();
    socket_.reset();
    EXPECT_FALSE(std::filesystem::exists(options_.path));
}

TEST_F(ApiServerTest, SecondInstanceIsRefusedAndAStaleSocketReplaced) {
    start();
    const auto second = ControlSocket::open(options_);
    ASSERT_FALSE(second.ok());
    EXPECT_NE(second.error().message.find("another polluxd"), std::string::npos);
    EXPECT_FALSE(second.error().remedy.empty());

    // A dead process leaves its socket behind: as if nobody listened at this one any more.
    const std::string kept = options_.path + ".kept";
    std::filesystem::rename(options_.path, kept);
    server_.reset();
    socket_.reset();
    std::filesystem::rename(kept, options_.path);
    EXPECT_TRUE(ControlSocket::open(options_).ok());
}

TEST_F(ApiServerTest, OtherKindsOfFilesAreLeftAlone) {
    std::filesystem::create_directories(folder_ + "/run");
    std::FILE* file = std::fopen(options_.path.c_str(), "w");
    std::fclose(file);

    EXPECT_FALSE(ControlSocket::open(options_).ok());
    EXPECT_TRUE(std::filesystem::exists(options_.path));
}

}  // namespace
}  // namespace pollux::control::api
