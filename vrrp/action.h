// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an event asks the caller to do. Each event returns one list; the caller carries it out in
// order. Control thread.

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "dataplane/net/ip_address.h"
#include "vrrp/clock.h"

namespace pollux::vrrp {

// keepalived's names. Init: not started, in its startup delay, or stopped.
enum class State : std::uint8_t { Init, Backup, Master, Fault };

// Why a state changed.
enum class Cause : std::uint8_t {
    Started,
    AddressOwner,    // priority 255: master without waiting
    MasterSilent,    // the master-down timer expired
    MasterReleased,  // a priority 0 advertisement, then the skew time
    HigherPriority,  // another master has a higher priority
    HigherAddress,   // another master has the same priority and a higher address
    Fault,           // interface, script, process, file, worker or address
    FaultCleared,
    StepDown,  // the operator's wish
    Stall,     // this node was asleep for so long that others must have taken over
    SyncGroup,
    Stopped,
};

// What can keep an instance from taking part; several at once.
enum class Fault : std::uint8_t {
    InterfaceDown,
    NoAddress,  // the interface has no address of the family to advertise from
    TrackInterface,
    TrackScript,
    TrackProcess,
    TrackFile,
    WorkerStalled,  // a master may only advertise while packets are forwarded
    MacRefused,     // the port does not receive for the virtual MAC
    SyncGroup,      // another member of the group is in fault
};
inline constexpr unsigned kFaultCount = 9;

class FaultSet {
  public:
    constexpr FaultSet() noexcept = default;

    constexpr void set(Fault fault, bool present) noexcept {
        const auto bit = static_cast<std::uint16_t>(1U << static_cast<unsigned>(fault));
        bits_ = static_cast<std::uint16_t>(present ? bits_ | bit : bits_ & ~bit);
    }
    [[nodiscard]] constexpr bool has(Fault fault) const noexcept {
        return (bits_ & (1U << static_cast<unsigned>(fault))) != 0;
    }
    [[nodiscard]] constexpr bool any() const noexcept { return bits_ != 0; }
    friend constexpr bool operator==(FaultSet, FaultSet) noexcept = default;

  private:
    std::uint16_t bits_ = 0;
};

// Send an advertisement now, to the group or to each unicast peer; Instance::message says what.
struct SendAdvert {
    std::uint8_t priority = 0;
    bool operator==(const SendAdvert&) const = default;
};
// Begin and end to answer ARP and ND for the virtual addresses and to forward for them (virtual MAC
// included). Starting precedes every announcement; stopping precedes the removal.
struct StartAnswering {
    bool operator==(const StartAnswering&) const = default;
};
struct StopAnswering {
    bool operator==(const StopAnswering&) const = default;
};
// Put the addresses, routes and rules on the exception path, or take them off it.
struct AddAddresses {
    bool operator==(const AddAddresses&) const = default;
};
struct RemoveAddresses {
    bool operator==(const RemoveAddresses&) const = default;
};

enum class AnnounceReason : std::uint8_t { BecameMaster, OtherMaster, Operator };
// Queue gratuitous ARP or unsolicited NA for every virtual address.
struct Announce {
    AnnounceReason reason{};
    bool operator==(const Announce&) const = default;
};
struct CancelAnnouncements {
    bool operator==(const CancelAnnouncements&) const = default;
};

// What notify commands and the notify FIFO are told.
enum class Notice : std::uint8_t { Master, Backup, Fault, Stop, Deleted, MasterRxLowerPriority };
struct Notify {
    Notice notice{};
    std::uint8_t priority = 0;
    bool operator==(const Notify&) const = default;
};

// One line for the log.
struct LogTransition {
    State from{};
    State to{};
    Cause cause{};
    net::IpAddress peer;  // family None: no peer took part
    std::uint8_t peer_priority = 0;
    bool operator==(const LogTransition&) const = default;
};

// What does not fit between us and another sender.
enum class MismatchKind : std::uint8_t {
    Version,
    AuthType,
    Password,
    Interval,
    Addresses,
    ChecksumForm,   // theirs is not the one that we are told to send
    Destination,    // unicast against multicast
    UnknownPeer,    // unicast from a stranger
    EqualPriority,  // the address decides, not the operator
    TwoOwners,      // priority 255 on both sides
    LinkLocal,      // the first IPv6 address is not link-local (RFC 9568 section 5.2.9)
    OwnAddress,     // another station sends from our address, or a switch loops
    Unsupported,    // AH
};
inline constexpr unsigned kMismatchKindCount = 13;

// A mismatch is new, or has lasted for another minute; Instance::mismatches has both values.
struct WarnMismatch {
    MismatchKind kind{};
    bool operator==(const WarnMismatch&) const = default;
};
// Another master is heard, or another station claims a virtual address: raise the alarm. Once per
// conflict; the last words of a master that we have just replaced are none.
struct WarnSplitBrain {
    net::IpAddress peer;
    std::uint8_t peer_priority = 0;
    bool operator==(const WarnSplitBrain&) const = default;
};
// The conflict has lasted for an interval, although the other one was answered: run the fence hook.
// Once per conflict.
struct Fence {
    net::IpAddress peer;
    std::uint8_t peer_priority = 0;
    bool operator==(const Fence&) const = default;
};
// This node was asleep for `gap`.
struct WarnStall {
    Duration gap{};
    bool operator==(const WarnStall&) const = default;
};

// Adverts of a virtual router that is not configured on that interface; RouterSet::strangers knows
// more. At most once in ten seconds.
struct WarnStranger {
    std::uint8_t virtual_router_id = 0;
    net::IpAddress source;
    bool operator==(const WarnStranger&) const = default;
};

// When to call Instance::timer_expired; kNever: not at all. At most one per list, the last entry.
struct ArmTimer {
    TimePoint deadline{};
    bool operator==(const ArmTimer&) const = default;
};

using Action = std::variant<SendAdvert, StartAnswering, StopAnswering, AddAddresses,
                            RemoveAddresses, Announce, CancelAnnouncements, Notify, LogTransition,
                            WarnMismatch, WarnSplitBrain, Fence, WarnStall, WarnStranger, ArmTimer>;
using Actions = std::vector<Action>;

[[nodiscard]] std::string_view to_string(State state) noexcept;        // "MASTER"
[[nodiscard]] std::string_view to_string(Cause cause) noexcept;        // a phrase
[[nodiscard]] std::string_view to_string(Fault fault) noexcept;        // "interface down"
[[nodiscard]] std::string_view to_string(Notice notice) noexcept;      // "MASTER_RX_LOWER_PRI"
[[nodiscard]] std::string_view to_string(MismatchKind kind) noexcept;  // "advert interval"

}  // namespace pollux::vrrp
