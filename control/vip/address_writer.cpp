// SPDX-License-Identifier: Apache-2.0
#include "control/vip/address_writer.h"

#include <utility>

namespace pollux::control {

AddressWriter::AddressWriter(EventLoop& loop, std::unique_ptr<NetlinkRequests> netlink)
    : netlink_(std::move(netlink)), thread_(loop) {}

Result<std::unique_ptr<AddressWriter>> AddressWriter::open(EventLoop& loop) {
    auto netlink = NetlinkRequests::open();
    if (!netlink) return netlink.error();
    return std::unique_ptr<AddressWriter>(new AddressWriter(loop, std::move(netlink).value()));
}

void AddressWriter::apply(std::vector<AddressChange> changes, Done done) {
    const auto results = std::make_shared<std::vector<Status>>();
    thread_.start(
        [netlink = netlink_.get(), changes = std::move(changes), results] {
            for (const AddressChange& change : changes) {
                results->push_back(change.present ? netlink->add_address(change.request)
                                                  : netlink->remove_address(change.request));
            }
        },
        [done = std::move(done), results] { done(*results); });
}

}  // namespace pollux::control
