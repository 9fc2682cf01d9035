// SPDX-License-Identifier: Apache-2.0
#include "control/api/api_server.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

namespace pollux::control::api {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kTooMany =
    "{\"schema\":1,\"ok\":false,\"error\":{\"message\":\"too many clients\","
    "\"remedy\":\"close some connections to the control socket\"}}\n";
constexpr std::string_view kTooLong =
    "{\"schema\":1,\"ok\":false,\"error\":{\"message\":\"request too long\",\"remedy\":\"\"}}\n";
constexpr auto kPatrolInterval = std::chrono::seconds(1);

}  // namespace

struct ApiServer::Impl {
    struct Client {
        Client(EventLoop& loop, std::uint64_t number, int descriptor, Role peer_role)
            : id(number),
              fd(descriptor),
              role(peer_role),
              watch(std::make_unique<FdWatch>(loop, descriptor)) {}
        ~Client() {
            watch.reset();
            close(fd);
        }
        Client(const Client&) = delete;
        Client& operator=(const Client&) = delete;

        std::uint64_t id;
        int fd;
        Role role;
        std::string in, out;
        std::size_t sent = 0;
        bool closing = false;  // after the answer
        Clock::time_point deadline;
        std::unique_ptr<FdWatch> watch;
    };
    using Clients = std::list<Client>;

    Impl(EventLoop& event_loop, ControlSocket& listener, ControlSocketOptions socket_options,
         Handler request_handler, const ApiLimits& api_limits)
        : loop(event_loop),
          socket(&listener),
          options(std::move(socket_options)),
          handler(std::move(request_handler)),
          limits(api_limits),
          accept_watch(event_loop, socket->fd()),
          patrol_timer(event_loop, [this] { patrol(); }) {}

    void accept_clients();
    void read(Clients::iterator client);
    void answer_lines(Clients::iterator client);
    void send(Clients::iterator client);
    void patrol();
    // Not from within a callback of the client itself.
    void drop_later(Clients::iterator client);

    EventLoop& loop;
    ControlSocket* socket;
    ControlSocketOptions options;
    Handler handler;
    ApiLimits limits;
    std::uint64_t last_id = 0;
    Clients clients;
    Clients dropped;  // emptied from the loop, so that a client never dies inside its own callback
    FdWatch accept_watch;
    Timer patrol_timer;
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

void ApiServer::Impl::accept_clients() {
    while (true) {
        const int fd = accept4(socket->fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        if (clients.size() >= limits.clients) {
            ::send(fd, kTooMany.data(), kTooMany.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            close(fd);
            continue;
        }
        clients.emplace_back(loop, ++last_id, fd, role_of_peer(fd, options));
        const auto client = std::prev(clients.end());
        client->deadline = Clock::now() + limits.request_time;
        client->watch->on_readable([this, client] { read(client); });
    }
}

void ApiServer::Impl::read(Clients::iterator client) {
    std::array<char, 16 * 1024> buffer;
    const ssize_t length = recv(client->fd, buffer.data(), buffer.size(), 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length <= 0) {
        drop_later(client);
        return;
    }
    if (client->in.empty()) client->deadline = Clock::now() + limits.request_time;
    client->in.append(buffer.data(), static_cast<std::size_t>(length));
    answer_lines(client);
}

// One request at a time: the next line waits until the client has taken the answer.
void ApiServer::Impl::answer_lines(Clients::iterator client) {
    if (!client->out.empty()) return;
    const std::size_t end = client->in.find('\n');
    const std::size_t limit =
        client->role == Role::Admin ? limits.admin_request_bytes : limits.request_bytes;
    if (end == std::string::npos) {
        if (client->in.size() < limit) return;
        client->out = kTooLong;
        client->closing = true;
    } else if (end > limit) {
        client->out = kTooLong;
        client->closing = true;
    } else {
        const std::string line = client->in.substr(0, end);
        client->in.erase(0, end + 1);
        client->out = handler(client->role, line);
    }
    client->sent = 0;
    client->deadline = Clock::now() + limits.answer_time;
    client->watch->on_readable(nullptr);
    send(client);
}

void ApiServer::Impl::send(Clients::iterator client) {
    while (client->sent < client->out.size()) {
        const ssize_t length = ::send(client->fd, client->out.data() + client->sent,
                                      client->out.size() - client->sent, MSG_NOSIGNAL);
        if (length < 0 && errno == EINTR) continue;
        if (length < 0 && errno == EAGAIN) {
            client->watch->on_writable([this, client] { send(client); });
            return;
        }
        if (length <= 0) {
            drop_later(client);
            return;
        }
        client->sent += static_cast<std::size_t>(length);
    }
    client->watch->on_writable(nullptr);
    client->out.clear();
    if (client->closing) {
        drop_later(client);
        return;
    }
    client->deadline = Clock::now() + (client->in.empty() ? limits.idle_time : limits.request_time);
    client->watch->on_readable([this, client] { read(client); });
    if (client->in.empty()) return;
    // From the loop, so that a client with many lines takes turns with everybody else.
    loop.post([this, still = std::weak_ptr<bool>(alive), id = client->id] {
        if (still.expired()) return;
        const auto known = std::find_if(clients.begin(), clients.end(),
                                        [&](const Client& other) { return other.id == id; });
        if (known != clients.end()) answer_lines(known);
    });
}

void ApiServer::Impl::drop_later(Clients::iterator client) {
    client->watch->on_readable(nullptr);
    client->watch->on_writable(nullptr);
    dropped.splice(dropped.end(), clients, client);
    loop.post([this, still = std::weak_ptr<bool>(alive)] {
        if (!still.expired()) dropped.clear();
    });
}

void ApiServer::Impl::patrol() {
    const auto now = Clock::now();
    for (auto client = clients.begin(); client != clients.end();) {
        const auto next = std::next(client);
        if (client->deadline < now) drop_later(client);
        client = next;
    }
}

ApiServer::ApiServer(EventLoop& loop, ControlSocket& socket, ControlSocketOptions options,
                     Handler handler, const ApiLimits& limits)
    : impl_(std::make_unique<Impl>(loop, socket, std::move(options), std::move(handler), limits)) {
    impl_->accept_watch.on_readable([impl = impl_.get()] { impl->accept_clients(); });
    impl_->patrol_timer.start_every(kPatrolInterval);
}

ApiServer::~ApiServer() = default;
std::size_t ApiServer::clients() const {
    return impl_->clients.size();
}

}  // namespace pollux::control::api
