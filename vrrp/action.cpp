// SPDX-License-Identifier: Apache-2.0

#include "vrrp/action.h"

namespace pollux::vrrp {

std::string_view to_string(State state) noexcept {
    switch (state) {
        case State::Init:
            return "INIT";
        case State::Backup:
            return "BACKUP";
        case State::Master:
            return "MASTER";
        case State::Fault:
            return "FAULT";
    }
    return "unknown";
}

std::string_view to_string(Cause cause) noexcept {
    switch (cause) {
        case Cause::Started:
            return "started";
        case Cause::AddressOwner:
            return "owns the address";
        case Cause::MasterSilent:
            return "master silent";
        case Cause::MasterReleased:
            return "master released";
        case Cause::HigherPriority:
            return "higher priority master";
        case Cause::HigherAddress:
            return "equal priority master with higher address";
        case Cause::Fault:
            return "fault";
        case Cause::FaultCleared:
            return "fault cleared";
        case Cause::StepDown:
            return "step-down";
        case Cause::Stall:
            return "stalled";
        case Cause::SyncGroup:
            return "sync group";
        case Cause::Stopped:
            return "stopped";
    }
    return "unknown";
}

std::string_view to_string(Fault fault) noexcept {
    switch (fault) {
        case Fault::InterfaceDown:
            return "interface down";
        case Fault::NoAddress:
            return "no address";
        case Fault::TrackInterface:
            return "tracked interface";
        case Fault::TrackScript:
            return "tracked script";
        case Fault::TrackProcess:
            return "tracked process";
        case Fault::TrackFile:
            return "tracked file";
        case Fault::WorkerStalled:
            return "worker stalled";
        case Fault::MacRefused:
            return "virtual MAC refused";
        case Fault::SyncGroup:
            return "sync group";
    }
    return "unknown";
}

// keepalived's words in the arguments of notify commands and in the lines of the FIFO.
std::string_view to_string(Notice notice) noexcept {
    switch (notice) {
        case Notice::Master:
            return "MASTER";
        case Notice::Backup:
            return "BACKUP";
        case Notice::Fault:
            return "FAULT";
        case Notice::Stop:
            return "STOP";
        case Notice::Deleted:
            return "DELETED";
        case Notice::MasterRxLowerPriority:
            return "MASTER_RX_LOWER_PRI";
    }
    return "unknown";
}

std::string_view to_string(MismatchKind kind) noexcept {
    switch (kind) {
        case MismatchKind::Version:
            return "version";
        case MismatchKind::AuthType:
            return "auth type";
        case MismatchKind::Password:
            return "password";
        case MismatchKind::Interval:
            return "advert interval";
        case MismatchKind::Addresses:
            return "addresses";
        case MismatchKind::ChecksumForm:
            return "checksum form";
        case MismatchKind::Destination:
            return "destination";
        case MismatchKind::UnknownPeer:
            return "unknown peer";
        case MismatchKind::EqualPriority:
            return "equal priority";
        case MismatchKind::TwoOwners:
            return "two address owners";
        case MismatchKind::LinkLocal:
            return "first address not link-local";
        case MismatchKind::OwnAddress:
            return "our own address";
        case MismatchKind::Unsupported:
            return "unsupported";
    }
    return "unknown";
}

}  // namespace pollux::vrrp
