// SPDX-License-Identifier: Apache-2.0
#pragma once

// A frame as the data plane sees it: a thin view that an adapter (mbuf, pcap, test) fills before
// Worker::process_burst and reads back after it. Owned by the worker for the length of the burst.

#include <cstdint>

#include "dataplane/lb/drop_reason.h"
#include "dataplane/net/ip_address.h"

namespace pollux::lb {

// Position of a port in DataPlaneSpec::ports and in the adapter's port table.
enum class PortId : std::uint16_t {};
inline constexpr PortId kNoPort{0xffff};

// D10: each packet ends as exactly one of these. `Consumed` means that the worker keeps the frame
// (a parked fragment) and will hand it out again through ExtraPackets or drop and count it itself.
enum class Verdict : std::uint8_t { Pending, Transmit, Punt, Drop, Consumed };

// Why a packet goes to the control core.
enum class PuntReason : std::uint8_t {
    None,
    Vrrp,                // IP protocol 112 to the VRRP groups or to an owned address
    Arp,                 // every ARP frame
    NeighbourDiscovery,  // ICMPv6 types 133..137
    LocalAddress,        // to an owned address, no service: the kernel answers (ping, ssh, RST)
    Multicast,           // other multicast or broadcast that the kernel may want
    Routed,              // to our MAC, but neither ours nor a service's: the kernel may route it
    Unresolved,          // complete but for the MAC addresses: see Packet::next_hop
};
inline constexpr unsigned kPuntReasonCount = 8;

// What the NIC said of the received frame, and what it shall do on transmit.
struct OffloadFlags {
    static constexpr std::uint16_t kRxIpChecksumGood = 1U << 0;
    static constexpr std::uint16_t kRxIpChecksumBad = 1U << 1;
    static constexpr std::uint16_t kRxL4ChecksumGood = 1U << 2;
    static constexpr std::uint16_t kRxL4ChecksumBad = 1U << 3;
    static constexpr std::uint16_t kRxHashValid = 1U << 4;  // Packet::rss_hash is set
};

struct Packet {
    std::uint8_t* data = nullptr;    // first byte of the Ethernet header
    std::uint32_t length = 0;        // contiguous bytes at data (the first segment)
    std::uint32_t frame_length = 0;  // the whole frame; > length for a multi-segment frame
    std::uint16_t headroom = 0;      // writable bytes before data (encapsulation grows into them)
    std::uint16_t tailroom = 0;      // writable bytes after data + length
    PortId port = kNoPort;           // in: received on; out (Transmit, Unresolved): leaves by
    std::uint16_t offload = 0;       // OffloadFlags
    std::uint32_t rss_hash = 0;      // host order
    Verdict verdict = Verdict::Pending;
    PuntReason punt_reason = PuntReason::None;
    DropReason drop_reason = DropReason::None;
    // Set by the worker on extra packets of its own making (answers, further fragments): they were
    // never received, so account_failed must not book them as received and dropped (D10).
    bool originated = false;
    net::IpAddress next_hop;  // only for PuntReason::Unresolved: whose MAC is missing
    void* cookie = nullptr;   // the adapter's own (mbuf pointer)
};

}  // namespace pollux::lb
