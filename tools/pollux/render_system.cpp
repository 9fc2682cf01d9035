// SPDX-License-Identifier: Apache-2.0
// Status, ports, workers, neighbours, routes, configuration.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "tools/pollux/render.h"
#include "tools/pollux/table.h"
#include "tools/pollux/values.h"

namespace pollux::cli {
namespace {

std::string duration(double seconds) {
    const auto total = static_cast<long>(seconds);
    char buffer[64];
    std::snprintf(buffer, sizeof(buffer), "%ldd %02ld:%02ld:%02ld", total / 86400,
                  total / 3600 % 24, total / 60 % 60, total % 60);
    return buffer;
}

// How often a worker took how many packets at once: the classes of render_workers.
std::vector<std::string> burst_cells(const Json& row) {
    constexpr std::array<std::size_t, 6> kLast = {1, 4, 8, 16, 32, SIZE_MAX};
    std::array<double, kLast.size()> counts{};
    double empty = 0, taken = 0;
    const Json histogram = list(row, "burst_histogram");
    for (std::size_t size = 0; size < histogram.size(); ++size) {
        if (!histogram[size].is_number()) continue;
        const double count = histogram[size];
        if (size == 0) {
            empty = count;
            continue;
        }
        taken += count;
        const auto place = std::lower_bound(kLast.begin(), kLast.end(), size);
        counts.at(static_cast<std::size_t>(place - kLast.begin())) += count;
    }
    std::vector<std::string> cells = {number(row, "worker"), percent(empty, empty + taken),
                                      fixed(taken, 0)};
    for (const double count : counts) cells.push_back(percent(count, taken));
    return cells;
}

std::string or_dash(const std::string& value) {
    return value.empty() ? "-" : value;
}

std::string milliseconds(const Json& object, const char* name) {
    char buffer[32];
    std::snprintf(buffer, sizeof(buffer), "%.1f ms", object.value(name, 0.0));
    return buffer;
}

}  // namespace

std::string render_status(const Json& data, const Json& /*args*/) {
    std::string out = "polluxd " + text(data, "version") + ", pid " + number(data, "pid") +
                      ", up " + duration(data.value("uptime_seconds", 0.0)) + "\n";
    out += "router_id   " + text(data, "router_id") + "\n";
    out += "config      " + text(data, "config") + " (" + number(data, "reloads") + " reloads";
    if (data.value("waits_for_confirmation", false)) out += ", waits for: pollux confirm";
    out += ")\n";
    out += "snapshot    generation " + number(data, "generation") + ", refused " +
           number(data, "refused_snapshots") + "\n";
    out += "ports       " + number(data, "ports_up") + " of " + number(data, "ports") + " up\n";
    out += "workers     " + number(data, "workers") + "\n";
    out += "services    " + number(data, "services");
    if (const std::string changes = number(data, "runtime_changes"); changes != "0") {
        out += ", " + changes + " changes at run time that are not in the file";
    }
    out += "\n";
    out += "virtual IPs " + number(data, "virtual_addresses") + " held by VRRP\n";
    const Json loop = data.value("loop", Json::object());
    out += "loop        longest callback " + milliseconds(loop, "longest_callback_recent_ms") +
           " (since start " + milliseconds(loop, "longest_callback_ms") + "), timers late by " +
           milliseconds(loop, "latest_timer_recent_ms") + " at most\n";
    const Json mail = data.value("mail", Json::object());
    if (mail.value("enabled", false)) {
        out += "mail        " + number(mail, "sent") + " sent, " + number(mail, "waiting") +
               " events wait, " + number(mail, "lost") + " lost";
        const std::string problem = text(mail, "last_problem");
        out += (problem.empty() ? "" : ", last problem: " + problem) + "\n";
    }
    return out;
}

std::string render_ports(const Json& data, const Json& /*args*/) {
    Table table{{"port"},
                {"link"},
                {"mac"},
                {"mtu", Align::Right},
                {"driver"},
                {"queues", Align::Right},
                {"rss"},
                {"rx packets", Align::Right},
                {"tx packets", Align::Right},
                {"missed", Align::Right},
                {"errors", Align::Right},
                {"addresses"}};
    std::string notes;
    for (const Json& row : list(data, "ports")) {
        const auto errors = row.value("rx_errors", std::uint64_t{0}) +
                            row.value("tx_errors", std::uint64_t{0}) +
                            row.value("no_mbuf", std::uint64_t{0});
        table.add({text(row, "name"), row.value("link_up", false) ? "up" : "down", text(row, "mac"),
                   number(row, "mtu"), text(row, "driver"), number(row, "rx_queues"),
                   yes_no(row, "rss"), number(row, "rx_packets"), number(row, "tx_packets"),
                   number(row, "rx_missed"), std::to_string(errors),
                   or_dash(joined(list(row, "addresses")))});
        for (const Json& note : list(row, "notes")) {
            if (!note.is_string()) continue;
            notes += text(row, "name") + ": " + printable(note.get<std::string>()) + "\n";
        }
    }
    return table.render() + (notes.empty() ? "" : "\n" + notes);
}

std::string render_workers(const Json& data, const Json& /*args*/) {
    Table load{
        {"worker", Align::Right},   {"cpu", Align::Right},         {"packets/s", Align::Right},
        {"Mbit/s", Align::Right},   {"busy", Align::Right},        {"cycles/packet", Align::Right},
        {"received", Align::Right}, {"transmitted", Align::Right}, {"punted", Align::Right},
        {"dropped", Align::Right},  {"connections", Align::Right}, {"sleeps", Align::Right}};
    for (const Json& row : list(data, "workers")) {
        const Json lately = row.value("lately", Json::object());
        const double cycles = lately.value("cycles_per_packet", 0.0);
        load.add({number(row, "worker"), number(row, "cpu"),
                  fixed(lately.value("packets_per_second", 0.0), 0),
                  fixed(lately.value("bits_per_second", 0.0) / 1e6, 1),
                  percent(lately.value("busy_share", 0.0), 1.0),
                  cycles > 0 ? fixed(cycles, 0) : "-", number(row, "received"),
                  number(row, "transmitted"), number(row, "punted"), number(row, "dropped"),
                  number(row, "connections_created"), number(row, "sleeps")});
    }
    Table bursts{{"worker", Align::Right}, {"empty polls", Align::Right}, {"bursts", Align::Right},
                 {"of 1", Align::Right},   {"2-4", Align::Right},         {"5-8", Align::Right},
                 {"9-16", Align::Right},   {"17-32", Align::Right},       {"33-", Align::Right}};
    for (const Json& row : list(data, "workers")) bursts.add(burst_cells(row));
    if (load.empty()) return load.render();
    return "of the last second, counters since the start:\n" + load.render() +
           "\npackets taken at a time, since the start:\n" + bursts.render();
}

std::string render_neighbours(const Json& data, const Json& /*args*/) {
    Table table{{"address"}, {"port"}, {"mac"}, {"state"}, {"used by services"}};
    for (const Json& row : list(data, "neighbours")) {
        table.add({text(row, "address"), text(row, "port"), or_dash(text(row, "mac")),
                   text(row, "state"), yes_no(row, "wanted")});
    }
    return table.render();
}

std::string render_routes(const Json& data, const Json& /*args*/) {
    Table table{{"destination"}, {"port"}, {"gateway"}, {"mac"}, {"source"}};
    for (const Json& row : list(data, "routes")) {
        const std::string gateway = text(row, "gateway");
        const std::string mac = text(row, "mac");
        table.add({text(row, "destination"), text(row, "port"),
                   gateway.empty() ? "on-link" : gateway, mac.empty() ? "unresolved" : mac,
                   or_dash(text(row, "source"))});
    }
    return table.render();
}

std::string render_config(const Json& data, const Json& /*args*/) {
    std::string out = "file       " + text(data, "path") + "\n";
    out += "router_id  " + text(data, "router_id") + "\n\n";
    Table ports{{"port"}, {"device"}, {"mtu", Align::Right}, {"addresses"}};
    for (const Json& row : list(data, "ports")) {
        ports.add({text(row, "name"), text(row, "device"), number(row, "mtu"),
                   or_dash(joined(list(row, "addresses")))});
    }
    out += ports.render() + "\n";
    Table services{{"virtual_server"}, {"real servers", Align::Right}};
    for (const Json& row : list(data, "virtual_servers")) {
        services.add({text(row, "name"), number(row, "real_servers")});
    }
    out += services.render();
    const std::string instances = joined(list(data, "vrrp_instances"));
    if (!instances.empty()) out += "\nvrrp_instances: " + instances + "\n";
    return out;
}

std::string render_reload(const Json& data, const Json& args) {
    const bool preview = args.value("preview", false);
    std::string out = data.value("warnings", std::string());
    for (const Json& line : list(data, "changes")) {
        if (line.is_string()) out += printable(line.get<std::string>()) + "\n";
    }
    const std::size_t told = list(data, "changes").size();
    const std::size_t total = data.value("changes_total", told);
    if (total > told) out += "and " + std::to_string(total - told) + " more changes\n";
    const Json restart = list(data, "restart_only");
    if (!restart.empty()) out += "needs a restart: " + joined(restart) + "\n";
    if (list(data, "changes").empty() && restart.empty()) out += "nothing changed\n";
    if (preview) return out;
    out += "reloaded\n";
    if (args.value("confirm_seconds", 0) > 0 && total > 0) {
        out += "goes back in " + number(args, "confirm_seconds") + " s unless: pollux confirm\n";
    }
    return out;
}

std::string render_done(const Json& /*data*/, const Json& /*args*/) {
    return "done\n";
}

}  // namespace pollux::cli
