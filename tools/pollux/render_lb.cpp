// SPDX-License-Identifier: Apache-2.0
// Services, connections, drops, memory, weights.

#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "tools/pollux/render.h"
#include "tools/pollux/service_pages.h"
#include "tools/pollux/table.h"
#include "tools/pollux/values.h"

namespace pollux::cli {
namespace {

constexpr double kMebi = 1024.0 * 1024.0;

// ipvsadm's word for a forwarding method.
std::string forward_word(const std::string& method) {
    if (method == "NAT") return "Masq";
    if (method == "DR") return "Route";
    if (method == "TUN") return "Tunnel";
    return "FullNat";
}

std::string service_name(const Json& service) {
    if (service.contains("fwmark")) {
        const std::string mark = "FWM  " + number(service, "fwmark");
        return text(service, "family") == "ipv6" ? mark + " IPv6" : mark;
    }
    return text(service, "protocol") + "  " +
           endpoint(text(service, "address"), service.value("port", 0));
}

std::string service_flags(const Json& service) {
    std::string flags;
    for (const Json& flag : list(service, "scheduler_flags")) {
        flags += (flags.empty() ? " (" : ",") + flag.get<std::string>();
    }
    if (!flags.empty()) flags += ")";
    const Json persistence = service.value("persistence", Json());
    if (persistence.is_object()) {
        flags += " persistent " +
                 std::to_string(static_cast<long>(persistence.value("timeout_seconds", 0.0)));
        const int prefix = persistence.value("prefix", 32);
        const bool whole = prefix == 32 || prefix == 128;
        if (!whole) flags += " mask /" + std::to_string(prefix);
    }
    if (service.value("one_packet", false)) flags += " ops";
    return flags;
}

// Behind what is not as the file says.
std::string origin_mark(const Json& row) {
    const std::string by = text(row, "defined_by");
    if (by == "runtime") return "  (runtime)";
    return by == "changed" ? "  (changed at run time)" : "";
}

void pad_to(std::string& line, std::size_t column) {
    if (line.size() < column) {
        line.append(column - line.size(), ' ');
    } else {
        line += ' ';
    }
}

// Cells behind the name, in columns of fixed starts as ipvsadm prints them.
std::string columns(std::string name, const std::vector<std::string>& cells,
                    const std::vector<std::size_t>& starts) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
        pad_to(name, starts.at(i));
        name += cells[i];
    }
    name.erase(name.find_last_not_of(' ') + 1);
    return name + "\n";
}

std::string server_name(const Json& server) {
    return "  -> " + endpoint(text(server, "address"), server.value("port", 0));
}

std::string render_service_list(const Json& services) {
    const std::vector<std::size_t> starts = {34, 42, 49, 60};
    std::string out = "Prot LocalAddress:Port Scheduler Flags\n" +
                      columns("  -> RemoteAddress:Port",
                              {"Forward", "Weight", "ActiveConn", "InActConn"}, starts);
    for (const Json& service : services) {
        out += service_name(service) + " " + text(service, "scheduler") + service_flags(service) +
               origin_mark(service) + "\n";
        for (const Json& server : list(service, "servers")) {
            const std::string weight =
                server.value("removed", false) ? "-" : number(server, "weight");
            out += columns(server_name(server),
                           {forward_word(text(server, "method")), weight, number(server, "active"),
                            number(server, "inactive") + origin_mark(server)},
                           starts);
        }
    }
    return out;
}

std::string render_service_stats(const Json& services) {
    const std::vector<std::size_t> starts = {34, 43, 53, 63, 76};
    const auto cells = [](const Json& row) {
        return std::vector<std::string>{number(row, "connections"), number(row, "packets_in"),
                                        number(row, "packets_out"), number(row, "bytes_in"),
                                        number(row, "bytes_out")};
    };
    std::string out = columns("Prot LocalAddress:Port",
                              {"Conns", "InPkts", "OutPkts", "InBytes", "OutBytes"}, starts) +
                      "  -> RemoteAddress:Port\n";
    for (const Json& service : services) {
        out += columns(service_name(service), cells(service), starts);
        for (const Json& server : list(service, "servers")) {
            out += columns(server_name(server), cells(server), starts);
        }
    }
    return out;
}

// As ipvsadm: minutes and seconds.
std::string expiry(const Json& connection) {
    const long total = static_cast<long>(connection.value("expires_seconds", 0.0));
    char buffer[32];
    std::snprintf(buffer, sizeof(buffer), "%02ld:%02ld", total / 60, total % 60);
    return buffer;
}

}  // namespace

std::string render_services(const Json& data, const Json& args) {
    const Json services = list(data, "services");
    const std::string note = changed_meanwhile_note(data);
    if (args.value("stats", false)) return render_service_stats(services) + note;
    std::string out = render_service_list(services) + note;
    const std::string deleted = joined(list(data, "deleted_at_runtime"));
    if (!deleted.empty()) out += "deleted at run time: " + deleted + "\n";
    return out;
}

std::string render_connections(const Json& data, const Json& /*args*/) {
    Table table{{"pro"},     {"expire"},      {"state"}, {"source"},
                {"virtual"}, {"destination"}, {"local"}};
    const Json connections = list(data, "connections");
    for (const Json& row : connections) {
        const bool is_template = row.value("template", false);
        table.add({text(row, "protocol"), expiry(row),
                   is_template ? "TEMPLATE" : text(row, "state"),
                   endpoint(text(row, "client"), row.value("client_port", 0)),
                   endpoint(text(row, "virtual"), row.value("virtual_port", 0)),
                   endpoint(text(row, "server"), row.value("server_port", 0)),
                   row.contains("local") ? endpoint(text(row, "local"), row.value("local_port", 0))
                                         : std::string()});
    }
    std::string out = table.render();
    if (data.value("more", false)) {
        out +=
            "... there are more; narrow it down (--client, --virtual, --server, --state) or "
            "raise --limit\n";
    }
    return out;
}

std::string render_drops(const Json& data, const Json& /*args*/) {
    const Json totals = data.value("totals", Json::object());
    std::string out = "received " + number(totals, "received") + ", transmitted " +
                      number(totals, "transmitted") + ", punted " + number(totals, "punted") +
                      ", dropped " + number(totals, "dropped") + ", own answers " +
                      number(totals, "originated") + "\n";
    if (totals.value("embryonic_evicted", std::uint64_t{0}) != 0) {
        out +=
            "half-open connections evicted for new ones: " + number(totals, "embryonic_evicted") +
            "\n";
    }
    out += "\n";
    Table drops{{"packets", Align::Right}, {"dropped because"}, {"meaning"}};
    for (const Json& row : list(data, "drops")) {
        drops.add({number(row, "packets"), text(row, "reason"), text(row, "meaning")});
    }
    out += drops.render() + "\n";
    Table punts{{"packets", Align::Right}, {"to the control core because"}};
    for (const Json& row : list(data, "punts")) {
        punts.add({number(row, "packets"), text(row, "reason")});
    }
    out += punts.render() + "\n";
    Table taps{{"port"},
               {"to kernel", Align::Right},
               {"failed", Align::Right},
               {"from kernel", Align::Right},
               {"failed", Align::Right}};
    for (const Json& row : list(data, "exception_path")) {
        taps.add({text(row, "port"), number(row, "to_kernel"), number(row, "to_kernel_failed"),
                  number(row, "from_kernel"), number(row, "from_kernel_failed")});
    }
    const Json parked = data.value("waiting_for_next_hop", Json::object());
    const Json control = data.value("control_frames", Json::object());
    return out + taps.render() + "\nwaiting for a next hop: " + number(parked, "waiting") +
           " now, " + number(parked, "sent") + " sent, " + number(parked, "expired") +
           " expired, " + number(parked, "refused") +
           " refused\nfrom the control core: " + number(control, "sent") + " sent, " +
           number(control, "failed") + " failed, " + number(control, "no_buffer") +
           " without a buffer, " + number(control, "expired") + " too old\n";
}

std::string render_memory(const Json& data, const Json& /*args*/) {
    Table table{{"table"},
                {"MiB", Align::Right},
                {"capacity", Align::Right},
                {"used", Align::Right},
                {"fill", Align::Right},
                {"pages"}};
    double total = 0, connection_bytes = 0, connections = 0;
    for (const Json& row : list(data, "memory")) {
        const double bytes = row.value("bytes", 0.0);
        const double capacity = row.value("capacity", 0.0);
        const std::string name = text(row, "name");
        total += bytes;
        if (name.starts_with("connection ")) connection_bytes += bytes;
        if (name == "connection records") connections = capacity;
        table.add({name, fixed(bytes / kMebi, 1), number(row, "capacity"), number(row, "used"),
                   percent(row.value("used", 0.0), capacity),
                   row.value("hugepages", false) ? "huge" : "normal"});
    }
    std::string out = table.render();
    if (connections > 0) {
        out += "\nall tables: " + fixed(total / kMebi, 1) +
               " MiB; a connection, index included: " + fixed(connection_bytes / connections, 1) +
               " bytes\n";
    }
    return out;
}

std::string render_weights(const Json& data, const Json& args) {
    const bool back = args.value("weight", 0) < 0;  // `server enable`
    std::string out;
    for (const Json& row : list(data, "changed")) {
        out += text(row, "service") + " real_server " + text(row, "server") + " weight " +
               number(row, "weight_before") + " -> " + number(row, "weight") +
               (back ? " (as configured)\n" : " (runtime)\n");
    }
    return out;
}

}  // namespace pollux::cli
