// SPDX-License-Identifier: Apache-2.0
#pragma once

// RuntimeServices: what the operator changed in the LVS table at run time (`pollux ipvs`), kept
// beside the configuration until restart. A reload, a health check or a moved VIP builds the table
// anew from the file, and these changes are laid over it (docs/decisions/runtime-services.md).
// Pure values; control thread.

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/lb/service_lookup.h"
#include "dataplane/lb/spec.h"

namespace pollux::control {

// Who says what a service or a server is: the file, the file but for changes at run time, or the
// operator alone.
enum class DefinedBy : std::uint8_t { File, Changed, Runtime };
// "file", "changed", "runtime".
[[nodiscard]] std::string_view to_string(DefinedBy by);

// Names a real server within its service.
struct ServerEndpoint {
    net::IpAddress address;
    std::uint16_t port = 0;
    auto operator<=>(const ServerEndpoint&) const noexcept = default;

    static ServerEndpoint of(const lb::RealServerSpec& server) {
        return {server.address, server.port};
    }
};

using ServerEndpoints = std::set<ServerEndpoint>;

// The configuration's part of the table, as if every server were up: what run-time changes are
// measured against.
struct FileTable {
    std::vector<lb::ServiceSpec> services;
    lb::TimeoutSpec timeouts;
};

class RuntimeServices {
  public:
    // Takes in what leads from `before` to `after`, two tables as the operator sees them.
    void record(const FileTable& before, const FileTable& after, const FileTable& file);

    // Lays the changes over a service of the file; false: it was deleted at run time. Servers of
    // `held_back` are in the file but must not serve now (down, or the sorry server serves): they
    // get no weight from here and are not added from here.
    [[nodiscard]] bool apply(lb::ServiceSpec& service, const ServerEndpoints& held_back) const;
    void apply(lb::TimeoutSpec& timeouts) const;
    // The services that only the operator defined.
    [[nodiscard]] std::vector<lb::ServiceSpec> added() const;

    // A reload: for what differs between the two files the file counts. One line for the log for
    // each change that is given up.
    std::vector<std::string> follow_file(const FileTable& before, const FileTable& after);

    // `pollux server weight` for a server of the file: the weight that an edit set no longer
    // counts.
    void forget_weight(const lb::ServiceKey& service, const ServerEndpoint& server);
    // The same for one of added_servers(); nothing: back to the weight that it was added with.
    // Returns the weight that counts now.
    std::uint16_t set_weight(const lb::ServiceKey& service, const ServerEndpoint& server,
                             std::optional<std::uint16_t> weight);
    // The servers that the operator added to any service, with the weight that counts.
    [[nodiscard]] std::vector<std::pair<lb::ServiceKey, lb::RealServerSpec>> added_servers() const;

    [[nodiscard]] DefinedBy defined_by(const lb::ServiceKey& service) const;
    [[nodiscard]] DefinedBy defined_by(const lb::ServiceKey& service,
                                       const ServerEndpoint& server) const;
    // Services and servers of the file that were deleted at run time, by name.
    [[nodiscard]] std::vector<std::string> deleted() const;
    // How many services, servers and time-outs differ from the file.
    [[nodiscard]] std::size_t size() const;

  private:
    struct AddedServer {
        lb::RealServerSpec spec;
        std::optional<std::uint16_t> weight;  // by `pollux server weight`

        [[nodiscard]] lb::RealServerSpec effective() const;
    };
    struct EditedServer {
        lb::RealServerSpec spec;
        bool weight_counts = true;
    };
    struct ServiceChange {
        bool replaced = false;  // nothing of the file's definition counts, or there is none
        std::optional<lb::ServiceSpec> attributes;                      // without servers
        std::map<ServerEndpoint, std::optional<EditedServer>> servers;  // nothing: deleted
        std::vector<AddedServer> added;                                 // in order of adding

        [[nodiscard]] bool empty() const;
        AddedServer* find_added(const ServerEndpoint& server);
        [[nodiscard]] const AddedServer* find_added(const ServerEndpoint& server) const;
        void add(const lb::RealServerSpec& server);
        void edit(const lb::RealServerSpec& server);
        void remove(const ServerEndpoint& server);
    };

    void record_service(const lb::ServiceSpec& before, const lb::ServiceSpec& after);
    // True: nothing is left of the change.
    static bool follow(ServiceChange& change, const lb::ServiceSpec* before,
                       const lb::ServiceSpec* after, std::vector<std::string>& lines);

    std::map<lb::ServiceKey, ServiceChange> changes_;
    // Seconds of `--set`: TCP, TCP FIN, UDP.
    struct TimeoutChange {
        std::optional<lb::Duration> tcp_established, tcp_fin_wait, udp;
    };
    TimeoutChange timeouts_;
};

// "TCP 10.0.0.1:80", "fwmark 3".
[[nodiscard]] std::string to_string(const lb::ServiceKey& key);

}  // namespace pollux::control
