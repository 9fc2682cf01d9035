// SPDX-License-Identifier: Apache-2.0

// One test per statement of RFC 9568 (and RFC 3768 for version 2) about sending (T) and receiving
// (R). docs/rfc9568.md lists them all.

#include <gtest/gtest.h>

#include "tests/support/vrrp_builders.h"
#include "vrrp/router_set.h"

namespace pollux::vrrp::test {
namespace {

std::vector<std::uint8_t> sent_frame(const InstanceConfig& config, std::uint8_t priority) {
    const Node node(config);
    const AdvertMessage message = node.instance.message(priority);
    AdvertEnvelope envelope;
    envelope.source_mac = virtual_mac(config.family, config.virtual_router_id);
    envelope.destination_mac = group_mac(config.group);
    envelope.source = node.instance.source();
    envelope.destination = config.group;
    std::vector<std::uint8_t> frame(advert_frame_length(message));
    write_advert_frame(message, envelope, frame);
    return frame;
}

std::vector<std::uint8_t> slice(const std::vector<std::uint8_t>& bytes, std::size_t from,
                                std::size_t length) {
    return {bytes.begin() + static_cast<std::ptrdiff_t>(from),
            bytes.begin() + static_cast<std::ptrdiff_t>(from + length)};
}

TEST(RfcTransmit, T1ProtocolGroupAndTtl) {
    const auto v4 = sent_frame(config_v3(), 100);
    EXPECT_EQ(slice(v4, 22, 2), hex("ff 70"));
    EXPECT_EQ(slice(v4, 30, 4), hex("e0000012"));
    const auto v6 = sent_frame(config_v6(), 100);
    EXPECT_EQ(slice(v6, 20, 2), hex("70 ff"));
    EXPECT_EQ(slice(v6, 38, 16), hex("ff020000000000000000000000000012"));
}

TEST(RfcTransmit, T2SourceIsTheInterfaceAddressThatWasTold) {
    EXPECT_EQ(slice(sent_frame(config_v3(), 100), 26, 4), hex("0a000005"));
    EXPECT_EQ(slice(sent_frame(config_v6(), 100), 22, 16), hex("fe800000000000000000000000000005"));
}

TEST(RfcTransmit, T3VirtualMacAndGroupMac) {
    EXPECT_EQ(slice(sent_frame(config_v3(), 100), 0, 12), hex("01005e000012 00005e000133"));
    EXPECT_EQ(slice(sent_frame(config_v6(), 100), 0, 12), hex("333300000012 00005e000233"));
}

TEST(RfcTransmit, T4Version2AlwaysEndsInEightBytesOfAuthentication) {
    const auto frame = sent_frame(config_v2(), 100);
    EXPECT_EQ(frame.size(), 34U + 8 + 4 + 8);
    EXPECT_EQ(slice(frame, 46, 8), hex("0000000000000000"));
    EXPECT_EQ(frame[39], 1) << "interval in seconds";
}

TEST(RfcTransmit, T5Version3IntervalIsTwelveBitsOfCentiseconds) {
    InstanceConfig config = config_v3();
    for (const auto& [interval, field] :
         {std::pair<Duration, const char*>{10ms, "0001"}, {1s, "0064"}, {40950ms, "0fff"}}) {
        config.advert_interval = interval;
        const auto frame = sent_frame(config, 100);
        EXPECT_EQ(frame.size(), 34U + 8 + 4);
        EXPECT_EQ(slice(frame, 38, 2), hex(field));
    }
}

// The checksums themselves are pinned by the recorded frames (T6, T7, T8).
TEST(RfcTransmit, T6Version2ChecksumHasNoPseudoHeader) {
    EXPECT_EQ(slice(sent_frame(config_v2(), 100), 40, 2), hex("70c7"));
}

TEST(RfcTransmit, T7Ipv6ChecksumHasAPseudoHeader) {
    const auto frame = sent_frame(config_v6(), 100);
    EXPECT_EQ(decode_frame(frame).error, DecodeError::None);
    auto moved = frame;
    moved[37] = 6;  // another source address: the sum must not fit any more
    EXPECT_EQ(decode_frame(moved).error, DecodeError::Checksum);
}

TEST(RfcTransmit, T8Ipv4ChecksumFormIsConfigured) {
    InstanceConfig config = config_v3();
    config.checksum = ChecksumPolicy::PseudoHeader;
    EXPECT_EQ(slice(sent_frame(config, 100), 40, 2), hex("75d0"));
    config.checksum = ChecksumPolicy::MessageOnly;
    EXPECT_EQ(slice(sent_frame(config, 100), 40, 2), hex("6064"));
}

TEST(RfcTransmit, T8AutoFollowsTheFormOfTheLastValidPeer) {
    Node node(config_v3());
    node.start();
    EXPECT_EQ(node.instance.message(100).checksum_form, ChecksumForm::PseudoHeader);
    PeerAdvert peer(config_v3(), 150);
    peer.form = ChecksumForm::MessageOnly;
    node.hear(peer);
    EXPECT_EQ(node.instance.message(100).checksum_form, ChecksumForm::MessageOnly);
    peer.form = ChecksumForm::PseudoHeader;
    peer.ttl = 254;  // not valid: no lesson
    node.hear(peer);
    EXPECT_EQ(node.instance.message(100).checksum_form, ChecksumForm::MessageOnly);
    EXPECT_EQ(node.instance.counters().checksum_rfc9568_rcvd, 1U);
}

TEST(RfcTransmit, T9AddressesKeepTheirOrderLinkLocalFirst) {
    EXPECT_EQ(slice(sent_frame(config_v6(), 100), 62, 16), hex("fe800000000000000000000000000003"));
}

TEST(RfcTransmit, T10PriorityIs255OnlyForAnOwnerAnd0OnlyWhenReleasing) {
    InstanceConfig config = config_v3();
    config.priority = kPriorityOwner;
    Node owner(config);
    EXPECT_EQ(sent_priorities(owner.start()), std::vector<std::uint8_t>{255});
    EXPECT_EQ(sent_priorities(owner.stop()), std::vector<std::uint8_t>{0});
}

TEST(RfcTransmit, T11OneFamilyPerAdvert) {
    EXPECT_EQ(sent_frame(config_v3(), 100).size(), 34U + 8 + 4);
    EXPECT_EQ(sent_frame(config_v6(), 100).size(), 54U + 8 + 2 * 16);
}

// --- receiving --------------------------------------------------------------------------------

// A MASTER and a BACKUP with equal configuration; `advert` would make the master yield and the
// backup start its timer anew if it were heard.
void expect_rejected(const InstanceConfig& config, const std::vector<std::uint8_t>& frame,
                     std::uint64_t Counters::*counter) {
    Node master(config);
    master.become_master();
    Node backup(config);
    backup.start();
    backup.pass(1s);
    for (Node* node : {&master, &backup}) {
        const TimePoint deadline = node->instance.deadline();
        const State state = node->instance.state();
        node->pass(10ms);
        node->hear_frame(frame);
        EXPECT_TRUE(all_of<SendAdvert>(node->log).empty());
        EXPECT_TRUE(all_of<ArmTimer>(node->log).empty());
        EXPECT_EQ(node->instance.state(), state);
        EXPECT_EQ(node->instance.deadline(), deadline) << "F1: no timer may move";
        EXPECT_FALSE(node->instance.master().has_value());
        EXPECT_EQ(node->instance.counters().*counter, 1U);
        EXPECT_EQ(node->instance.counters().advert_rcvd, 0U);
    }
}

TEST(RfcReceive, R1TtlMustBe255) {
    PeerAdvert peer(config_v3(), 200);
    peer.ttl = 254;
    expect_rejected(config_v3(), peer.frame(), &Counters::ip_ttl_err);
}

TEST(RfcReceive, R1TtlIsNotCheckedForRoutedUnicastPeers) {
    InstanceConfig config = config_v3();
    config.unicast_peers = {kHighPeer};
    config.unicast_ttl = 64;
    Node node(config);
    node.start();
    PeerAdvert peer(config_v3(), 200);
    peer.ttl = 60;
    peer.destination = kOurAddress;
    node.hear(peer);
    EXPECT_EQ(node.instance.counters().advert_rcvd, 1U);
}

TEST(RfcReceive, R2VersionMustBeOurs) {
    expect_rejected(config_v3(), PeerAdvert(config_v2(), 200).frame(), &Counters::vers_err);
    expect_rejected(config_v2(), PeerAdvert(config_v3(), 200).frame(), &Counters::vers_err);
}

TEST(RfcReceive, R2TypeMustBeAdvertisement) {
    auto frame = PeerAdvert(config_v3(), 200).frame();
    frame[34] = 0x32;
    expect_rejected(config_v3(), frame, &Counters::invalid_type_rcvd);
}

TEST(RfcReceive, R3ShorterThanItsAddressesIsDropped) {
    auto frame = PeerAdvert(config_v3(), 200).frame();
    frame[37] = 2;
    expect_rejected(config_v3(), frame, &Counters::packet_len_err);
}

TEST(RfcReceive, R3EthernetPaddingIsNotLength) {
    Node node(config_v3());
    node.start();
    auto frame = PeerAdvert(config_v3(), 200).frame();
    frame.resize(60);
    node.hear_frame(frame);
    EXPECT_EQ(node.instance.counters().advert_rcvd, 1U);
}

TEST(RfcReceive, R4BadChecksumIsDropped) {
    auto frame = PeerAdvert(config_v3(), 200).frame();
    frame[40] ^= 1U;
    expect_rejected(config_v3(), frame, &Counters::chk_err);
}

TEST(RfcReceive, R4EitherIpv4FormIsHeardAndCounted) {
    Node node(config_v3());
    node.start();
    PeerAdvert peer(config_v3(), 200);
    node.hear(peer);
    peer.form = ChecksumForm::MessageOnly;
    node.hear(peer);
    EXPECT_EQ(node.instance.counters().checksum_pseudo_header_rcvd, 1U);
    EXPECT_EQ(node.instance.counters().checksum_rfc9568_rcvd, 1U);
    EXPECT_EQ(node.instance.counters().advert_rcvd, 2U);
}

TEST(RfcReceive, R5UnknownVirtualRouterIsDroppedAndListed) {
    RouterSet set;
    const InstanceId id = set.add(InterfaceId{0}, config_v3());
    set.set_source(id, kOurAddress, {});
    set.start(id, {});
    InstanceConfig stranger = config_v3();
    stranger.virtual_router_id = 7;
    const auto frame = PeerAdvert(stranger, 200).frame();
    const RoutedActions first = set.receive(InterfaceId{0}, frame, TimePoint(1s));
    const RoutedActions other_port =
        set.receive(InterfaceId{1}, PeerAdvert(config_v3(), 200).frame(), TimePoint(1s));
    EXPECT_EQ(set.receive_counters().vrid_err, 2U);
    EXPECT_EQ(set.instance(id).counters(), Node(config_v3()).instance.counters());
    ASSERT_EQ(set.strangers().size(), 2U);
    EXPECT_EQ(set.strangers()[0].virtual_router_id, 7);
    EXPECT_EQ(set.strangers()[0].source, kHighPeer);
    EXPECT_EQ(set.strangers()[0].addresses, stranger.addresses);
    ASSERT_EQ(first.size(), 1U);
    EXPECT_EQ(std::get<WarnStranger>(first[0].action).virtual_router_id, 7);
    EXPECT_TRUE(other_port.empty()) << "warnings are rate-limited";
}

// Published: discard. Erratum 8298: an owner may still log. Ours: an owner never yields to a lower
// priority, and says which address owner it heard.
TEST(RfcReceive, R6OwnerDoesNotYieldToOthers) {
    InstanceConfig config = config_v3();
    config.priority = kPriorityOwner;
    Node owner(config);
    owner.start();
    owner.hear(PeerAdvert(config_v3(), 254));
    EXPECT_EQ(owner.instance.state(), State::Master);
}

TEST(RfcReceive, R7CountZeroIsDropped) {
    InstanceConfig empty = config_v3();
    empty.addresses.clear();
    expect_rejected(config_v3(), PeerAdvert(empty, 200).frame(), &Counters::addr_list_err);
}

TEST(RfcReceive, R7IntervalZeroIsDropped) {
    InstanceConfig zero = config_v3();
    zero.advert_interval = 0s;
    expect_rejected(config_v3(), PeerAdvert(zero, 200).frame(), &Counters::advert_interval_err);
}

TEST(RfcReceive, R7FirstIpv6AddressNotLinkLocalIsDroppedWhenStrict) {
    InstanceConfig peer = config_v6();
    peer.addresses = {ip("fd00::3"), ip("fe80::3")};
    InstanceConfig config = config_v6();
    config.strict = true;
    expect_rejected(config, PeerAdvert(peer, 200).frame(), &Counters::addr_list_err);
    config.strict = false;
    Node lenient(config);
    lenient.start();
    lenient.hear(PeerAdvert(peer, 200));
    EXPECT_EQ(lenient.instance.counters().advert_rcvd, 1U) << "keepalived does not sort them";
}

TEST(RfcReceive, R8AuthenticationMustFit) {
    InstanceConfig pass = config_v2();
    pass.auth_type = kAuthPass;
    pass.auth_data = {'1', '1', '1', '1'};
    InstanceConfig other = pass;
    other.auth_data = {'2'};
    InstanceConfig odd = config_v2();
    odd.auth_type = 7;
    expect_rejected(pass, PeerAdvert(other, 200).frame(), &Counters::auth_failure);
    expect_rejected(pass, PeerAdvert(config_v2(), 200).frame(), &Counters::authtype_mismatch);
    expect_rejected(config_v2(), PeerAdvert(pass, 200).frame(), &Counters::authtype_mismatch);
    expect_rejected(config_v2(), PeerAdvert(odd, 200).frame(), &Counters::invalid_authtype);
}

TEST(RfcReceive, R8Version2IntervalMustBeOurs) {
    InstanceConfig slow = config_v2();
    slow.advert_interval = 2s;
    expect_rejected(config_v2(), PeerAdvert(slow, 200).frame(), &Counters::advert_interval_err);
}

TEST(RfcReceive, R9Version2AddressListMustBeOursUnlessFromTheOwner) {
    InstanceConfig other = config_v2();
    other.addresses = {ip("10.0.0.9")};
    expect_rejected(config_v2(), PeerAdvert(other, 200).frame(), &Counters::addr_list_err);
    Node node(config_v2());
    node.start();
    node.hear(PeerAdvert(other, kPriorityOwner));
    EXPECT_EQ(node.instance.counters().advert_rcvd, 1U);
}

TEST(RfcReceive, R9Version3DifferencesAreHeardAndNamed) {
    InstanceConfig other = config_v3();
    other.addresses = {ip("10.0.0.9"), ip("10.0.0.8")};
    other.advert_interval = 2s;
    Node node(config_v3());
    node.start();
    node.hear(PeerAdvert(other, 200));
    EXPECT_EQ(node.instance.counters().advert_rcvd, 1U);
    EXPECT_EQ(node.instance.counters().addr_list_mismatch, 1U);
    EXPECT_EQ(node.instance.counters().advert_interval_mismatch, 1U);
    const MismatchRecord* addresses = node.instance.mismatches().find(MismatchKind::Addresses);
    ASSERT_NE(addresses, nullptr);
    EXPECT_EQ(addresses->ours_text(), "10.0.0.3");
    EXPECT_EQ(addresses->theirs_text(), "10.0.0.9, 10.0.0.8");
    const MismatchRecord* interval = node.instance.mismatches().find(MismatchKind::Interval);
    ASSERT_NE(interval, nullptr);
    EXPECT_EQ(interval->ours_text(), "1000ms");
    EXPECT_EQ(interval->theirs_text(), "2000ms");
    EXPECT_EQ(all_of<WarnMismatch>(node.log).size(), 2U);
}

TEST(RfcReceive, R9OrderOfAddressesIsNoDifference) {
    InstanceConfig ours = config_v2();
    ours.addresses = {ip("10.0.0.3"), ip("10.0.0.4")};
    InstanceConfig theirs = ours;
    std::swap(theirs.addresses[0], theirs.addresses[1]);
    Node node(ours);
    node.start();
    node.hear(PeerAdvert(theirs, 200));
    EXPECT_EQ(node.instance.counters().advert_rcvd, 1U);
    EXPECT_EQ(node.instance.counters().addr_list_mismatch, 0U);
}

TEST(RfcReceive, R10ReservedBitsAreIgnored) {
    auto frame = PeerAdvert(config_v3(), 200).frame();
    frame[38] = 0xf0;  // and its complement in the checksum's high byte
    const unsigned sum = (static_cast<unsigned>(frame[40]) << 8U | frame[41]) + 0xffffU - 0xf000U;
    const unsigned folded = (sum & 0xffffU) + (sum >> 16U);
    frame[40] = static_cast<std::uint8_t>(folded >> 8U);
    frame[41] = static_cast<std::uint8_t>(folded);
    Node node(config_v3());
    node.start();
    node.hear_frame(frame);
    EXPECT_EQ(node.instance.counters().advert_rcvd, 1U);
}

TEST(RfcReceive, R11WarningsAreRateLimited) {
    Node node(config_v2());
    node.start();
    unsigned warnings = 0;
    for (int i = 0; i < 1190; ++i) {
        node.pass(100ms);
        node.hear(PeerAdvert(config_v3(), 200));
        warnings += static_cast<unsigned>(all_of<WarnMismatch>(node.log).size());
    }
    EXPECT_EQ(warnings, 2U) << "one at first, one after a minute";
    EXPECT_EQ(node.instance.counters().vers_err, 1190U);
}

// --- beyond the RFC ---------------------------------------------------------------------------

TEST(Receive, OwnAddressIsRejected) {
    PeerAdvert echo(config_v3(), 200);
    echo.from(kOurAddress);
    expect_rejected(config_v3(), echo.frame(), &Counters::own_address_err);
}

TEST(Receive, UnicastWhereMulticastIsConfiguredAndTheReverseAreRejected) {
    PeerAdvert unicast(config_v3(), 200);
    unicast.destination = kOurAddress;
    expect_rejected(config_v3(), unicast.frame(), &Counters::destination_err);
    InstanceConfig config = config_v3();
    config.unicast_peers = {kHighPeer};
    expect_rejected(config, PeerAdvert(config_v3(), 200).frame(), &Counters::destination_err);
}

TEST(Receive, UnicastStrangerIsRejected) {
    InstanceConfig config = config_v3();
    config.unicast_peers = {kHighPeer};
    PeerAdvert stranger(config_v3(), 200);
    stranger.from(ip("10.0.0.77")).destination = kOurAddress;
    expect_rejected(config, stranger.frame(), &Counters::unicast_source_err);
}

TEST(Receive, AuthenticationHeaderIsRefusedWithTheReason) {
    Node node(config_v2());
    node.start();
    Decoded packet;
    packet.error = DecodeError::AuthenticationHeader;
    packet.has_virtual_router_id = true;
    packet.advert.source = kHighPeer;
    node.take(node.instance.receive(packet, node.now));
    EXPECT_EQ(node.instance.counters().invalid_authtype, 1U);
    const MismatchRecord* record = node.instance.mismatches().find(MismatchKind::Unsupported);
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(record->theirs_text(), "AH");
}

TEST(Receive, SkipCheckAdvAddrTrustsTheSameMaster) {
    InstanceConfig config = config_v2();
    config.skip_check_adv_addr = true;
    Node node(config);
    node.start();
    InstanceConfig other = config_v2();
    other.addresses = {ip("10.0.0.9")};
    node.hear(PeerAdvert(other, 200));
    EXPECT_EQ(node.instance.counters().addr_list_err, 1U) << "not at first contact";
    node.hear(PeerAdvert(config_v2(), 200));
    node.hear(PeerAdvert(other, 200));
    EXPECT_EQ(node.instance.counters().addr_list_err, 1U);
    EXPECT_EQ(node.instance.counters().advert_rcvd, 2U);
}

TEST(Receive, PasswordsAreNeverShown) {
    InstanceConfig pass = config_v2();
    pass.auth_type = kAuthPass;
    pass.auth_data = {'s', 'e', 'c', 'r', 'e', 't'};
    InstanceConfig wrong = pass;
    wrong.auth_data = {'s', 'e', 'c', 'r', 'e', 'x'};
    Node node(pass);
    node.start();
    node.hear(PeerAdvert(wrong, 200));
    const MismatchRecord* record = node.instance.mismatches().find(MismatchKind::Password);
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(record->ours_text() + record->theirs_text(), "(configured)(another)");
}

TEST(Receive, StrangerTableIsBounded) {
    RouterSet set;
    for (int i = 0; i < 1000; ++i) {
        InstanceConfig stranger = config_v3();
        stranger.virtual_router_id = static_cast<std::uint8_t>(1 + i % 200);
        const auto source = net::IpAddress::from_v4(
            net::Ipv4Address::from_host(0x0a000100U + static_cast<std::uint32_t>(i)));
        set.receive(InterfaceId{0}, PeerAdvert(stranger, 100).from(source).frame(),
                    TimePoint(std::chrono::milliseconds(i)));
    }
    EXPECT_EQ(set.strangers().size(), StrangerTable::kMaxStrangers);
    EXPECT_EQ(set.receive_counters().vrid_err, 1000U);
}

}  // namespace
}  // namespace pollux::vrrp::test
