// SPDX-License-Identifier: Apache-2.0

#include "control/ipvs/table.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "dataplane/lb/schedulers.h"

namespace pollux::control::ipvs {

namespace {

constexpr int kKernelRefused = 255;

Refusal refused(std::string message) {
    return {std::move(message), kKernelRefused};
}
Refusal no_such_service() {
    return refused("No such service");
}
Refusal invalid() {
    return refused("Invalid operation.  Possibly wrong module version, address not unicast, ...");
}

bool same_service(const lb::ServiceSpec& a, const lb::ServiceSpec& b) {
    if (a.fwmark != 0 || b.fwmark != 0) {
        return a.fwmark == b.fwmark && a.address.family == b.address.family;
    }
    return a.protocol == b.protocol && a.address == b.address && a.port == b.port;
}

bool is_unicast(const net::IpAddress& address) {
    const bool broadcast = address.is_v4() && address.v4().host() == 0xffffffff;
    return !address.is_unspecified() && !address.is_multicast() && !broadcast;
}

// Sets the scheduler by name; false: there is none of that name.
bool set_scheduler(const Command& command, lb::ServiceSpec& service) {
    const auto kind = lb::parse_scheduler(command.scheduler);
    if (!kind || !command.persistence_engine.empty()) return false;
    service.scheduler = *kind;
    return true;
}

auto find_server(lb::ServiceSpec& service, const lb::RealServerSpec& wanted) {
    return std::find_if(service.servers.begin(), service.servers.end(),
                        [&wanted](const lb::RealServerSpec& server) {
                            return server.address == wanted.address && server.port == wanted.port;
                        });
}

}  // namespace

Refusal no_such_service_to_list() {
    return {"No such service", 1};
}

const lb::ServiceSpec* Table::find(const lb::ServiceSpec& wanted) const {
    const auto found = std::find_if(
        services.begin(), services.end(),
        [&wanted](const lb::ServiceSpec& service) { return same_service(service, wanted); });
    return found == services.end() ? nullptr : &*found;
}

lb::ServiceSpec* Table::find(const lb::ServiceSpec& wanted) {
    return const_cast<lb::ServiceSpec*>(std::as_const(*this).find(wanted));
}

std::optional<Refusal> Table::add_service(const Command& command) {
    lb::ServiceSpec service = command.service;
    if (find(service) != nullptr) return refused("Service already exists");
    if (!set_scheduler(command, service)) {
        return refused("Scheduler or persistence engine not found");
    }
    services.push_back(std::move(service));
    return std::nullopt;
}

std::optional<Refusal> Table::edit_service(const Command& command) {
    lb::ServiceSpec* existing = find(command.service);
    if (existing == nullptr) return no_such_service();
    lb::ServiceSpec service = command.service;
    if (!set_scheduler(command, service)) {
        return refused("Scheduler or persistence engine not found");
    }
    service.servers = std::move(existing->servers);
    *existing = std::move(service);
    return std::nullopt;
}

std::optional<Refusal> Table::change_server(const Command& command) {
    lb::ServiceSpec* service = find(command.service);
    if (service == nullptr) return refused("Service not defined");
    lb::RealServerSpec server = command.server;
    const bool ports_stay = server.method == lb::ForwardingMethod::DirectRouting ||
                            server.method == lb::ForwardingMethod::Tunnel;
    const bool removal = command.verb == Verb::DeleteServer;
    if (!removal && ports_stay && service->fwmark == 0 && server.port != service->port) {
        if (foreign_port == ForeignPort::IsRefused) {
            Refusal refusal = invalid();
            refusal.message += "\nPort " + std::to_string(server.port) +
                               " of the real server is not the service's " +
                               std::to_string(service->port) +
                               ": only -m changes ports; use it, or give no port";
            return refusal;
        }
        server.port = service->port;
    }
    const auto existing = find_server(*service, server);
    const bool exists = existing != service->servers.end();
    if (command.verb == Verb::AddServer && exists) return refused("Destination already exists");
    if (command.verb != Verb::AddServer && !exists) return refused("No such destination");
    if (removal) {
        service->servers.erase(existing);
        return std::nullopt;
    }
    if (server.lower_threshold > server.upper_threshold) {
        return refused("Numerical result out of range");
    }
    if (!is_unicast(server.address)) return invalid();
    if (exists) {
        server.edits = existing->edits + 1;
        *existing = server;
    } else {
        service->servers.push_back(server);
    }
    return std::nullopt;
}

std::optional<Refusal> Table::apply(const Command& command) {
    switch (command.verb) {
        case Verb::AddService:
            return add_service(command);
        case Verb::EditService:
            return edit_service(command);
        case Verb::DeleteService: {
            lb::ServiceSpec* service = find(command.service);
            if (service == nullptr) return no_such_service();
            services.erase(services.begin() + (service - services.data()));
            return std::nullopt;
        }
        case Verb::AddServer:
        case Verb::EditServer:
        case Verb::DeleteServer:
            return change_server(command);
        case Verb::Clear:
            services.clear();
            return std::nullopt;
        case Verb::Zero:
            if (command.has_service && find(command.service) == nullptr) return no_such_service();
            return std::nullopt;
        case Verb::SetTimeouts: {
            lb::Duration* const values[] = {&timeouts.tcp_established, &timeouts.tcp_fin_wait,
                                            &timeouts.udp};
            for (std::size_t i = 0; i < command.timeouts.size(); ++i) {
                if (command.timeouts[i] == 0) continue;  // leave as it is
                *values[i] = std::chrono::seconds(command.timeouts[i]);
            }
            return std::nullopt;
        }
        case Verb::StartDaemon:
            return refused("Pollux has no sync daemon: it does not exchange connections with LVS");
        case Verb::StopDaemon:
            return refused("No daemon is running");
        case Verb::List:
        case Verb::Restore:
        case Verb::Save:
        case Verb::Help:
        case Verb::Version:
            break;
    }
    assert(false && "the verb does not change the table");
    return invalid();
}

}  // namespace pollux::control::ipvs
