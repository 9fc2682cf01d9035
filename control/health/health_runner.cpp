// SPDX-License-Identifier: Apache-2.0

// Probes and time of control/health/health_runner.h; health_actions.cpp carries decisions out.

#include "control/health/health_runner.h"

#include <algorithm>
#include <utility>

#include <sys/resource.h>

#include "control/director/director.h"
#include "control/health/check_key.h"
#include "control/health/probe_table.h"
#include "control/log/log.h"

namespace pollux::control {
namespace {

using namespace std::chrono_literals;

// Tries begun or ended by the clock in one turn of the loop; other callbacks run in between.
constexpr unsigned kWorkPerTurn = 16;
// Servers that a turn of the loop takes over from a new configuration.
constexpr std::size_t kServersPerTurn = 128;
// A try that begins later than this after its time counts as late.
constexpr auto kLate = 100ms;
// Tries at once: each holds a socket. The process may need others.
constexpr std::size_t kMaxRunning = 16384;
constexpr std::size_t kReservedFiles = 256;
// Turns come this far apart unless there is more to do, so that what is due at about the same time
// shares the cost of waking up.
constexpr auto kGrain = 1ms;
// When too many run, those that are due wait for so long.
constexpr auto kFullPause = 20ms;
constexpr auto kAddressInterval = 200ms;

// Raises the limit of open files as far as it goes and tells how many tries may run at once.
std::size_t raise_file_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kReservedFiles;
    const rlim_t wanted = std::min<rlim_t>(limit.rlim_max, kMaxRunning + kReservedFiles);
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) getrlimit(RLIMIT_NOFILE, &limit);
    }
    const std::size_t files = limit.rlim_cur;
    return std::clamp<std::size_t>(files > kReservedFiles ? files - kReservedFiles : files / 2, 1,
                                   kMaxRunning);
}

// Whether the file gives the address to a port: then it is always here.
bool is_port_address(const Config& config, const net::IpAddress& address) {
    return std::ranges::any_of(config.ports, [&address](const PortConfig& port) {
        return std::ranges::any_of(
            port.address, [&address](const net::IpPrefix& own) { return own.address == address; });
    });
}

// Whether the operator's word means this check.
bool means(const std::string& name, const CheckConfig& check) {
    return name == describe(check) || name == to_string(check.type) ||
           name == check.connect_ip.to_string() ||
           name == endpoint(check.connect_ip, check.connect_port) ||
           (check.via && name == check.via->server.to_string());
}

}  // namespace

struct HealthRunner::Entry {
    explicit Entry(const HealthBoard::NewCheck& check)
        : id(check.id), config(check.config), state(config, check.up) {}

    CheckId id;
    CheckConfig config;
    CheckState state;
    std::unique_ptr<Probe> probe;  // refers to `config`
    // With check_via = "service": what the probe connects to, or why there is none.
    std::optional<Result<net::IpAddress>> stand_in;
    bool running = false;
    bool stretched = false;   // the running try
    TryLimit limit;           // of the running try
    lb::TimePoint due{};      // of the next try
    lb::TimePoint started{};  // of the running or last try
    lb::TimePoint paced{};  // when it was due, unless that was long before: the next counts from it
    std::optional<Duration> took;
    std::string last = "not tried yet";
    CheckReading reading;  // as the board knows it
    std::uint64_t tries = 0;
    std::uint64_t failures = 0;
    std::optional<int> certificate_days;
    std::optional<std::uint16_t> weight;  // of the last good try
    int weight_change = 0;
    std::vector<TryDone> waiting;  // who asked for this try
};

HealthRunner::HealthRunner(Director& director, ScriptRunner& scripts, CurlLoop& curl)
    : director_(&director),
      connects_(director.loop()),
      context_{director.loop(), scripts, curl, connects_, trust_, script_settings_, track_files_},
      notifier_(scripts),
      board_(director.servers()),
      random_(std::random_device{}()),
      timer_(director.loop(), [this] { turn(); }),
      address_timer_(director.loop(), [this] { look_at_addresses(); }),
      configure_timer_(director.loop(), [this] { configure_later(); }),
      most_running_(raise_file_limit()) {
    configure(director.config(), {});
    while (configure_on()) {
    }
}

HealthRunner::~HealthRunner() = default;

void HealthRunner::start() {
    started_ = true;
    look_at_addresses();
    address_timer_.start_every(kAddressInterval);
    const lb::TimePoint now = director_->now();
    std::uniform_real_distribution<double> share(0.0, 1.0);
    for (const auto& entry : entries_) {
        if (!entry) continue;
        entry->due = entry->state.first_try(now, share(random_));
        schedule_.set(entry->id, entry->due);
    }
    director_->publish_soon();
    set_timer();
}

Status HealthRunner::check(const ReloadPlan& next) {
    // What the last reload has left to do refers to its configuration, which ends now.
    while (configure_on()) {
    }
    board_.prepare(next.unproven);
    return ok_status();
}

void HealthRunner::reloaded(const Config& /*before*/, const ReloadPlan& next) {
    // A certificate's file may have changed without the configuration.
    trust_.refresh();
    configure(*next.config, next.kept);
    configure_later();
}

void HealthRunner::configure_later() {
    if (configure_on()) configure_timer_.start_once(0ns);
    // A new check may be due before all others, or be the first of all.
    set_timer();
}

void HealthRunner::configure(const Config& config, const std::vector<bool>& kept) {
    script_settings_ = config.global.scripts;
    notifier_.configure(config);
    track_files_.clear();
    for (const VrrpTrackFileConfig& file : config.vrrp_track_files) {
        track_files_[file.name] = file.file;
    }
    service_positions_.clear();
    for (std::size_t i = 0; i < config.virtual_servers.size(); ++i) {
        service_positions_[VirtualServerKey::of(config.virtual_servers[i])] = i;
    }
    board_.begin(config, kept);
}

bool HealthRunner::configure_on() {
    if (!board_.taking_over()) return false;
    HealthChanges changes;
    HealthBoard::Checks checks;
    const bool more = board_.take_over(kServersPerTurn, director_->now(), checks, changes);
    for (const CheckId id : checks.removed) {
        schedule_.cancel(id);
        if (entries_[id]->running) --running_;
        count(*entries_[id], -1);
        remove_stand_in(*entries_[id]);
        entries_[id].reset();
    }
    for (const HealthBoard::NewCheck& check : checks.added) add_entry(check);
    if (!more) look_at_addresses();
    carry_out(changes);
    return more;
}

void HealthRunner::add_entry(const HealthBoard::NewCheck& check) {
    if (check.id >= entries_.size()) entries_.resize(check.id + 1U);
    auto entry = std::make_unique<Entry>(check);
    entry->probe = find_probe(check.config.type)->make(entry->config, context_);
    entry->probe->on_step = [this, raw = entry.get()] { set_limit(*raw, director_->now()); };
    if (entry->config.via) {
        ViaPath* path = director_->via();
        entry->stand_in = path == nullptr ? Error{"no way for checks through services is open", ""}
                                          : path->add(entry->config);
    }
    entries_[check.id] = std::move(entry);
    count(*entries_[check.id], 1);
    if (!started_) return;
    std::uniform_real_distribution<double> share(0.0, 1.0);
    Entry& added = *entries_[check.id];
    added.due = added.state.first_try(director_->now(), share(random_));
    schedule_.set(added.id, added.due);
}

// Takes the check into the totals of what checks say, or out of them.
void HealthRunner::count(const Entry& entry, int sign) {
    if (!entry.state.up()) totals_.down += static_cast<std::uint64_t>(sign);
    if (!entry.state.decided()) totals_.undecided += static_cast<std::uint64_t>(sign);
}

// --- time -------------------------------------------------------------------------------------

// An appointment of a running check is the limit of its try.
void HealthRunner::turn() {
    const lb::TimePoint now = director_->now();
    if (armed_) lag_.woke(*armed_, now);
    armed_.reset();
    last_turn_ = now;
    bool full = false;
    unsigned done = 0;
    for (; done < kWorkPerTurn && !full; ++done) {
        const auto due = schedule_.take_due(now);
        if (!due) break;
        Entry& entry = *entries_[*due];
        if (entry.running) {
            limit_passed(entry, now);
        } else {
            full = !begin(entry, now);
        }
    }
    if (next_tick_ && *next_tick_ <= now) {
        carry_out(board_.tick(now));
        next_tick_ = board_.next_tick();
    }
    if (full) {
        arm(now + kFullPause);
    } else if (done == kWorkPerTurn) {
        arm(now);  // there is more; everybody else first
    } else {
        set_timer();
    }
}

void HealthRunner::set_timer() {
    if (!started_) return;
    auto next = schedule_.next();
    if (next_tick_ && (!next || *next_tick_ < *next)) next = next_tick_;
    // Setting a timer costs a system call: one that fires too early looks again.
    if (!next) return;
    const lb::TimePoint at = std::max(*next, last_turn_ + kGrain);
    if (!armed_ || at < *armed_) arm(at);
}

void HealthRunner::arm(lb::TimePoint at) {
    armed_ = at;
    timer_.start_once(at - director_->now());
}

// False: too many tries run, this one waits.
bool HealthRunner::begin(Entry& entry, lb::TimePoint now) {
    if (!board_.wanted(entry.id)) {
        entry.due = now + entry.config.delay_loop;
        schedule_.set(entry.id, entry.due);
        return true;
    }
    if (running_ >= most_running_) {
        schedule_.set(entry.id, now);
        return false;
    }
    if (now - entry.due > kLate) ++totals_.late_tries;
    totals_.lateness.add(now - entry.due);
    entry.running = true;
    entry.stretched = false;
    entry.started = now;
    entry.paced = now - entry.due > kLate ? now : entry.due;
    ++entry.tries;
    ++totals_.tries;
    ++running_;
    set_limit(entry, now);
    const auto attempt = make_try(entry);
    if (!attempt) {
        finish(entry, failed(attempt.error().message));
        return true;
    }
    entry.probe->start(*attempt,
                       [this, &entry](ProbeResult result) { finish(entry, std::move(result)); });
    return true;
}

void HealthRunner::set_limit(Entry& entry, lb::TimePoint now) {
    const Duration limit = find_probe(entry.config.type)->limit(entry.config);
    if (limit <= Duration::zero()) return;
    entry.limit = TryLimit(now, limit, lag_);
    schedule_.set(entry.id, entry.limit.end(lag_));
}

void HealthRunner::limit_passed(Entry& entry, lb::TimePoint now) {
    if (const lb::TimePoint end = entry.limit.end(lag_); end > now) {
        if (!std::exchange(entry.stretched, true)) ++totals_.stretched_tries;
        return schedule_.set(entry.id, end);
    }
    entry.probe->cancel();
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(
        find_probe(entry.config.type)->limit(entry.config));
    finish(entry, failed("timed out: no answer within " + std::to_string(limit.count()) + " ms"));
}

void HealthRunner::log_failure(const Entry& entry, const ProbeResult& result, bool first) const {
    if (!first && !entry.config.log_all_failures) return;
    log::info("check failed", {{"check", describe(entry.config)},
                               {"result", result.detail},
                               {"state", entry.state.up() ? "UP" : "DOWN"},
                               {"failures_in_row", entry.state.failures_in_row()}});
}

// Whom to ask. An error: nobody can be asked now.
Result<ProbeTry> HealthRunner::make_try(const Entry& entry) {
    ProbeTry attempt{!entry.state.up(), entry.config.connect_ip, entry.config.bindto};
    if (!entry.stand_in) return attempt;
    if (!*entry.stand_in) return entry.stand_in->error();
    const auto source = director_->via()->begin_try(**entry.stand_in, entry.config.bindto);
    if (!source) return source.error();
    attempt.target = **entry.stand_in;
    attempt.source = *source;
    return attempt;
}

void HealthRunner::end_try(const Entry& entry, ProbeResult& result) {
    if (!entry.stand_in || !*entry.stand_in) return;
    director_->via()->end_try(**entry.stand_in);
    if (result.outcome != TryOutcome::Failure) return;
    // libcurl names the address that it connected to.
    const std::string stand_in = (**entry.stand_in).to_string();
    if (const auto at = result.detail.find(stand_in); at != std::string::npos) {
        result.detail.replace(at, stand_in.size(), entry.config.connect_ip.to_string());
    }
    const std::string hint = director_->via()->hint(**entry.stand_in);
    if (!hint.empty()) result.detail += "; " + hint;
}

void HealthRunner::remove_stand_in(const Entry& entry) {
    if (entry.stand_in && *entry.stand_in) director_->via()->remove(**entry.stand_in);
}

void HealthRunner::finish(Entry& entry, ProbeResult result) {
    const lb::TimePoint now = director_->now();
    entry.running = false;
    --running_;
    end_try(entry, result);
    entry.took = now - entry.started;
    if (result.certificate_days) entry.certificate_days = result.certificate_days;
    CheckReading reading = entry.reading;
    const bool failure = result.outcome == TryOutcome::Failure;
    if (failure) {
        ++entry.failures;
        ++totals_.failures;
    } else {
        reading.weight = result.weight;
        reading.weight_change = result.weight_change;
    }
    count(entry, -1);
    const CheckState::Verdict verdict = entry.state.judge(result.outcome, entry.paced, now);
    count(entry, 1);
    entry.due = verdict.next_at;
    schedule_.set(entry.id, entry.due);
    if (failure && !verdict.changed) {
        log_failure(entry, result, entry.state.failures_in_row() == 1);
    }
    reading.up = entry.state.up();
    reading.decided = entry.state.decided();
    // Mostly a try sees what the last one saw.
    if (reading.cause.empty() || entry.last != result.detail) {
        entry.last = result.detail;
        reading.cause = describe(entry.config) + ": " + result.detail;
    }
    if (reading != entry.reading) {
        entry.reading = std::move(reading);
        carry_out(board_.read(entry.id, entry.reading, now));
    }
    for (const TryDone& done : std::exchange(entry.waiting, {})) {
        done(describe(entry.config), result, *entry.took);
    }
    set_timer();
}

// ha_suspend: no checks for a service whose address is not here.
void HealthRunner::look_at_addresses() {
    const Config& config = director_->config();
    for (const VirtualServerConfig& service : config.virtual_servers) {
        if (!service.ha_suspend || service.fwmark != 0) continue;
        const auto here = [&](const net::IpAddress& address) {
            return director_->vips().owns(address) || is_port_address(config, address);
        };
        bool any = service.address.family != net::Family::None && here(service.address);
        for (const VirtualServerGroupConfig& group : config.virtual_server_groups) {
            if (service.group.empty() || group.name != service.group) continue;
            any = any || std::ranges::any_of(group.member, [&](const GroupMemberConfig& member) {
                      return member.fwmark == 0 && here(member.address);
                  });
        }
        board_.set_suspended(VirtualServerKey::of(service), !any);
    }
}

// --- the operator and views -------------------------------------------------------------------

std::size_t HealthRunner::run_now(const std::string& name, const TryDone& done) {
    std::size_t count = 0;
    for (const auto& entry : entries_) {
        if (!entry || !means(name, entry->config)) continue;
        entry->waiting.push_back(done);
        ++count;
        if (entry->running) continue;
        entry->due = director_->now();
        schedule_.set(entry->id, entry->due);
    }
    set_timer();
    return count;
}

std::vector<HealthRunner::CheckView> HealthRunner::checks(std::uint64_t& cursor,
                                                          unsigned budget) const {
    std::vector<CheckView> views;
    for (; cursor < entries_.size() && budget > 0; ++cursor, --budget) {
        const auto& entry = entries_[cursor];
        if (!entry) continue;
        CheckView view;
        view.config = &entry->config;
        view.servers = board_.servers_of(entry->id);
        view.up = entry->state.up();
        view.decided = entry->state.decided();
        view.running = entry->running;
        view.suspended = !board_.wanted(entry->id);
        view.last = entry->last;
        view.last_took = entry->took;
        if (!entry->running) view.next_try = entry->due;
        view.tries = entry->tries;
        view.failures = entry->failures;
        view.failures_in_row = entry->state.failures_in_row();
        view.certificate_days = entry->certificate_days;
        views.push_back(std::move(view));
    }
    if (cursor >= entries_.size()) cursor = 0;
    return views;
}

}  // namespace pollux::control
