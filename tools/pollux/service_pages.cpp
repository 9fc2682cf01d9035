// SPDX-License-Identifier: Apache-2.0
#include "tools/pollux/service_pages.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace pollux::cli {
namespace {

enum class OnChange : unsigned char { Stop, GoOn };

struct Reading {
    Result<Json> answer;   // of the first page, completed; or the error of any page
    bool changed = false;  // between two pages; with OnChange::Stop the reading ended there
};

bool is_good(const Result<Json>& answer) {
    return answer && answer->value("ok", false) && answer->contains("data") &&
           answer->at("data").is_object();
}

bool same_service(const Json& a, const Json& b) {
    constexpr const char* kIdentity[] = {"protocol", "address", "port", "fwmark", "family"};
    for (const char* name : kIdentity) {
        if (a.value(name, Json()) != b.value(name, Json())) return false;
    }
    return true;
}

Json take_services(Json& data) {
    const auto member = data.find("services");
    return member != data.end() && member->is_array() ? std::move(*member) : Json::array();
}

void append(Json& services, Json page) {
    for (Json& row : page) {
        const bool joins = !services.empty() && row.is_object() && row.value("continued", false) &&
                           same_service(services.back(), row);
        if (!joins) {
            if (row.is_object()) row.erase("continued");
            services.push_back(std::move(row));
            continue;
        }
        Json& servers = services.back()["servers"];
        for (Json& server : row["servers"]) servers.push_back(std::move(server));
    }
}

Reading read_all(const Ask& ask, const std::string& command, Json arguments, OnChange on_change) {
    Reading reading{ask(command, arguments)};
    if (!is_good(reading.answer)) return reading;
    Json& data = (*reading.answer)["data"];
    Json services = Json::array();
    append(services, take_services(data));
    const Json generation = data.value("generation", Json());
    Json next = data.value("next", Json(0));
    while (next != 0) {
        arguments["cursor"] = next;
        auto page = ask(command, arguments);
        if (!is_good(page)) return {std::move(page)};
        Json& more = (*page)["data"];
        if (more.value("generation", Json()) != generation) {
            reading.changed = true;
            if (on_change == OnChange::Stop) return reading;
        }
        append(services, take_services(more));
        const Json after = more.value("next", Json(0));
        if (after != 0 && after <= next) {
            return {Error{"the pages of polluxd's answer do not go on",
                          "use the pollux command of the same version"}};
        }
        next = after;
    }
    data["services"] = std::move(services);
    data.erase("next");
    if (reading.changed) data["changed_meanwhile"] = true;
    return reading;
}

}  // namespace

Result<Json> ask_services(const Ask& ask, const std::string& command, const Json& arguments) {
    for (unsigned i = 1; i < kReadings; ++i) {
        Reading reading = read_all(ask, command, arguments, OnChange::Stop);
        if (!reading.changed) return std::move(reading.answer);
    }
    return read_all(ask, command, arguments, OnChange::GoOn).answer;
}

std::string changed_meanwhile_note(const Json& data) {
    if (!data.value("changed_meanwhile", false)) return "";
    return "the table changed while it was read: each service is as it was at some time of that\n";
}

}  // namespace pollux::cli
