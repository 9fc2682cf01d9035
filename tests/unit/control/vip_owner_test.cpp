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

// The kernel is what `change_kernel` was asked for; `answer` says what came of it.
class VipOwnerTest : public ::testing::Test {
  protected:
    VipOwnerTest() {
        VipHooks hooks;
        hooks.transmit = [this](lb::PortId port, std::span<const std::uint8_t> frame) {
            sent_.emplace_back(port, std::vector<std::uint8_t>(frame.begin(), frame.end()));
            return true;
        };
        hooks.add_mac = [this](lb::PortId, const net::MacAddress& added) {
            macs_.push_back("+" + added.to_string());
            return mac_answer_;
        };
        hooks.remove_mac = [this](lb::PortId, const net::MacAddress& removed) {
            macs_.push_back("-" + removed.to_string());
            return ok_status();
        };
        hooks.changed = [this] { ++changes_; };
        hooks.work_later = [this] { ++calls_for_work_; };
        hooks.change_kernel = [this](std::vector<KernelChange> changes, KernelWriter::Done done) {
            asked_ = std::move(changes);
            done_ = std::move(done);
        };
        hooks.settled = [this] { ++settled_; };
        owner_.emplace(ports_, std::move(hooks));
    }
    void claim(const std::vector<Vip>& vips) { EXPECT_TRUE(owner_->claim(vips)); }
    // The kernel has made the changes that it was asked for.
    void answer(const Status& status = ok_status()) {
        std::exchange(done_, {})(std::vector<Status>(asked_.size(), status));
    }
    std::vector<std::string> asked() const {
        std::vector<std::string> lines;
        for (const KernelChange& change : asked_) {
            lines.push_back((change.present ? "+" : "-") +
                            std::get<AddressRequest>(change.what).prefix.to_string());
        }
        return lines;
    }

    static Vip vip(const std::string& address, const net::MacAddress& owner_mac = kVirtualMac) {
        Vip result;
        result.address = prefix(address);
        result.port = lb::PortId{0};
        result.mac = owner_mac;
        return result;
    }

    PortTable ports_ = two_ports();
    Status mac_answer_ = ok_status();
    std::vector<KernelChange> asked_;
    KernelWriter::Done done_;
    int settled_ = 0;
    std::optional<VipOwner> owner_;
    std::vector<std::pair<lb::PortId, std::vector<std::uint8_t>>> sent_;
    std::vector<std::string> macs_;
    int changes_ = 0;
    int calls_for_work_ = 0;
};

TEST_F(VipOwnerTest, AnswersArpForAHeldAddressWithItsMac) {
    claim(std::vector{vip("10.0.0.100/24")});

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
    claim(std::vector{vip("10.0.0.100/24")});
    owner_->release(std::vector{vip("10.0.0.100/24")});

    EXPECT_FALSE(owner_->receive(lb::PortId{0}, arp_request("10.0.0.100", "10.0.0.1")));
    EXPECT_TRUE(sent_.empty());
}

TEST_F(VipOwnerTest, OnAnotherPortNobodyAnswers) {
    claim(std::vector{vip("10.0.0.100/24")});

    EXPECT_TRUE(owner_->receive(lb::PortId{1}, arp_request("10.0.0.100", "10.0.0.1")));
    EXPECT_TRUE(sent_.empty());
}

TEST_F(VipOwnerTest, VirtualMacLivesAsLongAsOneOfItsAddresses) {
    const std::vector both{vip("10.0.0.100/24"), vip("10.0.0.101/24")};
    claim(both);
    owner_->release(std::vector{both[0]});
    EXPECT_EQ(macs_, (std::vector<std::string>{"+00:00:5e:00:01:33"}));

    owner_->release(std::vector{both[1]});
    EXPECT_EQ(macs_, (std::vector<std::string>{"+00:00:5e:00:01:33", "-00:00:5e:00:01:33"}));
}

TEST_F(VipOwnerTest, ManyAddressesCostOneChangeAndRepetitionNone) {
    const std::vector both{vip("10.0.0.100/24"), vip("10.0.0.101/24")};
    claim(both);
    EXPECT_EQ(changes_, 1);
    claim(both);
    EXPECT_EQ(changes_, 1);
    owner_->release(both);
    EXPECT_EQ(changes_, 2);
}

TEST_F(VipOwnerTest, ReleaseByAFormerHolderDoesNotTakeTheAddressFromTheNewOne) {
    Vip before = vip("10.0.0.100/24");
    Vip now = vip("10.0.0.100/24", mac("00:00:5e:00:01:44"));
    claim(std::vector{before});
    claim(std::vector{now});
    owner_->release(std::vector{before});

    EXPECT_TRUE(owner_->owns(ip("10.0.0.100")));
    EXPECT_EQ(owner_->owned().at(0).mac, now.mac);
}

TEST_F(VipOwnerTest, KernelsFramesFromAVipLeaveWithItsMac) {
    claim(std::vector{vip("10.0.0.100/24")});
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
    claim(std::vector{held});

    owner_->rewrite_destination(lb::PortId{1}, frame);
    EXPECT_EQ(ethernet.destination, kVirtualMac) << "the other port has no such MAC";
    owner_->rewrite_destination(lb::PortId{0}, frame);
    EXPECT_EQ(ethernet.destination, ports_.ports[0].mac);

    ethernet.destination = kVirtualMac;
    owner_->release(std::vector{held});
    owner_->rewrite_destination(lb::PortId{0}, frame);
    EXPECT_EQ(ethernet.destination, kVirtualMac) << "a virtual MAC that is not ours any more";
}

TEST_F(VipOwnerTest, TheKernelsShareOfHundredsOfAddressesIsDoneInPortions) {
    std::vector<Vip> many;
    for (int i = 0; i < 600; ++i) {
        many.push_back(
            vip("10.0." + std::to_string(1 + i / 200) + "." + std::to_string(1 + i % 200)));
    }
    claim(many);
    EXPECT_EQ(calls_for_work_, 1);
    EXPECT_TRUE(owner_->owns(ip("10.0.3.200"))) << "answered for at once";
    for (const std::size_t portion : {256U, 256U, 88U}) {
        owner_->work();
        EXPECT_EQ(asked_.size(), portion);
        EXPECT_FALSE(owner_->all_settled());
        EXPECT_EQ(settled_, 0);
        answer();
    }
    EXPECT_EQ(calls_for_work_, 3);
    EXPECT_EQ(settled_, 1);
    EXPECT_TRUE(owner_->all_settled());
    claim(many);
    EXPECT_EQ(calls_for_work_, 3) << "nothing new";
}

TEST_F(VipOwnerTest, OnePortionAtATimeAndRemovalsFirst) {
    claim(std::vector{vip("10.0.0.100/24")});
    owner_->work();
    EXPECT_EQ(asked(), (std::vector<std::string>{"+10.0.0.100/24"}));
    asked_.clear();
    claim(std::vector{vip("10.0.0.50/24")});
    owner_->release(std::vector{vip("10.0.0.100/24")});
    owner_->work();
    EXPECT_TRUE(asked_.empty()) << "the kernel is not done with the first";
    asked_.resize(1);
    answer();
    owner_->work();
    EXPECT_EQ(asked(), (std::vector<std::string>{"-10.0.0.100/24", "+10.0.0.50/24"}));
}

TEST_F(VipOwnerTest, AnAddressThatTheKernelRefusedIsNotTakenFromIt) {
    claim(std::vector{vip("10.0.0.100/24")});
    owner_->work();
    answer(Error{"no room", ""});
    EXPECT_EQ(owner_->failures(), 1U);
    owner_->release(std::vector{vip("10.0.0.100/24")});
    asked_.clear();
    owner_->work();
    EXPECT_TRUE(asked_.empty());
    EXPECT_TRUE(owner_->all_settled());
}

TEST_F(VipOwnerTest, PortsWithoutATapAskNothingOfTheKernel) {
    ports_.ports[0].interface = kNoInterface;
    claim(std::vector{vip("10.0.0.100/24")});
    owner_->work();
    EXPECT_TRUE(asked_.empty());
    EXPECT_EQ(settled_, 1);
}

TEST_F(VipOwnerTest, SaysThatAVirtualMacWasRefused) {
    mac_answer_ = Error{"no promiscuous mode", "turn use_vmac off"};
    const Status claimed = owner_->claim(std::vector{vip("10.0.0.100/24"), vip("10.0.0.101/24")});
    ASSERT_FALSE(claimed);
    EXPECT_EQ(claimed.error().message, "no promiscuous mode");
    EXPECT_TRUE(owner_->owns(ip("10.0.0.100")));
    // The port's own needs no filter.
    EXPECT_TRUE(owner_->claim(std::vector{vip("10.0.0.102/24", ports_.ports[0].mac)}));
}

TEST_F(VipOwnerTest, TryingAMacLeavesNothingBehind) {
    EXPECT_TRUE(owner_->try_mac(lb::PortId{0}, kVirtualMac));
    EXPECT_EQ(macs_, (std::vector<std::string>{"+00:00:5e:00:01:33", "-00:00:5e:00:01:33"}));
    mac_answer_ = Error{"no promiscuous mode", "turn use_vmac off"};
    EXPECT_FALSE(owner_->try_mac(lb::PortId{0}, kVirtualMac));
    // One that is in use is not touched.
    mac_answer_ = ok_status();
    claim(std::vector{vip("10.0.0.100/24")});
    macs_.clear();
    EXPECT_TRUE(owner_->try_mac(lb::PortId{0}, kVirtualMac));
    EXPECT_TRUE(macs_.empty());
}

}  // namespace
}  // namespace pollux::control
