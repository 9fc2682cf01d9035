// SPDX-License-Identifier: Apache-2.0

// Persistence: the client (or its network) stays with the server that a template names, whatever
// the scheduler, the server's weight or its thresholds say.

#include "dataplane/lb/establish.h"
#include "dataplane/lb/load_count.h"

namespace pollux::lb {
namespace {

constexpr unsigned kMaxRaces = 4;  // other workers may replace a template while we look

// FTP's data connections come to ports that nobody knows beforehand.
bool is_of_all_ports(const ServiceKey& key) noexcept {
    return key.port == 0 || key.port == kFtpPort;
}

// LVS: a mark's template holds for all protocols, that of a port-0 service or of FTP for all ports.
FlowKey key_of_template(const VirtualService& service, const FlowKey& key) noexcept {
    const std::uint8_t prefix = service.spec.persistence->prefix;
    if (service.key.fwmark != 0) {
        return template_key(key.source(), prefix, service.key.fwmark);
    }
    const net::Be16 port = is_of_all_ports(service.key) ? net::Be16{} : key.destination_port();
    return template_key(key.source(), prefix, key.destination(), port, key.protocol());
}

// A removed server's template is useless; a quiesced one's too with expire_quiescent_template.
bool is_usable(const Burst& burst, RealServerId id) noexcept {
    const RealServer* server = burst.snapshot.find_server(id);
    if (server == nullptr || !server->present) return false;
    return server->weight != 0 || !burst.snapshot.sysctl.expire_quiescent_template;
}

net::Be16 template_port(const VirtualService& service, const RealServer& server) noexcept {
    return is_of_all_ports(service.key) ? net::Be16{} : server.port;
}

// The port that the server gets: its own only where the packet came to the service's own port.
net::Be16 connection_port(const VirtualService& service, const RealServer& server,
                          net::Be16 virtual_port) noexcept {
    const bool own_port = service.key.fwmark == 0 && service.key.port == virtual_port.host();
    return own_port && server.port.wire() != 0 ? server.port : virtual_port;
}

}  // namespace

BindStatus bind_by_template(Burst& burst, const ConnectionRequest& request,
                            Binding& binding) noexcept {
    PersistenceTable& templates = burst.worker.shared.templates;
    const VirtualService& service = burst.snapshot.service(request.service);
    const FlowKey key = key_of_template(service, request.key);
    const Ticks timeout = to_ticks(service.spec.persistence->timeout);
    for (unsigned race = 0; race < kMaxRaces; ++race) {
        TemplateIndex found = templates.find(key, burst.tick);
        if (found != kNoTemplate && !is_usable(burst, templates.server(found))) {
            templates.make_unreachable(burst.worker.self(), found);
            found = kNoTemplate;
        }
        if (found == kNoTemplate) {
            const BindStatus status = bind_by_scheduler(burst, request, binding);
            if (status != BindStatus::Bound) return status;
            const RealServer& server = burst.snapshot.server(binding.server);
            count_template_added(burst.worker.shared, binding.server);
            const TemplateInsertResult result =
                templates.insert(burst.worker.self(),
                                 {key, request.service, binding.server, server.method,
                                  template_port(service, server), timeout},
                                 burst.tick);
            if (result.status != TemplateInsertResult::Status::Inserted) {
                count_template_removed(burst.worker.shared, binding.server);
            }
            if (result.status == TemplateInsertResult::Status::Full) {
                return BindStatus::TemplateFull;
            }
            found = result.index;
        }
        if (!templates.acquire(found, burst.tick)) continue;
        binding.server = templates.server(found);
        if (!is_usable(burst, binding.server)) {
            templates.release(found, burst.tick);
            continue;
        }
        binding.server_port = connection_port(service, burst.snapshot.server(binding.server),
                                              request.key.destination_port());
        binding.persistence = found;
        return BindStatus::Bound;
    }
    return BindStatus::TemplateFull;
}

}  // namespace pollux::lb
