// SPDX-License-Identifier: Apache-2.0
#include "tools/pollux/client.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace pollux::cli {
namespace {

constexpr int kSchemaVersion = 1;
constexpr timeval kPatience{30, 0};

Error connect_error(const std::string& path, int code) {
    const std::string message = "no connection to polluxd at " + path + ": " + strerror(code);
    if (code == EACCES || code == EPERM) {
        return {message, "use sudo, or become a member of the group in [api]"};
    }
    return {message, "is polluxd running? another socket: pollux --socket PATH ..."};
}

}  // namespace

Result<Client> Client::connect(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) return connect_error(path, ENAMETOOLONG);
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return connect_error(path, errno);
    Client client(fd);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        return connect_error(path, errno);
    }
    return client;
}

Client::~Client() {
    if (fd_ >= 0) close(fd_);
}

Client::Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Result<Json> Client::ask(const std::string& command, const Json& args) {
    const Json request{{"schema", kSchemaVersion}, {"command", command}, {"args", args}};
    const std::string line = request.dump() + "\n";
    for (std::size_t sent = 0; sent < line.size();) {
        const ssize_t length = send(fd_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
        if (length <= 0) return Error{std::string("cannot ask polluxd: ") + strerror(errno), ""};
        sent += static_cast<std::size_t>(length);
    }
    std::string answer;
    std::array<char, 64 * 1024> buffer;
    while (answer.empty() || answer.back() != '\n') {
        const ssize_t length = recv(fd_, buffer.data(), buffer.size(), 0);
        if (length == 0) return Error{"polluxd closed the connection", "look into its log"};
        if (length < 0) return Error{std::string("no answer of polluxd: ") + strerror(errno), ""};
        answer.append(buffer.data(), static_cast<std::size_t>(length));
    }
    Json json = Json::parse(answer, nullptr, false);
    if (json.is_discarded() || !json.is_object()) {
        return Error{"the answer of polluxd is not JSON", "is the socket another program's?"};
    }
    return json;
}

}  // namespace pollux::cli
