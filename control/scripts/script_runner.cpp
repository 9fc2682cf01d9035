// SPDX-License-Identifier: Apache-2.0
#include "control/scripts/script_runner.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include "control/log/log.h"

namespace pollux::control {
namespace {

constexpr auto kRetry = std::chrono::milliseconds(50);

// The helper answers for a job at the latest two seconds after its time limit, when not even
// SIGKILL helped. So many looks later nobody expects that any more. Looks, not time: when this
// process was stopped as well, the helper gets the same chance again.
constexpr auto kKillTime = std::chrono::seconds(2);
constexpr auto kLookInterval = std::chrono::seconds(1);
constexpr unsigned kLateLooks = 5;

constexpr const char* kDied = "the script helper has died";
constexpr const char* kSilent = "the script helper does not answer";

bool is_check(ScriptKind kind) {
    return kind == ScriptKind::Check || kind == ScriptKind::Observe;
}

}  // namespace

ScriptRunner::ScriptRunner(EventLoop& loop, ScriptHelper helper)
    : loop_(&loop),
      helper_(helper),
      retry_(loop, [this] { pump(); }),
      patience_(loop, [this] { look_for_answers(); }) {
    watch_ = std::make_unique<FdWatch>(loop, helper_.socket);
    watch_->on_readable([this] { receive(); });
}

ScriptRunner::~ScriptRunner() {
    watch_.reset();
    if (helper_.socket >= 0) close(helper_.socket);
}

std::uint64_t ScriptRunner::run(ScriptJob job, Done done) {
    job.id = next_id_++;
    const std::uint64_t id = job.id;
    auto& queue = is_check(job.kind) ? checks_ : notifications_;
    queue.push_back({std::move(job), std::move(done)});
    pump();
    return id;
}

void ScriptRunner::forget(std::uint64_t id) {
    if (const auto found = running_.find(id); found != running_.end()) found->second.done = {};
    std::erase_if(checks_, [id](const Waiting& waiting) { return waiting.job.id == id; });
    std::erase_if(notifications_, [id](const Waiting& waiting) { return waiting.job.id == id; });
}

std::size_t ScriptRunner::running(ScriptKind kind) const {
    return static_cast<std::size_t>(std::ranges::count_if(running_, [kind](const auto& entry) {
        return entry.second.kind != ScriptKind::Service &&
               is_check(entry.second.kind) == is_check(kind);
    }));
}

void ScriptRunner::pump() {
    pump_queue(notifications_, ScriptKind::Notify);
    pump_queue(checks_, ScriptKind::Check);
}

void ScriptRunner::pump_queue(std::deque<Waiting>& queue, ScriptKind kind) {
    while (!queue.empty() && (refuses(queue.front().job) || running(kind) < limit_)) {
        Waiting next = std::move(queue.front());
        queue.pop_front();
        if (refuses(next.job)) {
            refuse(std::move(next));
            continue;
        }
        if (!send(next.job)) {
            queue.push_front(std::move(next));
            retry_.start_once(kRetry);
            return;
        }
        const bool limited = next.job.timeout > std::chrono::nanoseconds::zero();
        const auto due =
            limited ? Clock::now() + next.job.timeout + kKillTime : Clock::time_point::max();
        running_.emplace(next.job.id, Running{next.job.kind, due, std::move(next.done)});
        if (limited && !patience_.active()) patience_.start_every(kLookInterval);
    }
}

// What runs without a limit is not waited for: it may be sent to a silent helper.
bool ScriptRunner::refuses(const ScriptJob& job) const {
    return !alive_ || (silent_ && job.timeout > std::chrono::nanoseconds::zero());
}

void ScriptRunner::refuse(Waiting job) {
    // From the loop, so that the caller has stored the id by then.
    loop_->post([done = std::move(job.done), id = job.job.id, cause = alive_ ? kSilent : kDied] {
        if (done) done({id, ScriptEnd::Refused, 0, cause});
    });
}

// False: the socket is full, try again later.
bool ScriptRunner::send(const ScriptJob& job) {
    const std::string message = encode(job);
    const ssize_t sent =
        ::send(helper_.socket, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return true;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR) return false;
    if (errno == EMSGSIZE) {
        loop_->post([this, id = job.id] {
            finish({id, ScriptEnd::Refused, 0, "its arguments are too long"});
        });
        return true;
    }
    helper_died();
    return false;
}

void ScriptRunner::receive() {
    std::array<char, kMaxScriptMessage> buffer{};
    while (alive_) {
        const ssize_t length = recv(helper_.socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (length < 0 && (errno == EAGAIN || errno == EINTR)) break;
        if (length <= 0) {
            helper_died();
            break;
        }
        if (std::exchange(silent_, false)) log::info("the script helper answers again");
        late_looks_ = 0;
        const std::string_view message(buffer.data(), static_cast<std::size_t>(length));
        if (const auto result = decode_result(message)) finish(*result);
    }
    pump();
}

void ScriptRunner::finish(const ScriptResult& result) {
    const auto found = running_.find(result.id);
    if (found == running_.end()) return;
    const Done done = std::move(found->second.done);
    running_.erase(found);
    if (done) done(result);
}

void ScriptRunner::look_for_answers() {
    receive();  // what came while the loop was busy
    const auto is_late = [now = Clock::now()](const auto& entry) { return entry.second.due < now; };
    const auto is_limited = [](const auto& entry) {
        return entry.second.due != Clock::time_point::max();
    };
    late_looks_ = std::ranges::any_of(running_, is_late) ? late_looks_ + 1 : 0;
    if (late_looks_ > kLateLooks) helper_is_silent();
    if (std::ranges::none_of(running_, is_limited)) patience_.cancel();
}

// It may come back: then its answers count again.
void ScriptRunner::helper_is_silent() {
    late_looks_ = 0;
    if (!std::exchange(silent_, true)) {
        log::error("the script helper does not answer, scripts count as failed",
                   {{"pid", helper_.pid},
                    {"remedy", "if it is stopped: kill -CONT its pid; else restart polluxd"}});
    }
    std::vector<std::uint64_t> limited;
    for (const auto& [id, job] : running_) {
        if (job.due != Clock::time_point::max()) limited.push_back(id);
    }
    for (const std::uint64_t id : limited) finish({id, ScriptEnd::Refused, 0, kSilent});
    loop_->post([this] { pump(); });
}

void ScriptRunner::helper_died() {
    if (!alive_) return;
    alive_ = false;
    watch_.reset();
    log::error("the script helper has died, scripts count as failed",
               {{"remedy", "restart polluxd"}});
    while (!running_.empty()) {
        finish({running_.begin()->first, ScriptEnd::Refused, 0, kDied});
    }
    loop_->post([this] { pump(); });
}

}  // namespace pollux::control
