// SPDX-License-Identifier: Apache-2.0
// Health checks, real servers, events.

#include <cstdio>

#include "tools/pollux/render.h"
#include "tools/pollux/table.h"
#include "tools/pollux/values.h"

namespace pollux::cli {
namespace {

// A number member with a unit, or "-".
std::string measure(const Json& object, const char* name, const char* unit) {
    const auto member = object.find(name);
    if (member == object.end() || !member->is_number()) return "-";
    char buffer[48];
    std::snprintf(buffer, sizeof(buffer), "%.3g%s", member->get<double>(), unit);
    return buffer;
}

// "72 s", "12 m", "5 h", "3 d".
std::string age(const Json& object, const char* name) {
    const auto member = object.find(name);
    if (member == object.end() || !member->is_number()) return "-";
    const double seconds = member->get<double>();
    struct Unit {
        double length;
        const char* name;
    };
    for (const Unit unit : {Unit{172800, " d"}, Unit{7200, " h"}, Unit{120, " m"}}) {
        if (seconds < unit.length) continue;
        const double divisor = unit.length == 172800 ? 86400 : unit.length / 2;
        return std::to_string(static_cast<long>(seconds / divisor)) + unit.name;
    }
    return std::to_string(static_cast<long>(seconds)) + " s";
}

std::string more(const Json& data) {
    return data.value("more", false) ? "more with --limit\n" : "";
}

std::string weight(const Json& row) {
    std::string text = number(row, "weight");
    const auto set = [&row](const char* name) {
        const auto member = row.find(name);
        return member != row.end() && member->is_number();
    };
    if (set("operator_weight")) {
        text += " (runtime)";
    } else if (set("checked_weight")) {
        text += " (check)";
    }
    return row.value("ramping", false) ? text + " slow start" : text;
}

}  // namespace

std::string render_checks(const Json& data, const Json& /*args*/) {
    Table table{{"check"},
                {"state"},
                {"period", Align::Right},
                {"tries", Align::Right},
                {"failed", Align::Right},
                {"took", Align::Right},
                {"next", Align::Right},
                {"services", Align::Right},
                {"last"}};
    for (const Json& row : list(data, "checks")) {
        std::string last = text(row, "last");
        const std::string days = measure(row, "certificate_days", "");
        if (days != "-") last += " (certificate: " + days + " days left)";
        table.add({text(row, "check"), text(row, "state"), measure(row, "period_seconds", "s"),
                   number(row, "tries"), number(row, "failures"), measure(row, "took_ms", "ms"),
                   measure(row, "next_try_seconds", "s"),
                   std::to_string(list(row, "servers").size()), last});
    }
    return table.render() + more(data);
}

std::string render_servers(const Json& data, const Json& /*args*/) {
    Table table{{"service"},
                {"quorum"},
                {"server"},
                {"state"},
                {"for", Align::Right},
                {"weight"},
                {"downs", Align::Right},
                {"cause"}};
    std::string before;
    for (const Json& row : list(data, "servers")) {
        const std::string service = text(row, "service");
        const bool again = service == before;
        before = service;
        std::string state = text(row, "state");
        if (row.value("checks", 0) == 0) state += " (no check)";
        table.add({again ? "" : service, again ? "" : text(row, "quorum"), text(row, "server"),
                   state, age(row, "since_seconds"), weight(row), number(row, "downs"),
                   text(row, "cause")});
    }
    return table.render() + more(data);
}

std::string render_events(const Json& data, const Json& /*args*/) {
    Table table{{"time"}, {"kind"}, {"subject"}, {"from"}, {"to"}, {"cause"}};
    for (const Json& row : list(data, "events")) {
        table.add({text(row, "time"), text(row, "kind"), text(row, "subject"), text(row, "before"),
                   text(row, "after"), text(row, "cause")});
    }
    return table.render();
}

std::string render_check_runs(const Json& data, const Json& /*args*/) {
    std::string out;
    for (const Json& row : list(data, "results")) {
        out += text(row, "check") + ": " + (row.value("success", false) ? "good" : "FAILED") +
               " in " + measure(row, "took_ms", " ms") + "\n    " + text(row, "detail") + "\n";
        const std::string weight = measure(row, "weight", "");
        if (weight != "-") out += "    weight " + weight + "\n";
        const std::string days = measure(row, "certificate_days", "");
        if (days != "-") out += "    the certificate ends in " + days + " days\n";
    }
    return out;
}

std::string render_test_mail(const Json& data, const Json& /*args*/) {
    return text(data, "server") + " took the mail for " + joined(list(data, "to")) + "\n";
}

}  // namespace pollux::cli
