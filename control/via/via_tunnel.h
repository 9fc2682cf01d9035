// SPDX-License-Identifier: Apache-2.0
#pragma once

// Puts a probe's packet into the tunnel that the service's packets take. Pure; control thread.

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/lb/tunnel.h"

namespace pollux::control {

// The IP packet lies in `buffer` from `room` to the end; the outer header is written in front of
// it. Returns where that begins. `ip_id` goes up where it is used. Precondition: `room` is at least
// header.length, the packet has been parsed.
[[nodiscard]] std::size_t put_in_tunnel(std::span<std::uint8_t> buffer, std::size_t room,
                                        const lb::TunnelTemplate& header, std::uint16_t& ip_id);

}  // namespace pollux::control
