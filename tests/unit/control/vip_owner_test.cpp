// SPDX-License-Identifier: Apache-2.0
#include "control/vip/vip_owner.h"

#include <gtest/gtest.h>

#include "dataplane/net/arp.h"
#include "dataplane/net/ethernet.h"
#include "tests/unit/control/builders.h"

namespace pollux::control {
namespace {

using namespace testing;

const net::MacAddress kAsker = mac("02:cc:00:00:00:01");
const net::MacAddress kVirtualMac = mac("00:00:5e:00:01:33");

// Who has `target`? Tell `sender`.
std::vector<std::uint8_t> arp_request(const std::string& target, const std::string& sender) {
    std::vector<std::uint8_t> frame(60);
    auto& ethernet = net::header_in<net::EthernetHeader>(frame.data());
    ethernet.destination = net::MacAddress::broadcast();
    ethernet.source = kAsker;
    ethernet.ether_type = net::kEtherTypeArp;
    auto& arp = net::header_in<net::ArpPacket>(frame.data() + 14);
    arp.hardware_type = net::kArpHardwareEthernet;
    arp.protocol_type = net::kArpProtocolIpv4;
    arp.hardware_length = 6;
    arp.protocol_length = 4;
    arp.operation = net::kArpRequest;
    arp.sender_mac = kAsker;
    arp.sender_address = ip(sender).v4();
    arp.target_address = ip(target).v4();
    return frame;
}

// VIPs of ports without a TAP: no netlink request is ever made.
class VipOwnerTest : public ::testing::Test {
  protected:
    VipOwnerTest() {
        for (ControlPort& port : ports_.ports) port.interface = kNoInterface;
        auto netlink = NetlinkRequests::open();
        if (netlink) netlink_ = std::move(netlink).value();
        VipHooks hooks;
        hooks.transmit = [this](lb::PortId port, std::span<const std::uint8_t> frame) {
            sent_.emplace_back(port, std::vector<std::uint8_t>(frame.begin(), frame.end()));
            return true;
        };
        hooks.add_mac = [this](lb::PortId, const net::MacAddress& added) {
            macs_.push_back("+" + added.to_string());
            return ok_status();
        };
        hooks.remove_mac = [this](lb::PortId, const net::MacAddress& removed) {
            macs_.push_back("-" + removed.to_string());
            return ok_status();
        };
        hooks.changed = [this] { ++changes_; };
        hooks.work_later = [this] { ++calls_for_work_; };
        owner_.emplace(*netlink_, ports_, std::move(hooks));
    }

    static Vip vip(const std::string& address, const net::MacAddress& owner_mac = kVirtualMac) {
        Vip result;
        result.address = prefix(address);
        result.port = lb::PortId{0};
        result.mac = owner_mac;
        return result;
    }

    PortTable ports_ = two_ports();
    std::unique_ptr<NetlinkRequests> netlink_;
    std::optional<VipOwner> owner_;
    std::vector<std::pair<lb::PortId, std::vector<std::uint8_t>>> sent_;
    std::vector<std::string> macs_;
    int changes_ = 0;
    int calls_for_work_ = 0;
};

TEST_F(VipOwnerTest, AnswersArpForAHeldAddressWithItsMac) {
    owner_->claim(std::vector{vip("10.0.0.100/24")});

    EXPECT_TRUE(owner_->receive(lb::PortId{0}, arp_request("10.0.0.100", "10.0.0.1")));

    ASSERT_EQ(sent_.size(), 1U);
    EXPECT_EQ(sent_[0].first, lb::PortId{0});
    const auto& ethernet = net::header_in<net::EthernetHeader>(sent_[0].second.data());
    EXPECT_EQ(ethernet.destination, kAsker);
    EXPECT_EQ(ethernet.source, kVirtualMac);
    const auto& arp = net::header_in<net::ArpPacket>(sent_[0].second.data() + 14);
    EXPECT_EQ(arp.operation, net::kArpReply);
    EXPECT_EQ(arp.sender_mac, kVirtualMac);
    EXPECT_EQ(arp.sender_address, ip("10.0.0.100").v4());
    EXPECT_EQ(arp.target_mac, kAsker);
    EXPECT_EQ(arp.target_address, ip("10.0.0.1").v4());
}

TEST_F(VipOwnerTest, IsSilentAboutAddressesItDoesNotHold) {
    owner_->claim(std::vector{vip("10.0.0.100/24")});
    owner_->release(std::vector{vip("10.0.0.100/24")});

    EXPECT_FALSE(owner_->receive(lb::PortId{0}, arp_request("10.0.0.100", "10.0.0.1")));
    EXPECT_TRUE(sent_.empty());
}

TEST_F(VipOwnerTest, OnAnotherPortNobodyAnswers) {
    owner_->claim(std::vector{vip("10.0.0.100/24")});

    EXPECT_TRUE(owner_->receive(lb::PortId{1}, arp_request("10.0.0.100", "10.0.0.1")));
    EXPECT_TRUE(sent_.empty());
}

TEST_F(VipOwnerTest, VirtualMacLivesAsLongAsOneOfItsAddresses) {
    const std::vector both{vip("10.0.0.100/24"), vip("10.0.0.101/24")};
    owner_->claim(both);
    owner_->release(std::vector{both[0]});
    EXPECT_EQ(macs_, (std::vector<std::string>{"+00:00:5e:00:01:33"}));

    owner_->release(std::vector{both[1]});
    EXPECT_EQ(macs_, (std::vector<std::string>{"+00:00:5e:00:01:33", "-00:00:5e:00:01:33"}));
}

TEST_F(VipOwnerTest, ManyAddressesCostOneChangeAndRepetitionNone) {
    const std::vector both{vip("10.0.0.100/24"), vip("10.0.0.101/24")};
    owner_->claim(both);
    EXPECT_EQ(changes_, 1);
    owner_->claim(both);
    EXPECT_EQ(changes_, 1);
    owner_->release(both);
    EXPECT_EQ(changes_, 2);
}

TEST_F(VipOwnerTest, ReleaseByAFormerHolderDoesNotTakeTheAddressFromTheNewOne) {
    Vip before = vip("10.0.0.100/24");
    Vip now = vip("10.0.0.100/24", mac("00:00:5e:00:01:44"));
    owner_->claim(std::vector{before});
    owner_->claim(std::vector{now});
    owner_->release(std::vector{before});

    EXPECT_TRUE(owner_->owns(ip("10.0.0.100")));
    EXPECT_EQ(owner_->owned().at(0).mac, now.mac);
}

TEST_F(VipOwnerTest, KernelsFramesFromAVipLeaveWithItsMac) {
    owner_->claim(std::vector{vip("10.0.0.100/24")});
    auto from_vip = arp_request("10.0.0.1", "10.0.0.100");
    auto from_port = arp_request("10.0.0.1", "10.0.0.5");

    owner_->rewrite_source(lb::PortId{0}, from_vip);
    owner_->rewrite_source(lb::PortId{0}, from_port);

    EXPECT_EQ(net::header_in<net::EthernetHeader>(from_vip.data()).source, kVirtualMac);
    EXPECT_EQ(net::header_in<net::ArpPacket>(from_vip.data() + 14).sender_mac, kVirtualMac);
    EXPECT_EQ(net::header_in<net::EthernetHeader>(from_port.data()).source, kAsker);
}

TEST_F(VipOwnerTest, FramesForAVirtualMacReachTheKernelUnderThePortsMac) {
    const Vip held = vip("10.0.0.100/24");
    auto frame = arp_request("10.0.0.100", "10.0.0.1");
    auto& ethernet = net::header_in<net::EthernetHeader>(frame.data());
    ethernet.destination = kVirtualMac;
    owner_->claim(std::vector{held});

    owner_->rewrite_destination(lb::PortId{1}, frame);
    EXPECT_EQ(ethernet.destination, kVirtualMac) << "the other port has no such MAC";
    owner_->rewrite_destination(lb::PortId{0}, frame);
    EXPECT_EQ(ethernet.destination, ports_.ports[0].mac);

    ethernet.destination = kVirtualMac;
    owner_->release(std::vector{held});
    owner_->rewrite_destination(lb::PortId{0}, frame);
    EXPECT_EQ(ethernet.destination, kVirtualMac) << "a virtual MAC that is not ours any more";
}

TEST_F(VipOwnerTest, TheKernelsShareOfHundredsOfAddressesIsDoneInSteps) {
    std::vector<Vip> many;
    for (int i = 1; i <= 200; ++i) many.push_back(vip("10.0.1." + std::to_string(i)));
    owner_->claim(many);
    EXPECT_EQ(calls_for_work_, 1);
    EXPECT_TRUE(owner_->owns(ip("10.0.1.200"))) << "answered for at once";
    int turns = 1;
    while (!owner_->work()) ++turns;
    EXPECT_EQ(turns, 25);
    EXPECT_TRUE(owner_->all_settled());
    owner_->claim(many);
    EXPECT_EQ(calls_for_work_, 1) << "nothing new";
}

}  // namespace
}  // namespace pollux::control
