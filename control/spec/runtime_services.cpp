// SPDX-License-Identifier: Apache-2.0
#include "control/spec/runtime_services.h"

#include <algorithm>
#include <array>
#include <utility>

#include "control/spec/server_states.h"

namespace pollux::control {
namespace {

// The time-outs that `--set` knows, each with its place in a TimeoutSpec.
constexpr std::array kTimeouts = {&lb::TimeoutSpec::tcp_established, &lb::TimeoutSpec::tcp_fin_wait,
                                  &lb::TimeoutSpec::udp};

const lb::ServiceSpec* find(std::span<const lb::ServiceSpec> services, const lb::ServiceKey& key) {
    const auto found = std::find_if(services.begin(), services.end(), [&](const auto& service) {
        return lb::ServiceKey::of(service) == key;
    });
    return found == services.end() ? nullptr : &*found;
}

const lb::RealServerSpec* find(const lb::ServiceSpec& service, const ServerEndpoint& endpoint) {
    const auto found =
        std::find_if(service.servers.begin(), service.servers.end(),
                     [&](const auto& server) { return ServerEndpoint::of(server) == endpoint; });
    return found == service.servers.end() ? nullptr : &*found;
}

bool same_persistence(const std::optional<lb::PersistenceSpec>& a,
                      const std::optional<lb::PersistenceSpec>& b) {
    if (!a || !b) return a.has_value() == b.has_value();
    return a->timeout == b->timeout && a->prefix == b->prefix;
}

bool same_attributes(const lb::ServiceSpec& a, const lb::ServiceSpec& b) {
    return a.scheduler == b.scheduler && a.scheduler_flags == b.scheduler_flags &&
           same_persistence(a.persistence, b.persistence) && a.one_packet == b.one_packet;
}

lb::ServiceSpec without_servers(lb::ServiceSpec service) {
    service.servers.clear();
    return service;
}

// Of two files: the definition of one server is the same, or it is in neither.
bool same_server(const lb::ServiceSpec& before, const lb::ServiceSpec& after,
                 const ServerEndpoint& endpoint) {
    const lb::RealServerSpec* a = find(before, endpoint);
    const lb::RealServerSpec* b = find(after, endpoint);
    return a == nullptr || b == nullptr ? a == b : *a == *b;
}

std::string server_name(const ServerEndpoint& server) {
    return "real_server " + endpoint(server.address, server.port);
}

}  // namespace

std::string_view to_string(DefinedBy by) {
    switch (by) {
        case DefinedBy::File:
            return "file";
        case DefinedBy::Changed:
            return "changed";
        case DefinedBy::Runtime:
            return "runtime";
    }
    return "?";
}

std::string to_string(const lb::ServiceKey& key) {
    return to_string(
        VirtualServerKey{"", key.address, key.port, key.protocol, key.fwmark, key.address.family});
}

lb::RealServerSpec RuntimeServices::AddedServer::effective() const {
    lb::RealServerSpec server = spec;
    server.weight = weight.value_or(spec.weight);
    return server;
}

bool RuntimeServices::ServiceChange::empty() const {
    return !replaced && !attributes && servers.empty() && added.empty();
}

const RuntimeServices::AddedServer* RuntimeServices::ServiceChange::find_added(
    const ServerEndpoint& server) const {
    const auto found = std::find_if(added.begin(), added.end(), [&](const AddedServer& candidate) {
        return ServerEndpoint::of(candidate.spec) == server;
    });
    return found == added.end() ? nullptr : &*found;
}

RuntimeServices::AddedServer* RuntimeServices::ServiceChange::find_added(
    const ServerEndpoint& server) {
    return const_cast<AddedServer*>(std::as_const(*this).find_added(server));
}

void RuntimeServices::ServiceChange::add(const lb::RealServerSpec& server) {
    added.push_back({server, {}});
}

void RuntimeServices::ServiceChange::edit(const lb::RealServerSpec& server) {
    const ServerEndpoint endpoint = ServerEndpoint::of(server);
    if (AddedServer* own = find_added(endpoint)) {
        *own = {server, {}};
    } else {
        servers[endpoint] = EditedServer{server};
    }
}

void RuntimeServices::ServiceChange::remove(const ServerEndpoint& server) {
    if (find_added(server) == nullptr) {
        servers[server] = std::nullopt;
        return;
    }
    std::erase_if(added,
                  [&](const AddedServer& own) { return ServerEndpoint::of(own.spec) == server; });
}

void RuntimeServices::record(const FileTable& before, const FileTable& after,
                             const FileTable& file) {
    for (const lb::ServiceSpec& service : before.services) {
        const lb::ServiceKey key = lb::ServiceKey::of(service);
        if (find(after.services, key) != nullptr) continue;
        changes_.erase(key);
        if (find(file.services, key) != nullptr) changes_[key].replaced = true;
    }
    for (const lb::ServiceSpec& service : after.services) {
        const lb::ServiceKey key = lb::ServiceKey::of(service);
        if (const lb::ServiceSpec* old = find(before.services, key)) {
            record_service(*old, service);
            continue;
        }
        ServiceChange change;
        change.replaced = true;
        change.attributes = without_servers(service);
        for (const lb::RealServerSpec& server : service.servers) change.add(server);
        changes_[key] = std::move(change);
    }
    std::array changes = {&timeouts_.tcp_established, &timeouts_.tcp_fin_wait, &timeouts_.udp};
    for (std::size_t i = 0; i < kTimeouts.size(); ++i) {
        const lb::Duration value = after.timeouts.*kTimeouts[i];
        if (before.timeouts.*kTimeouts[i] != value) *changes[i] = value;
    }
}

// Commands only take servers away and add them at the end: what is still there keeps its order.
void RuntimeServices::record_service(const lb::ServiceSpec& before, const lb::ServiceSpec& after) {
    ServiceChange& change = changes_[lb::ServiceKey::of(after)];
    if (!same_attributes(before, after)) change.attributes = without_servers(after);
    auto old = before.servers.begin();
    auto now = after.servers.begin();
    for (; now != after.servers.end(); ++now) {
        const auto same = std::find_if(old, before.servers.end(), [&](const auto& server) {
            return ServerEndpoint::of(server) == ServerEndpoint::of(*now);
        });
        if (same == before.servers.end()) break;
        for (; old != same; ++old) change.remove(ServerEndpoint::of(*old));
        if (!(*old == *now)) change.edit(*now);
        ++old;
    }
    for (; old != before.servers.end(); ++old) change.remove(ServerEndpoint::of(*old));
    for (; now != after.servers.end(); ++now) change.add(*now);
    if (change.empty()) changes_.erase(lb::ServiceKey::of(after));
}

bool RuntimeServices::apply(lb::ServiceSpec& service, const ServerEndpoints& held_back) const {
    const auto known = changes_.find(lb::ServiceKey::of(service));
    if (known == changes_.end()) return true;
    const ServiceChange& change = known->second;
    if (change.replaced && !change.attributes) return false;
    std::vector<lb::RealServerSpec> servers =
        change.replaced ? std::vector<lb::RealServerSpec>{} : std::move(service.servers);
    if (change.attributes) service = *change.attributes;
    service.servers.clear();
    for (lb::RealServerSpec& server : servers) {
        const ServerEndpoint endpoint = ServerEndpoint::of(server);
        const auto edit = change.servers.find(endpoint);
        if (edit != change.servers.end()) {
            if (!edit->second) continue;
            const std::uint16_t weight = server.weight;
            server = edit->second->spec;
            if (!edit->second->weight_counts || held_back.contains(endpoint))
                server.weight = weight;
        }
        service.servers.push_back(server);
    }
    for (const AddedServer& own : change.added) {
        const ServerEndpoint endpoint = ServerEndpoint::of(own.spec);
        // The sorry server may be the same machine.
        const bool there = find(service, endpoint) != nullptr;
        if (!there && !held_back.contains(endpoint)) service.servers.push_back(own.effective());
    }
    return true;
}

void RuntimeServices::apply(lb::TimeoutSpec& timeouts) const {
    const std::array changes = {timeouts_.tcp_established, timeouts_.tcp_fin_wait, timeouts_.udp};
    for (std::size_t i = 0; i < kTimeouts.size(); ++i) {
        if (changes[i]) timeouts.*kTimeouts[i] = *changes[i];
    }
}

std::vector<lb::ServiceSpec> RuntimeServices::added() const {
    std::vector<lb::ServiceSpec> services;
    for (const auto& [key, change] : changes_) {
        if (!change.replaced || !change.attributes) continue;
        lb::ServiceSpec service = *change.attributes;
        for (const AddedServer& own : change.added) service.servers.push_back(own.effective());
        services.push_back(std::move(service));
    }
    return services;
}

bool RuntimeServices::follow(ServiceChange& change, const lb::ServiceSpec* before,
                             const lb::ServiceSpec* after, std::vector<std::string>& lines) {
    if (before == nullptr && after == nullptr) return false;
    if (before == nullptr || after == nullptr) {
        lines.emplace_back(after == nullptr ? "the file no longer has it" : "the file defines it");
        return true;
    }
    const bool attributes_stay = same_attributes(*before, *after);
    if (change.replaced) {
        if (attributes_stay && before->servers == after->servers) return false;
        lines.emplace_back("the file defines it anew");
        return true;
    }
    if (change.attributes && !attributes_stay) {
        change.attributes.reset();
        lines.emplace_back("options");
    }
    const auto moved_on = [&](const ServerEndpoint& server) {
        if (same_server(*before, *after, server)) return false;
        lines.push_back(server_name(server));
        return true;
    };
    std::erase_if(change.servers, [&](const auto& edit) { return moved_on(edit.first); });
    std::erase_if(change.added,
                  [&](const auto& own) { return moved_on(ServerEndpoint::of(own.spec)); });
    return change.empty();
}

std::vector<std::string> RuntimeServices::follow_file(const FileTable& before,
                                                      const FileTable& after) {
    std::vector<std::string> lines;
    const std::string given_up = "run-time change given up: ";
    for (auto at = changes_.begin(); at != changes_.end();) {
        std::vector<std::string> details;
        const bool gone = follow(at->second, find(before.services, at->first),
                                 find(after.services, at->first), details);
        for (const std::string& detail : details) {
            lines.push_back(given_up + "virtual_server " + to_string(at->first) + ": " + detail);
        }
        at = gone ? changes_.erase(at) : std::next(at);
    }
    const std::array changes = {&timeouts_.tcp_established, &timeouts_.tcp_fin_wait,
                                &timeouts_.udp};
    constexpr std::array kNames = {"tcp_established", "tcp_fin_wait", "udp"};
    for (std::size_t i = 0; i < kTimeouts.size(); ++i) {
        if (before.timeouts.*kTimeouts[i] == after.timeouts.*kTimeouts[i] || !*changes[i]) continue;
        changes[i]->reset();
        lines.push_back(given_up + "conntrack.timeout " + kNames[i]);
    }
    return lines;
}

void RuntimeServices::forget_weight(const lb::ServiceKey& service, const ServerEndpoint& server) {
    const auto known = changes_.find(service);
    if (known == changes_.end()) return;
    const auto edit = known->second.servers.find(server);
    if (edit != known->second.servers.end() && edit->second) edit->second->weight_counts = false;
}

std::uint16_t RuntimeServices::set_weight(const lb::ServiceKey& service,
                                          const ServerEndpoint& server,
                                          std::optional<std::uint16_t> weight) {
    AddedServer* own = changes_.at(service).find_added(server);
    own->weight = weight;
    return own->effective().weight;
}

std::vector<std::pair<lb::ServiceKey, lb::RealServerSpec>> RuntimeServices::added_servers() const {
    std::vector<std::pair<lb::ServiceKey, lb::RealServerSpec>> servers;
    for (const auto& [key, change] : changes_) {
        for (const AddedServer& own : change.added) servers.emplace_back(key, own.effective());
    }
    return servers;
}

DefinedBy RuntimeServices::defined_by(const lb::ServiceKey& service) const {
    const auto known = changes_.find(service);
    if (known == changes_.end()) return DefinedBy::File;
    if (known->second.replaced) return DefinedBy::Runtime;
    return known->second.attributes ? DefinedBy::Changed : DefinedBy::File;
}

DefinedBy RuntimeServices::defined_by(const lb::ServiceKey& service,
                                      const ServerEndpoint& server) const {
    const auto known = changes_.find(service);
    if (known == changes_.end()) return DefinedBy::File;
    const ServiceChange& change = known->second;
    // Deleted and added again, it is a changed server of the file.
    if (change.servers.contains(server)) return DefinedBy::Changed;
    return change.find_added(server) != nullptr ? DefinedBy::Runtime : DefinedBy::File;
}

std::vector<std::string> RuntimeServices::deleted() const {
    std::vector<std::string> names;
    for (const auto& [key, change] : changes_) {
        if (change.replaced && !change.attributes) names.push_back(to_string(key));
        for (const auto& [server, edit] : change.servers) {
            const bool back = change.find_added(server) != nullptr;
            if (!edit && !back) names.push_back(to_string(key) + " " + server_name(server));
        }
    }
    return names;
}

std::size_t RuntimeServices::size() const {
    std::size_t count = 0;
    for (const auto& [key, change] : changes_) {
        count += (change.replaced || change.attributes ? 1U : 0U) + change.servers.size() +
                 change.added.size();
    }
    for (const auto& timeout : {timeouts_.tcp_established, timeouts_.tcp_fin_wait, timeouts_.udp}) {
        count += timeout ? 1U : 0U;
    }
    return count;
}

}  // namespace pollux::control
