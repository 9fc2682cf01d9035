// SPDX-License-Identifier: Apache-2.0

#include "control/ipvs/console.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "control/ipvs/usage.h"

namespace pollux::control::ipvs {

namespace {

Output refusal_output(const Refusal& refusal) {
    return {"", refusal.message + "\n", refusal.exit_status};
}

Output text_output(std::string text) {
    return {std::move(text), "", 0};
}

}  // namespace

Output Console::run(const std::vector<std::string>& arguments, const std::string& input) {
    const auto parsed = parse_command(arguments, program_, resolver_);
    if (const auto* refusal = std::get_if<Refusal>(&parsed)) return refusal_output(*refusal);
    const Command& command = std::get<Command>(parsed);
    switch (command.verb) {
        case Verb::List:
            return list(command);
        case Verb::Save:
            return text_output(save(backend_.services(), command.listing, names_));
        case Verb::Restore:
            return restore(input);
        case Verb::Help:
            return text_output(version_line() + usage(program_));
        case Verb::Version:
            return text_output(version_line());
        case Verb::AddService:
        case Verb::EditService:
        case Verb::DeleteService:
        case Verb::Clear:
        case Verb::AddServer:
        case Verb::DeleteServer:
        case Verb::EditServer:
        case Verb::SetTimeouts:
        case Verb::StartDaemon:
        case Verb::StopDaemon:
        case Verb::Zero:
            break;
    }
    return change(command);
}

Output Console::list(const Command& command) {
    const Listing& listing = command.listing;
    if (listing.connections) {
        const auto connections =
            backend_.connections ? backend_.connections() : std::vector<lb::ConnectionView>{};
        return text_output(list_connections(connections, listing, names_));
    }
    if (command.has_service) {
        const lb::ServiceSpec* wanted = std::as_const(table_).find(command.service);
        if (wanted == nullptr) return refusal_output(no_such_service_to_list());
        std::vector<lb::ServiceView> views = backend_.services();
        Table single;
        std::erase_if(views, [wanted, &single](const lb::ServiceView& view) {
            single.services = {view.spec};
            return single.find(*wanted) == nullptr;
        });
        const auto rates =
            listing.rate && backend_.rates ? backend_.rates(views) : std::vector<ServiceRates>{};
        return text_output(list_service({views, rates}, listing, names_));
    }
    if (listing.timeouts) return text_output(list_timeouts(table_.timeouts));
    if (listing.daemon) return {};  // no synchronisation daemon of LVS's kind runs
    const std::vector<lb::ServiceView> views = backend_.services();
    const auto rates =
        listing.rate && backend_.rates ? backend_.rates(views) : std::vector<ServiceRates>{};
    return text_output(list_services({views, rates}, listing, names_));
}

Output Console::change(const Command& command) {
    const Table before = table_;
    if (const auto refusal = table_.apply(command)) return refusal_output(*refusal);
    if (command.verb == Verb::Zero) {
        const lb::ServiceSpec* service =
            command.has_service ? std::as_const(table_).find(command.service) : nullptr;
        if (backend_.zero) backend_.zero(service);
        return {};
    }
    if (const Status status = backend_.publish(table_); !status) {
        table_ = before;
        return refusal_output({status.error().message, 255});
    }
    return {};
}

// As ipvsadm: a line that the kernel refuses does not stop the others and the last line decides the
// exit status; a line that is wrong ends everything.
Output Console::restore(const std::string& input) {
    Output result;
    std::istringstream lines(input);
    for (std::string line; std::getline(lines, line);) {
        std::vector<std::string> words = split_line(line);
        if (words.empty()) continue;
        const bool nested = words.front() == "-R" || words.front() == "--restore";
        if (nested) words = {"-"};  // ends in the hint
        const Output one = run(words);
        result.out += one.out;
        result.err += one.err;
        result.exit_status = one.exit_status;
        if (one.exit_status == 2 || one.err.starts_with("Try `")) break;
    }
    return result;
}

}  // namespace pollux::control::ipvs
