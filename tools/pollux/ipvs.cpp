// SPDX-License-Identifier: Apache-2.0
#include "tools/pollux/ipvs.h"

#include <cerrno>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>
#include <variant>

#include "control/ipvs/console.h"
#include "control/ipvs/numeric.h"
#include "tools/pollux/ipvs_views.h"

namespace pollux::cli {
namespace {

namespace ipvs = control::ipvs;
using ipvs::Verb;

// ipvsadm's own exit status when there is no IPVS to talk to.
constexpr int kNoDaemon = 2;
// Connections asked for at a time: a few milliseconds of the daemon's.
constexpr int kConnectionsPerRequest = 1000;

int fail(std::ostream& err, const Error& error) {
    const bool no_right = error.message.ends_with(strerror(EACCES)) ||
                          error.message.starts_with("no permission for ");
    err << "Can't initialize ipvs: "
        << (no_right ? "Permission denied (you must be root)" : error.message) << "\n";
    if (!error.remedy.empty()) err << error.remedy << "\n";
    return kNoDaemon;
}

int print(const ipvs::Output& output, std::ostream& out, std::ostream& err) {
    out << output.out;
    err << output.err;
    return output.exit_status;
}

// The member "data" of an answer; a refusal is an error.
Result<Json> data_of(Result<Json> answer) {
    if (!answer) return answer;
    if (answer->value("ok", false)) return answer->value("data", Json::object());
    const Json error = answer->value("error", Json::object());
    return Error{error.value("message", std::string("refused")),
                 error.value("remedy", std::string())};
}

Result<Json> ask_data(const Ask& ask, const std::string& command, const Json& arguments) {
    return data_of(ask(command, arguments));
}

// The console works on what the daemon told; it is only asked to show.
Result<ipvs::Output> show(const IpvsCall& call, const Ask& ask) {
    const auto data = data_of(ask_services(ask, "ipvs listing", Json::object()));
    if (!data) return data.error();
    const ListingData listing = to_listing_data(*data);
    ipvs::Table table;
    table.timeouts = listing.timeouts;
    for (const lb::ServiceView& view : listing.services) table.services.push_back(view.spec);
    ipvs::Backend backend;
    backend.services = [&listing] { return listing.services; };
    backend.rates = [&listing](const std::vector<lb::ServiceView>& views) {
        return listing.rates_of(views);
    };
    backend.size = listing.size;
    ipvs::Console console(table, std::move(backend), call.program);
    console.set_resolver(call.resolver);
    console.set_names(call.names);
    ipvs::Output output = console.run(call.arguments);
    output.err += changed_meanwhile_note(*data);
    return output;
}

int show_connections(const IpvsCall& call, const ipvs::Listing& listing, const Ask& ask,
                     std::ostream& out, std::ostream& err) {
    out << ipvs::connections_title(listing);
    Json cursor = 0;
    do {
        const auto data = ask_data(ask, "show connections",
                                   {{"cursor", cursor}, {"limit", kConnectionsPerRequest}});
        if (!data) return fail(err, data.error());
        for (const Json& row : data->value("connections", Json::array())) {
            out << ipvs::connection_row(to_connection_view(row), listing, call.names);
        }
        cursor = data->value("next", Json(0));
    } while (cursor != 0);
    return 0;
}

Result<ipvs::Output> change(const IpvsCall& call, Verb verb, const Ask& ask) {
    Json request{{"program", call.program},
                 {"arguments", ipvs::numeric_arguments(call.arguments, call.resolver)}};
    if (verb == Verb::Restore && call.input != nullptr) {
        const std::string input{std::istreambuf_iterator<char>(*call.input), {}};
        request["input"] = ipvs::numeric_lines(input, call.resolver);
    }
    const auto data = ask_data(ask, "ipvs", request);
    if (!data) return data.error();
    return ipvs::Output{data->value("out", std::string()), data->value("err", std::string()),
                        data->value("exit_status", kNoDaemon)};
}

}  // namespace

int run_ipvs(const IpvsCall& call, const std::function<Result<Ask>()>& connect, std::ostream& out,
             std::ostream& err) {
    const auto parsed = ipvs::parse_command(call.arguments, call.program, call.resolver);
    const auto* command = std::get_if<ipvs::Command>(&parsed);
    if (command == nullptr || command->verb == Verb::Help || command->verb == Verb::Version) {
        ipvs::Table none;
        ipvs::Console console(none, {}, call.program);
        console.set_resolver(call.resolver);
        return print(console.run(call.arguments), out, err);
    }
    const auto ask = connect();
    if (!ask) return fail(err, ask.error());
    const bool shows = command->verb == Verb::List || command->verb == Verb::Save;
    if (shows && command->listing.connections) {
        return show_connections(call, command->listing, *ask, out, err);
    }
    const auto output = shows ? show(call, *ask) : change(call, command->verb, *ask);
    if (!output) return fail(err, output.error());
    return print(*output, out, err);
}

}  // namespace pollux::cli
