// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a Command does to the wanted state, with the kernel's answers. Pure: the caller hands in the
// services and time-outs and applies the result to the data plane. Control thread.

#include <optional>
#include <vector>

#include "control/ipvs/command.h"
#include "dataplane/lb/spec.h"

namespace pollux::control::ipvs {

// What becomes of a server port that differs from the service's under DR and tunnels, where ports
// are not translated: ipvsadm silently uses the service's; a strict table refuses.
enum class ForeignPort : std::uint8_t { TakesServicePort, IsRefused };

struct Table {
    std::vector<lb::ServiceSpec> services;
    lb::TimeoutSpec timeouts;
    ForeignPort foreign_port = ForeignPort::TakesServicePort;

    // Carries out AddService, EditService, DeleteService, AddServer, EditServer, DeleteServer,
    // Clear and SetTimeouts; checks Zero. A refusal changes nothing. Other verbs: precondition
    // broken.
    [[nodiscard]] std::optional<Refusal> apply(const Command& command);

    // The service that the command names, or nullptr.
    [[nodiscard]] lb::ServiceSpec* find(const lb::ServiceSpec& wanted);
    [[nodiscard]] const lb::ServiceSpec* find(const lb::ServiceSpec& wanted) const;

  private:
    std::optional<Refusal> add_service(const Command& command);
    std::optional<Refusal> edit_service(const Command& command);
    std::optional<Refusal> change_server(const Command& command);
};

// LVS's answer when a service to be listed does not exist.
[[nodiscard]] Refusal no_such_service_to_list();

}  // namespace pollux::control::ipvs
