// SPDX-License-Identifier: Apache-2.0
// Rules for two nodes of one file: the same virtual router must look alike on both.

#include <algorithm>
#include <set>
#include <string>

#include "control/config/rules.h"
#include "control/config/values.h"

namespace pollux::control {

namespace {

std::set<net::IpAddress> addresses_of(const VrrpInstanceConfig& instance) {
    std::set<net::IpAddress> addresses;
    for (const VirtualIpConfig& ip : instance.virtual_ipaddress) {
        addresses.insert(ip.address.address);
    }
    return addresses;
}

void compare(const VrrpInstanceConfig& own, const VrrpInstanceConfig& other,
             const std::string& node, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    const std::string router = "virtual router " + std::to_string(own.virtual_router_id) +
                               " on \"" + escaped(own.interface) + "\"";
    const auto differs = [&](std::string_view key, const std::string& what,
                             const std::string& effect = "both nodes would become MASTER") {
        reporter.report("E0331", router + " has another " + what + " on node \"" + node + "\"")
            .at(sources.value(own.origin, key), "this node's")
            .at(sources.value(other.origin, key), "node \"" + node + "\"")
            .note(effect);
    };
    if (own.tuning.version != other.tuning.version) differs("version", "version");
    if (own.tuning.version == 2 && own.advert_int != other.advert_int) {
        differs("advert_int", "advert_int");
    }
    if (own.authentication.type != other.authentication.type ||
        own.authentication.password != other.authentication.password) {
        differs("authentication", "authentication");
    }
    if (addresses_of(own) != addresses_of(other)) {
        const bool refused = own.tuning.version == 2 || other.tuning.version == 2;
        differs("name", "list of addresses",
                refused ? "both nodes would become MASTER"
                        : "after a change of MASTER some of them would be nowhere");
    }
    if (own.priority != other.priority) return;
    auto message =
        reporter.report("W0332", router + " has priority " + std::to_string(own.priority) +
                                     " on node \"" + node + "\" too");
    const bool same = own.origin.file == other.origin.file && own.origin.line == other.origin.line;
    message.at(sources.value(own.origin, "priority"), same ? "equal on all nodes" : "this node's");
    if (!same) message.at(sources.value(other.origin, "priority"), "node \"" + node + "\"");
    message.note("the higher address decides, not `state`");
}

}  // namespace

void check_pair(const Config& config, const Config& other, const std::string& other_node,
                Reporter& reporter) {
    for (const VrrpInstanceConfig& own : config.vrrp_instances) {
        for (const VrrpInstanceConfig& peer : other.vrrp_instances) {
            if (own.virtual_router_id == peer.virtual_router_id &&
                own.interface == peer.interface && own.family == peer.family) {
                compare(own, peer, escaped(other_node), reporter);
            }
        }
    }
}

}  // namespace pollux::control
