// SPDX-License-Identifier: Apache-2.0
#include "control/health/connect_poller.h"

#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include <sys/epoll.h>
#include <unistd.h>

namespace pollux::control {
namespace {

// Sockets taken in a turn of the loop; further ones are taken in the next.
constexpr int kEventsPerTurn = 32;

std::uint32_t slot_of(ConnectPoller::Ticket ticket) {
    return static_cast<std::uint32_t>(ticket);
}
std::uint32_t turn_of(ConnectPoller::Ticket ticket) {
    return static_cast<std::uint32_t>(ticket >> 32U);
}

}  // namespace

ConnectPoller::ConnectPoller(EventLoop& loop) : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) return;  // wait() reports it
    watch_ = std::make_unique<FdWatch>(loop, epoll_);
    watch_->on_readable([this] { collect(); });
}

ConnectPoller::~ConnectPoller() {
    watch_.reset();
    if (epoll_ >= 0) close(epoll_);
}

ConnectPoller::Ticket ConnectPoller::wait(int fd, Callback callback) {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(slots_.size()));
        slots_.emplace_back();
    }
    const std::uint32_t number = free_.back();
    Slot& slot = slots_[number];
    const Ticket ticket = Ticket{slot.turn + 1U} << 32U | number;
    epoll_event event{};
    event.events = EPOLLOUT | EPOLLONESHOT;
    event.data.u64 = ticket;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) return kNoTicket;
    free_.pop_back();
    ++slot.turn;
    slot.callback = std::move(callback);
    return ticket;
}

void ConnectPoller::forget(Ticket ticket) {
    static_cast<void>(take(ticket));
}

void ConnectPoller::collect() {
    std::array<epoll_event, kEventsPerTurn> events;
    const int count = epoll_wait(epoll_, events.data(), kEventsPerTurn, 0);
    if (count <= 0) return;
    for (const epoll_event& event : std::span(events).first(static_cast<std::size_t>(count))) {
        const Callback callback = take(event.data.u64);
        if (callback) callback((event.events & (EPOLLERR | EPOLLHUP)) == 0);
    }
}

ConnectPoller::Slot* ConnectPoller::find(Ticket ticket) {
    const std::uint32_t number = slot_of(ticket);
    if (ticket == kNoTicket || number >= slots_.size()) return nullptr;
    Slot& slot = slots_[number];
    return slot.callback && slot.turn == turn_of(ticket) ? &slot : nullptr;
}

ConnectPoller::Callback ConnectPoller::take(Ticket ticket) {
    Slot* slot = find(ticket);
    if (slot == nullptr) return {};
    free_.push_back(slot_of(ticket));
    return std::exchange(slot->callback, {});
}

}  // namespace pollux::control
