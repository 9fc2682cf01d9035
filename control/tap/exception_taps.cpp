// SPDX-License-Identifier: Apache-2.0
#include "control/tap/exception_taps.h"

#include <array>
#include <optional>
#include <utility>

#include "control/log/log.h"
#include "control/tap/tap_device.h"

namespace pollux::control {
namespace {

// Frames taken from one TAP per turn of the loop, so that a busy kernel cannot hold it.
constexpr unsigned kFramesPerTurn = 32;
constexpr std::size_t kFrameRoom = 16 * 1024;

// fe80::/64 with the interface identifier made from the MAC (RFC 4291 appendix A).
net::IpPrefix link_local_of(const net::MacAddress& mac) {
    net::Ipv6Address address;
    address.bytes = {0xfe,
                     0x80,
                     0,
                     0,
                     0,
                     0,
                     0,
                     0,
                     static_cast<std::uint8_t>(mac.bytes[0] ^ 0x02U),
                     mac.bytes[1],
                     mac.bytes[2],
                     0xff,
                     0xfe,
                     mac.bytes[3],
                     mac.bytes[4],
                     mac.bytes[5]};
    return {net::IpAddress::from_v6(address), 64};
}

// Neighbour discovery of the kernel needs a link-local source.
void add_link_local(const ControlPort& port, NetlinkRequests& netlink) {
    AddressRequest request;
    request.interface = port.interface;
    request.prefix = link_local_of(port.mac);
    request.scope = 253;
    if (const Status added = netlink.add_address(request); !added) {
        log::info("no IPv6 on the exception path",
                  {{"port", port.name}, {"cause", added.error().message}});
    }
}

}  // namespace

struct ExceptionTaps::Impl {
    struct Entry {
        lb::PortId id;
        std::unique_ptr<TapDevice> tap;  // null without an exception path
        TapCounters counters;
        std::unique_ptr<FdWatch> watch;  // dies before the TAP: declared after it
    };

    void drain(Entry& entry) {
        for (unsigned i = 0; i < kFramesPerTurn; ++i) {
            const auto frame = entry.tap->read(buffer);
            if (!frame) return;
            if (transmit(entry.id, *frame)) {
                ++entry.counters.from_kernel;
            } else {
                ++entry.counters.from_kernel_failed;
            }
        }
    }

    static Status prepare(ControlPort& port, TapDevice& tap, NetlinkRequests& netlink);

    std::vector<Entry> entries;  // position = PortId
    Transmit transmit;
    std::array<std::uint8_t, kFrameRoom> buffer;
};

Status ExceptionTaps::Impl::prepare(ControlPort& port, TapDevice& tap, NetlinkRequests& netlink) {
    port.interface = tap.interface();
    if (const std::string refused = apply_tap_sysctls(port.tap); !refused.empty()) {
        log::warning("kernel settings refused", {{"interface", port.tap}, {"settings", refused}});
    }
    if (Status done = netlink.set_link_mac(port.interface, port.mac); !done) return done;
    if (Status done = netlink.set_link_mtu(port.interface, port.mtu); !done) return done;
    if (Status done = netlink.set_link_up(port.interface, true); !done) return done;
    add_link_local(port, netlink);
    return ok_status();
}

ExceptionTaps::ExceptionTaps() : impl_(std::make_unique<Impl>()) {}
ExceptionTaps::~ExceptionTaps() = default;

Result<std::unique_ptr<ExceptionTaps>> ExceptionTaps::open(PortTable& ports,
                                                           NetlinkRequests& netlink) {
    std::unique_ptr<ExceptionTaps> path(new ExceptionTaps());
    for (ControlPort& port : ports.ports) {
        Impl::Entry entry{port.id, nullptr, {}, nullptr};
        if (!port.tap.empty()) {
            auto tap = TapDevice::open(port.tap);
            if (!tap) return tap.error();
            entry.tap = std::move(tap).value();
            if (const Status ready = Impl::prepare(port, *entry.tap, netlink); !ready) {
                return Error{"exception path of port " + port.name + ": " + ready.error().message,
                             ready.error().remedy};
            }
        }
        path->impl_->entries.push_back(std::move(entry));
    }
    return path;
}

void ExceptionTaps::start(EventLoop& loop, Transmit transmit) {
    impl_->transmit = std::move(transmit);
    for (Impl::Entry& entry : impl_->entries) {
        if (!entry.tap) continue;
        entry.watch = std::make_unique<FdWatch>(loop, entry.tap->fd());
        entry.watch->on_readable([impl = impl_.get(), &entry] { impl->drain(entry); });
    }
}

void ExceptionTaps::deliver(lb::PortId port, std::span<const std::uint8_t> frame) {
    const auto index = static_cast<std::size_t>(port);
    if (index >= impl_->entries.size()) return;
    Impl::Entry& entry = impl_->entries[index];
    if (entry.tap && entry.tap->write(frame)) {
        ++entry.counters.to_kernel;
    } else {
        ++entry.counters.to_kernel_failed;
    }
}

void ExceptionTaps::set_carrier(lb::PortId port, bool carrier) {
    Impl::Entry& entry = impl_->entries.at(static_cast<std::size_t>(port));
    if (!entry.tap) return;
    if (const Status done = entry.tap->set_carrier(carrier); !done) {
        log::warning("carrier not passed on", {{"cause", done.error().message}});
    }
}

const TapCounters& ExceptionTaps::counters(lb::PortId port) const {
    return impl_->entries.at(static_cast<std::size_t>(port)).counters;
}

}  // namespace pollux::control
