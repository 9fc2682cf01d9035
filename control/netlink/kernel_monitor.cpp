// SPDX-License-Identifier: Apache-2.0
#include "control/netlink/kernel_monitor.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>

#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include "control/log/log.h"
#include "control/netlink/kernel_parse.h"
#include "control/netlink/netlink_socket.h"

namespace pollux::control {

using namespace netlink;

namespace {

constexpr std::size_t kReceiveBytes = 64 * 1024;
constexpr int kSocketBufferBytes = 4 * 1024 * 1024;
// Messages taken per turn of the loop, so that a storm of notifications cannot hold it.
constexpr unsigned kReceivesPerTurn = 16;
constexpr auto kResyncDelay = std::chrono::milliseconds(50);
constexpr auto kOpenDeadline = std::chrono::seconds(5);

constexpr std::array kGroups = {RTNLGRP_LINK,        RTNLGRP_NEIGH,      RTNLGRP_IPV4_IFADDR,
                                RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE};
constexpr std::array<int, 4> kDumps = {RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH};

}  // namespace

struct KernelMonitor::Impl {
    explicit Impl(EventLoop& loop) : resync_timer(loop, [this] { begin_dump(); }), loop_(&loop) {}

    // A table that is being read anew; replaces `tables` when its last dump is done.
    struct Dump {
        KernelTables fresh;
        std::size_t step = 0;
        std::uint32_t sequence = 0;
        bool interrupted = false;
    };

    void begin_dump();
    bool request_step();
    void finish_step();
    void finish_dump();
    // False: nothing more to read now.
    bool receive_once();
    void handle(nlmsghdr* message);
    void handle_dump_end(nlmsghdr* message);
    void apply(nlmsghdr* message, KernelTables& target, bool from_dump, bool report);
    void apply_link(nlmsghdr* message, KernelTables& target, bool report);
    void apply_address(nlmsghdr* message, KernelTables& target, bool report);
    void apply_route(nlmsghdr* message, KernelTables& target, bool from_dump, bool report);
    void apply_neighbour(nlmsghdr* message, KernelTables& target, bool report);
    void report_difference(const KernelTables& before);
    void schedule_resync() {
        if (!resync_timer.active()) resync_timer.start_once(kResyncDelay);
    }

    SocketPointer socket;
    int fd = -1;
    KernelTables tables;
    std::optional<Dump> dump;
    std::uint32_t last_sequence = 0;
    std::uint64_t completed_dumps = 0;
    Events events;
    Timer resync_timer;
    EventLoop* loop_;
    std::unique_ptr<FdWatch> watch;
};

void KernelMonitor::Impl::begin_dump() {
    dump = Dump{};
    if (!request_step()) {
        dump.reset();
        schedule_resync();
    }
}

bool KernelMonitor::Impl::request_step() {
    struct Request {
        nlmsghdr header;
        rtmsg body;  // as large as the largest of the four families' headers that dumps need
        std::array<std::uint8_t, 8> rest;
    } request{};
    request.header.nlmsg_len = sizeof(request);
    request.header.nlmsg_type = static_cast<std::uint16_t>(kDumps.at(dump->step));
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.header.nlmsg_seq = dump->sequence = ++last_sequence;
    // Strict checking is off on this socket: the kernel looks at the family byte only.
    return send(fd, &request, sizeof(request), 0) == static_cast<ssize_t>(sizeof(request));
}

void KernelMonitor::Impl::finish_step() {
    if (dump->interrupted) {
        // The tables changed while they were read (NLM_F_DUMP_INTR): what was read may have holes.
        dump.reset();
        schedule_resync();
        return;
    }
    if (++dump->step == kDumps.size()) {
        finish_dump();
    } else if (!request_step()) {
        dump.reset();
        schedule_resync();
    }
}

void KernelMonitor::Impl::finish_dump() {
    KernelTables before = std::move(tables);
    tables = std::move(dump->fresh);
    dump.reset();
    ++completed_dumps;
    report_difference(before);
}

bool KernelMonitor::Impl::receive_once() {
    alignas(nlmsghdr) std::array<std::uint8_t, kReceiveBytes> buffer;
    const ssize_t length = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (length < 0) {
        if (errno == ENOBUFS) {
            log::warning("kernel notifications lost, reading its tables again");
            dump.reset();
            schedule_resync();
            return true;
        }
        return errno == EINTR;
    }
    if (static_cast<std::size_t>(length) > buffer.size()) {
        schedule_resync();
        return true;
    }
    int left = static_cast<int>(length);
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.data()); nlmsg_ok(message, left);
         message = nlmsg_next(message, &left)) {
        handle(message);
    }
    return true;
}

void KernelMonitor::Impl::handle(nlmsghdr* message) {
    const std::uint32_t port = nl_socket_get_local_port(socket.get());
    const bool answer = dump && message->nlmsg_pid == port && message->nlmsg_seq == dump->sequence;
    if (answer && (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0) dump->interrupted = true;
    if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
        if (answer) handle_dump_end(message);
        return;
    }
    if (answer) {
        apply(message, dump->fresh, true, false);
    } else if (message->nlmsg_pid != port || message->nlmsg_seq == 0) {
        apply(message, tables, false, true);
        if (dump) apply(message, dump->fresh, false, false);
    }
}

void KernelMonitor::Impl::handle_dump_end(nlmsghdr* message) {
    if (message->nlmsg_type == NLMSG_ERROR) {
        dump->interrupted = true;
        log::warning("the kernel refused to list its tables, trying again");
    }
    finish_step();
}

void KernelMonitor::Impl::apply(nlmsghdr* message, KernelTables& target, bool from_dump,
                                bool report) {
    switch (message->nlmsg_type) {
        case RTM_NEWLINK:
        case RTM_DELLINK:
            apply_link(message, target, report);
            break;
        case RTM_NEWADDR:
        case RTM_DELADDR:
            apply_address(message, target, report);
            break;
        case RTM_NEWROUTE:
        case RTM_DELROUTE:
            apply_route(message, target, from_dump, report);
            break;
        case RTM_NEWNEIGH:
        case RTM_DELNEIGH:
            apply_neighbour(message, target, report);
            break;
        default:
            break;
    }
}

void KernelMonitor::Impl::apply_link(nlmsghdr* message, KernelTables& target, bool report) {
    const auto parsed = parse_link(message);
    if (!parsed) return;
    const auto& [index, link] = *parsed;
    const auto known = target.links.find(index);
    const KernelLink before = known == target.links.end() ? KernelLink{} : known->second;
    KernelLink now = link;
    if (message->nlmsg_type == RTM_DELLINK) {
        target.links.erase(index);
        now.up = now.carrier = false;
    } else {
        target.links[index] = link;
    }
    if (!report || before == now) return;
    // IPv4 routes vanish with their link without a notification each.
    schedule_resync();
    if (events.link_changed) events.link_changed(index, now);
}

void KernelMonitor::Impl::apply_address(nlmsghdr* message, KernelTables& target, bool report) {
    const auto parsed = parse_address(message);
    if (!parsed) return;
    auto& list = target.addresses[parsed->first];
    const bool removed = std::erase(list, parsed->second) > 0;
    if (message->nlmsg_type == RTM_NEWADDR) {
        list.push_back(parsed->second);
        if (removed) return;  // only lifetimes or flags changed
    } else if (report) {
        // Routes that used the address as their source vanish without a notification each.
        schedule_resync();
    }
    if (report && events.routes_changed) events.routes_changed();
}

void KernelMonitor::Impl::apply_route(nlmsghdr* message, KernelTables& target, bool from_dump,
                                      bool report) {
    const auto route = parse_route(message);
    if (!route) return;
    bool changed = false;
    if (message->nlmsg_type == RTM_DELROUTE) {
        changed = target.routes.remove(*route);
        if (report && target.routes.all().contains(route->destination)) schedule_resync();
    } else {
        const bool append = from_dump || (message->nlmsg_flags & NLM_F_APPEND) != 0;
        changed = target.routes.add(*route, append);
    }
    if (report && changed && events.routes_changed) events.routes_changed();
}

void KernelMonitor::Impl::apply_neighbour(nlmsghdr* message, KernelTables& target, bool report) {
    const auto parsed = parse_neighbour(message);
    if (!parsed) return;
    const auto& [key, neighbour] = *parsed;
    const auto known = target.neighbours.find(key);
    const Neighbour before = known == target.neighbours.end() ? Neighbour{} : known->second;
    Neighbour now = neighbour;
    if (message->nlmsg_type == RTM_DELNEIGH) {
        target.neighbours.erase(key);
        now = Neighbour{};
    } else {
        target.neighbours[key] = neighbour;
    }
    if (report && before != now && events.neighbour_changed) {
        events.neighbour_changed(key, before, now);
    }
}

void KernelMonitor::Impl::report_difference(const KernelTables& before) {
    if (events.link_changed) {
        for (const auto& [index, link] : tables.links) {
            const auto known = before.links.find(index);
            if (known == before.links.end() || known->second != link) {
                events.link_changed(index, link);
            }
        }
    }
    if (events.neighbour_changed) {
        for (const auto& [key, neighbour] : tables.neighbours) {
            const auto known = before.neighbours.find(key);
            const Neighbour old = known == before.neighbours.end() ? Neighbour{} : known->second;
            if (old != neighbour) events.neighbour_changed(key, old, neighbour);
        }
        for (const auto& [key, neighbour] : before.neighbours) {
            if (!tables.neighbours.contains(key)) events.neighbour_changed(key, neighbour, {});
        }
    }
    const bool same = before.routes == tables.routes && before.addresses == tables.addresses;
    if (!same && events.routes_changed) events.routes_changed();
}

KernelMonitor::KernelMonitor() = default;
KernelMonitor::~KernelMonitor() = default;

Result<std::unique_ptr<KernelMonitor>> KernelMonitor::open(EventLoop& loop) {
    auto socket = open_socket();
    if (!socket) return socket.error();
    std::unique_ptr<KernelMonitor> monitor(new KernelMonitor());
    monitor->impl_ = std::make_unique<Impl>(loop);
    Impl& impl = *monitor->impl_;
    impl.socket = std::move(socket).value();
    impl.fd = nl_socket_get_fd(impl.socket.get());
    nl_socket_set_buffer_size(impl.socket.get(), kSocketBufferBytes, 0);
    for (const int group : kGroups) {
        if (const int code = nl_socket_add_memberships(impl.socket.get(), group, 0); code < 0) {
            return netlink_error("subscribing to kernel notifications", code);
        }
    }
    const auto deadline = std::chrono::steady_clock::now() + kOpenDeadline;
    impl.begin_dump();
    while (impl.completed_dumps == 0) {
        if (std::chrono::steady_clock::now() > deadline) {
            return Error{"the kernel did not list its routes and neighbours in time",
                         "try again when the machine is less busy"};
        }
        if (!impl.dump) impl.begin_dump();
        pollfd ready{impl.fd, POLLIN, 0};
        poll(&ready, 1, 100);
        while (impl.receive_once() && impl.completed_dumps == 0) {
        }
    }
    return monitor;
}

void KernelMonitor::watch(Events events) {
    impl_->events = std::move(events);
    impl_->watch = std::make_unique<FdWatch>(*impl_->loop_, impl_->fd);
    impl_->watch->on_readable([impl = impl_.get()] {
        for (unsigned i = 0; i < kReceivesPerTurn && impl->receive_once(); ++i) {
        }
    });
}

const KernelTables& KernelMonitor::tables() const {
    return impl_->tables;
}
std::uint64_t KernelMonitor::resyncs() const {
    return impl_->completed_dumps - 1;
}

}  // namespace pollux::control
