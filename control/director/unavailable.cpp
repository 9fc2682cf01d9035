// SPDX-License-Identifier: Apache-2.0
#include "control/director/unavailable.h"

#include <string>

#include "control/health/check_key.h"
#include "control/health/probe_table.h"
#include "control/spec/server_states.h"

namespace pollux::control {
namespace {

Status refuse(const std::string& what, const std::string& remedy) {
    return Error{what + ", which this version of polluxd does not do yet", remedy};
}

Status check_server(const VirtualServerConfig& service, const RealServerConfig& server) {
    const std::string where = " of real server " + endpoint(server.address, server.port) + " of " +
                              to_string(VirtualServerKey::of(service));
    for (const CheckConfig& check : server.check) {
        if (find_probe(check.type)->make == nullptr) {
            return refuse(std::string(to_string(check.type)) + where + " is configured",
                          "use another check");
        }
    }
    return ok_status();
}

Status check_service(const VirtualServerConfig& service) {
    for (const RealServerConfig& server : service.real_server) {
        if (Status status = check_server(service, server); !status) return status;
    }
    return ok_status();
}

}  // namespace

Status check_available(const Config& config) {
    if (config.api.status_page) return refuse("[api] status_page is configured", "remove the key");
    for (const VirtualServerConfig& service : config.virtual_servers) {
        if (Status status = check_service(service); !status) return status;
    }
    return ok_status();
}

}  // namespace pollux::control
