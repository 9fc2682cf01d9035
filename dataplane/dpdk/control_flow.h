// SPDX-License-Identifier: Apache-2.0
#pragma once

// Flow rules that send VRRP and ARP into a receive queue of their own (decision D12), on NICs that
// can. Control thread.

#include <cstdint>
#include <string>

namespace pollux::dpdk {

// Creates the rules on a started port; rules for IPv6 VRRP and ARP are kept where the driver takes
// them, the one for IPv4 VRRP decides. Returns "" or why the driver refuses, and leaves no rule
// behind then. Rules are created, not only validated: net_tap validates what it cannot do.
std::string steer_control_frames(std::uint16_t device, std::uint16_t queue);

}  // namespace pollux::dpdk
