// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows that [global.vrrp] and [[vrrp_instance]] have in common. Only schema_*.cpp files include
// this.

#include <array>
#include <vector>

#include "control/config/config_vrrp.h"
#include "control/config/schema_fields.h"

namespace pollux::control::schema {

extern const std::array<Choice, 4> kChecksums;

// `Path`: from the table's object to its VrrpTuning. An instance inherits each of these.
template <auto... Path>
std::vector<KeyRow> tuning_rows() {
    using std::chrono::seconds;
    return {
        {"strict", boolean<Path..., &VrrpTuning::strict>(), "false", kReload,
         "RFC 9568 to the letter: no authentication, no unicast"},
        {"skip_check_adv_addr", boolean<Path..., &VrrpTuning::skip_check_adv_addr>(), "false",
         kReload, "compare the addresses of a master's first advertisement only"},
        {"check_unicast_src", boolean<Path..., &VrrpTuning::check_unicast_src>(), "true", kReload,
         "accept unicast advertisements from unicast_peer only"},
        {"lower_prio_no_advert", boolean<Path..., &VrrpTuning::lower_prio_no_advert>(), "false",
         kReload, "as MASTER do not answer an advertisement of lower priority"},
        {"higher_prio_send_advert", boolean<Path..., &VrrpTuning::higher_prio_send_advert>(),
         "true", kReload, "as MASTER send a last advertisement when yielding"},
        {"down_timer_adverts", number<Path..., &VrrpTuning::down_timer_adverts>(1, 100), "3",
         kReload, "advert intervals until the master counts as gone; equal on all nodes"},
        {"checksum_v3_ipv4", choice<Path..., &VrrpTuning::checksum_v3_ipv4>(kChecksums),
         R"("accept-both")", kReload,
         "checksum sent in IPv4 version 3; accept-both (also called auto): as the peer's, first "
         "with pseudo-header"},
        {"garp_interval", duration<Path..., &VrrpTuning::garp_interval>(seconds(0), seconds(4294)),
         R"("0s")", kReload, "pause between two gratuitous ARP frames of a port"},
        {"gna_interval", duration<Path..., &VrrpTuning::gna_interval>(seconds(0), seconds(4294)),
         R"("0s")", kReload, "the same for unsolicited neighbour advertisements"},
        {"garp_master_delay",
         duration<Path..., &VrrpTuning::garp_master_delay>(seconds(0), seconds(86400)), R"("5s")",
         kReload, "second block of gratuitous ARP so long after becoming MASTER; 0s: none"},
        {"garp_master_repeat", number<Path..., &VrrpTuning::garp_master_repeat>(1, 1000), "5",
         kReload, "frames per address and block"},
        {"garp_master_refresh",
         duration<Path..., &VrrpTuning::garp_master_refresh>(seconds(0), seconds(86400)),
         R"("60s")", kReload, "repeat them so often while MASTER; 0s: never"},
        {"garp_master_refresh_repeat",
         number<Path..., &VrrpTuning::garp_master_refresh_repeat>(1, 1000), "1", kReload,
         "frames per address and refresh"},
        {"garp_lower_prio_delay",
         duration<Path..., &VrrpTuning::garp_lower_prio_delay>(seconds(0), seconds(86400)),
         R"("5s")", kReload, "second block so long after another MASTER was heard; 0s: none"},
        {"garp_lower_prio_repeat", number<Path..., &VrrpTuning::garp_lower_prio_repeat>(0, 1000),
         "5", kReload, "frames per address and block after another MASTER was heard"},
    };
}

}  // namespace pollux::control::schema
