// SPDX-License-Identifier: Apache-2.0
// Virtual routers.

#include <cstdio>

#include "tools/pollux/render.h"
#include "tools/pollux/table.h"
#include "tools/pollux/values.h"

namespace pollux::cli {
namespace {

std::string seconds(const Json& object, const char* name) {
    const auto member = object.find(name);
    if (member == object.end() || !member->is_number()) return "-";
    char buffer[32];
    std::snprintf(buffer, sizeof(buffer), "%.3gs", member->get<double>());
    return buffer;
}

// "10.0.0.6 (150)" or "-".
std::string peer(const Json& object, const char* name) {
    const auto member = object.find(name);
    if (member == object.end() || !member->is_object()) return "-";
    return text(*member, "address") + " (" + number(*member, "priority") + ")";
}

std::string priority(const Json& row) {
    const std::string now = number(row, "priority");
    const std::string base = number(row, "base_priority");
    return now == base ? now : now + " of " + base;
}

std::string remarks(const Json& row) {
    std::string out;
    const std::string name = text(row, "name");
    if (row.value("split_brain", false)) {
        const Json& other = row.at("other_master");
        const std::string mac = text(other, "mac");
        out +=
            number(other, "priority") == "0"
                ? name + ": SPLIT BRAIN, " + text(other, "address") + " is claimed by " + mac + "\n"
                : name + ": SPLIT BRAIN, another master is heard: " + peer(row, "other_master") +
                      " at " + mac + "\n";
    }
    const Json faults = list(row, "faults");
    if (!faults.empty()) out += name + ": FAULT because of " + joined(faults) + "\n";
    const std::string refused = text(row, "virtual_mac_refused");
    if (!refused.empty()) out += name + ": virtual MAC refused: " + refused + "\n";
    for (const Json& mismatch : list(row, "mismatches")) {
        out += name + ": " + text(mismatch, "what") + " differs: ours " + text(mismatch, "ours") +
               ", " + text(mismatch, "peer") + " has " + text(mismatch, "theirs") + " (" +
               number(mismatch, "count") + " times, last " + seconds(mismatch, "seconds_ago") +
               " ago)\n";
    }
    return out;
}

std::string counters(const Json& row) {
    std::string out;
    const auto member = row.find("counters");
    if (member == row.end() || !member->is_object()) return out;
    for (const auto& [name, value] : member->items()) {
        if (!value.is_number() || value == 0) continue;
        out += (out.empty() ? "" : ", ") + printable(name) + " " + value.dump();
    }
    return text(row, "name") + ": " + (out.empty() ? "nothing sent or received" : out) + "\n";
}

std::string strangers(const Json& data) {
    Table table{{"unknown VRID", Align::Right}, {"port"},      {"peer"},
                {"version", Align::Right},      {"addresses"}, {"adverts", Align::Right}};
    for (const Json& row : list(data, "strangers")) {
        table.add({number(row, "virtual_router_id"), text(row, "port"), text(row, "peer"),
                   number(row, "version"), joined(list(row, "addresses")), number(row, "count")});
    }
    return table.empty() ? "" : "\n" + table.render();
}

std::string tracks(const Json& data) {
    Table table{{"tracked"}, {"name"}, {"state"}, {"last"}, {"failures", Align::Right}};
    for (const Json& row : list(data, "tracks")) {
        table.add({text(row, "kind"), text(row, "name"),
                   row.value("good", false) ? "good" : "FAILED", text(row, "last"),
                   number(row, "failures")});
    }
    return table.empty() ? "" : "\n" + table.render();
}

}  // namespace

std::string render_vrrp(const Json& data, const Json& /*args*/) {
    Table table{{"instance"},
                {"state"},
                {"for", Align::Right},
                {"port"},
                {"VRID", Align::Right},
                {"version", Align::Right},
                {"priority", Align::Right},
                {"advert", Align::Right},
                {"master"},
                {"group"},
                {"addresses"}};
    std::string notes, counts;
    for (const Json& row : list(data, "instances")) {
        Json addresses = list(row, "addresses");
        const std::size_t more = (addresses.size() > 3 ? addresses.size() - 3 : 0) +
                                 list(row, "addresses_excluded").size();
        if (addresses.size() > 3) addresses.erase(addresses.begin() + 3, addresses.end());
        const std::string group = text(row, "group");
        table.add({text(row, "name"), text(row, "state"), seconds(row, "since_seconds"),
                   text(row, "interface"), number(row, "virtual_router_id"), number(row, "version"),
                   priority(row), seconds(row, "active_advert_seconds"),
                   text(row, "state") == "MASTER" ? "this node" : peer(row, "master"),
                   group.empty() ? "-" : group,
                   joined(addresses) + (more > 0 ? " and " + std::to_string(more) + " more" : "")});
        notes += remarks(row);
        counts += counters(row);
    }
    std::string out = table.render();
    if (!notes.empty()) out += "\n" + notes;
    if (!counts.empty()) out += "\n" + counts;
    return out + tracks(data) + strangers(data);
}

}  // namespace pollux::cli
