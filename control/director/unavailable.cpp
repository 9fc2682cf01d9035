// SPDX-License-Identifier: Apache-2.0
#include "control/director/unavailable.h"

#include <string>

#include "control/spec/server_states.h"

namespace pollux::control {
namespace {

Status refuse(const std::string& what, const std::string& remedy) {
    return Error{what + ", which this version of polluxd does not do yet", remedy};
}

Status check_server(const VirtualServerConfig& service, const RealServerConfig& server) {
    const std::string where = " of real server " + endpoint(server.address, server.port) + " of " +
                              to_string(VirtualServerKey::of(service));
    if (!server.check.empty()) {
        return refuse("a health check" + where + " is configured",
                      "remove [[virtual_server.real_server.check]]; servers then count as up, and "
                      "`pollux server drain` takes one out");
    }
    if (!server.notify_up.empty() || !server.notify_down.empty()) {
        return refuse("notify_up or notify_down" + where + " is configured", "remove the key");
    }
    return ok_status();
}

Status check_service(const VirtualServerConfig& service) {
    const std::string where = " of " + to_string(VirtualServerKey::of(service)) + " is configured";
    if (!service.quorum_up.empty() || !service.quorum_down.empty()) {
        return refuse("quorum_up or quorum_down" + where, "remove the key");
    }
    if (service.slow_start > Duration::zero()) {
        return refuse("slow_start" + where, "remove the key");
    }
    if (service.ha_suspend) return refuse("ha_suspend" + where, "remove the key");
    for (const RealServerConfig& server : service.real_server) {
        if (Status status = check_server(service, server); !status) return status;
    }
    return ok_status();
}

}  // namespace

Status check_available(const Config& config) {
    if (!config.global.email.to.empty()) {
        return refuse("mail ([global.email] to) is configured", "remove [global.email]");
    }
    if (config.api.metrics_address.family != net::Family::None) {
        return refuse("[api] metrics_listen is configured", "remove the key");
    }
    for (const VirtualServerConfig& service : config.virtual_servers) {
        if (Status status = check_service(service); !status) return status;
    }
    return ok_status();
}

}  // namespace pollux::control
