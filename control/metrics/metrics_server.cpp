// SPDX-License-Identifier: Apache-2.0
#include "control/metrics/metrics_server.h"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <csignal>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#include <sys/resource.h>

#include "control/metrics/render_metrics.h"

namespace pollux::control {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using beast::error_code;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int kNice = 10;
// After an accept that failed (no file descriptor left).
constexpr auto kAcceptPause = std::chrono::milliseconds(200);
constexpr std::string_view kOpenMetricsType = "application/openmetrics-text";

MetricsFormat wanted_format(std::string_view accept) {
    return accept.find(kOpenMetricsType) != std::string_view::npos ? MetricsFormat::OpenMetrics
                                                                   : MetricsFormat::Prometheus;
}

using Text = std::shared_ptr<const std::string>;

}  // namespace

// What the sessions share. Only the server's thread touches it while that runs.
struct MetricsServer::Impl : std::enable_shared_from_this<MetricsServer::Impl> {
    class Session;
    using Waiting = std::function<void(bool ready)>;

    explicit Impl(Collect its) : collect(std::move(its)) {}

    Status listen(const net::IpAddress& address, std::uint16_t port);
    void run();
    void accept();
    // Calls back when the texts are fresh, or with false when the control core does not answer.
    void refresh(Waiting waiting);
    void finish(bool ready);
    void take(std::shared_ptr<const MetricsState> filled);
    Text text(MetricsFormat format);

    Collect collect;
    unsigned connections = 0;  // sessions count themselves out when the context goes
    asio::io_context context{1};
    tcp::acceptor acceptor{context};
    asio::steady_timer accept_timer{context};
    asio::steady_timer collect_timer{context};
    std::thread thread;
    bool collecting = false;
    std::uint64_t collection = 0;
    std::vector<Waiting> waiting;
    std::shared_ptr<const MetricsState> state;
    Clock::time_point filled_at{};
    std::array<Text, 2> texts;  // by format, of `state`
};

// One connection, one request.
class MetricsServer::Impl::Session : public std::enable_shared_from_this<Session> {
  public:
    Session(Impl& server, tcp::socket socket) : server_(&server), stream_(std::move(socket)) {
        ++server_->connections;
        parser_.header_limit(kMaxHeader);
        parser_.body_limit(0);
    }
    ~Session() { --server_->connections; }

    void read() {
        stream_.expires_after(kHeaderTime);
        http::async_read(
            stream_, buffer_, parser_,
            [self = shared_from_this()](error_code error, std::size_t) { self->received(error); });
    }

  private:
    void received(error_code error) {
        if (error == beast::error::timeout || error == http::error::end_of_stream) return;
        if (error == http::error::header_limit) {
            return answer(http::status::request_header_fields_too_large, "header too large\n");
        }
        if (error) return answer(http::status::bad_request, "not understood\n");
        const auto& request = parser_.get();
        head_ = request.method() == http::verb::head;
        if (request.method() != http::verb::get && !head_) {
            return answer(http::status::method_not_allowed, "only GET and HEAD\n");
        }
        const std::string_view target(request.target().data(), request.target().size());
        if (target.substr(0, target.find('?')) != "/metrics") {
            return answer(http::status::not_found, "see /metrics\n");
        }
        const auto accept = request[http::field::accept];
        format_ = wanted_format({accept.data(), accept.size()});
        stream_.expires_never();
        server_->refresh([self = shared_from_this()](bool ready) { self->refreshed(ready); });
    }

    void refreshed(bool ready) {
        if (!ready) {
            return answer(http::status::service_unavailable, "the control core does not answer\n");
        }
        text_ = server_->text(format_);
        send(http::status::ok, content_type(format_));
    }

    void answer(http::status status, const char* text) {
        text_ = std::make_shared<const std::string>(text);
        send(status, "text/plain; charset=utf-8");
    }

    void send(http::status status, std::string_view type) {
        response_.result(status);
        response_.version(11);
        response_.set(http::field::content_type, beast::string_view(type.data(), type.size()));
        response_.set(http::field::connection, "close");
        if (status == http::status::method_not_allowed) {
            response_.set(http::field::allow, "GET, HEAD");
        }
        response_.content_length(text_->size());
        stream_.expires_after(kAnswerTime);
        // The body is shared with other sessions: span_body does not own it.
        if (!head_) response_.body() = beast::span<const char>(text_->data(), text_->size());
        serializer_.emplace(response_);
        serializer_->split(head_);
        const auto done = [self = shared_from_this()](error_code, std::size_t) { self->close(); };
        if (head_) {
            http::async_write_header(stream_, *serializer_, done);
        } else {
            http::async_write(stream_, *serializer_, done);
        }
    }

    void close() {
        error_code ignored;
        stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    }

    Impl* server_;  // outlives its context, which holds the sessions
    beast::tcp_stream stream_;
    beast::flat_static_buffer<kMaxHeader + 1024> buffer_;
    http::request_parser<http::empty_body> parser_;
    http::response<http::span_body<const char>> response_;
    std::optional<http::response_serializer<http::span_body<const char>>> serializer_;
    Text text_;
    MetricsFormat format_ = MetricsFormat::Prometheus;
    bool head_ = false;
};

Status MetricsServer::Impl::listen(const net::IpAddress& address, std::uint16_t port) {
    error_code error;
    const auto ip = asio::ip::make_address(address.to_string(), error);
    const tcp::endpoint endpoint(ip, port);
    if (!error) acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && address.is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(kMaxConnections, error);
    if (!error) return ok_status();
    return Error{
        "cannot listen on " + net::endpoint(address, port) + " for metrics: " + error.message(),
        "choose an address of this host and a free port: [api] metrics_listen"};
}

void MetricsServer::Impl::accept() {
    acceptor.async_accept([this](error_code error, tcp::socket socket) {
        if (error == asio::error::operation_aborted) return;
        if (error) {
            accept_timer.expires_after(kAcceptPause);
            accept_timer.async_wait([this](error_code stopped) {
                if (!stopped) accept();
            });
            return;
        }
        // Beyond the limit the socket closes here.
        if (connections < kMaxConnections) {
            std::make_shared<Session>(*this, std::move(socket))->read();
        }
        accept();
    });
}

void MetricsServer::Impl::refresh(Waiting each) {
    if (state && Clock::now() - filled_at < kFresh) return each(true);
    waiting.push_back(std::move(each));
    if (collecting) return;
    collecting = true;
    collect_timer.expires_after(kCollectTime);
    collect_timer.async_wait([this](error_code stopped) {
        if (!stopped) finish(false);
    });
    // The state is let go of on this thread even when it comes too late.
    collect([weak = weak_from_this(), asked = ++collection](auto filled) {
        const auto self = weak.lock();
        if (!self) return;
        asio::post(self->context, [weak, asked, filled = std::move(filled)]() mutable {
            const auto server = weak.lock();
            const bool wanted = server && asked == server->collection && server->collecting;
            if (wanted) server->take(std::move(filled));
        });
    });
}

void MetricsServer::Impl::take(std::shared_ptr<const MetricsState> filled) {
    state = std::move(filled);
    filled_at = Clock::now();
    texts = {};
    collect_timer.cancel();
    finish(true);
}

void MetricsServer::Impl::finish(bool ready) {
    collecting = false;
    for (const Waiting& each : std::exchange(waiting, {})) each(ready);
}

Text MetricsServer::Impl::text(MetricsFormat format) {
    Text& kept = texts.at(static_cast<std::size_t>(format));
    if (!kept) kept = std::make_shared<const std::string>(render_metrics(*state, format));
    return kept;
}

void MetricsServer::Impl::run() {
    // Linux: of the calling thread alone.
    setpriority(PRIO_PROCESS, 0, kNice);
    pthread_setname_np(pthread_self(), "metrics");
    context.run();
}

MetricsServer::MetricsServer() = default;

Result<std::unique_ptr<MetricsServer>> MetricsServer::start(const net::IpAddress& address,
                                                            std::uint16_t port, Collect collect) {
    std::unique_ptr<MetricsServer> server(new MetricsServer());
    server->impl_ = std::make_shared<Impl>(std::move(collect));
    Impl& impl = *server->impl_;
    if (const Status listening = impl.listen(address, port); !listening) return listening.error();
    impl.accept();
    // Signals are the control thread's.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    impl.thread = std::thread([&impl] { impl.run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return server;
}

MetricsServer::~MetricsServer() {
    if (!impl_ || !impl_->thread.joinable()) return;
    asio::post(impl_->context, [impl = impl_.get()] {
        error_code ignored;
        impl->acceptor.close(ignored);
        impl->waiting.clear();
        impl->context.stop();
    });
    impl_->thread.join();
}

}  // namespace pollux::control
