// SPDX-License-Identifier: Apache-2.0
#pragma once

// Positions of services and real servers in the data plane's tables. The snapshot builder gives
// them out and keeps them stable from snapshot to snapshot, so that a connection may store them. An
// id is reused only after no connection and no persistence template refers to it.

#include <cstddef>
#include <cstdint>

namespace pollux::lb {

enum class ServiceId : std::uint32_t {};
enum class RealServerId : std::uint32_t {};
enum class WorkerId : std::uint16_t {};

inline constexpr ServiceId kNoService{0xffffffffU};
inline constexpr RealServerId kNoRealServer{0xffffffffU};

// The position as a subscript.
constexpr std::size_t index(ServiceId id) noexcept {
    return static_cast<std::size_t>(id);
}
constexpr std::size_t index(RealServerId id) noexcept {
    return static_cast<std::size_t>(id);
}
constexpr std::size_t index(WorkerId id) noexcept {
    return static_cast<std::size_t>(id);
}

}  // namespace pollux::lb
