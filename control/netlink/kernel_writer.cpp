// SPDX-License-Identifier: Apache-2.0
#include "control/netlink/kernel_writer.h"

#include <utility>

namespace pollux::control {
namespace {

struct Writer {
    NetlinkRequests& netlink;
    bool present;

    Status operator()(const AddressRequest& address) const {
        return present ? netlink.add_address(address) : netlink.remove_address(address);
    }
    Status operator()(const RouteRequest& route) const {
        return present ? netlink.add_route(route) : netlink.remove_route(route);
    }
    Status operator()(const RuleRequest& rule) const {
        return present ? netlink.add_rule(rule) : netlink.remove_rule(rule);
    }
};

}  // namespace

KernelWriter::KernelWriter(EventLoop& loop, std::unique_ptr<NetlinkRequests> netlink)
    : netlink_(std::move(netlink)), thread_(loop) {}

Result<std::unique_ptr<KernelWriter>> KernelWriter::open(EventLoop& loop) {
    auto netlink = NetlinkRequests::open();
    if (!netlink) return netlink.error();
    return std::unique_ptr<KernelWriter>(new KernelWriter(loop, std::move(netlink).value()));
}

void KernelWriter::apply(std::vector<KernelChange> changes, Done done) {
    const auto results = std::make_shared<std::vector<Status>>();
    thread_.start(
        [netlink = netlink_.get(), changes = std::move(changes), results] {
            for (const KernelChange& change : changes) {
                results->push_back(std::visit(Writer{*netlink, change.present}, change.what));
            }
        },
        [done = std::move(done), results] { done(*results); });
}

}  // namespace pollux::control
