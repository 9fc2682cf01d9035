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

constexpr int kKernelRefused = 255;

bool changes_table(Verb verb) {
    return verb != Verb::List && verb != Verb::Save && verb != Verb::Zero && verb != Verb::Help &&
           verb != Verb::Version;
}

Output text_output(std::string text) {
    return {std::move(text), "", 0};
}

}  // namespace

Output Console::run(const std::vector<std::string>& arguments, const std::string& input) {
    const auto parsed = parse_command(arguments, program_, resolver_);
    if (const auto* refusal = std::get_if<Refusal>(&parsed)) return refusal_output(*refusal);
    const Command& command = std::get<Command>(parsed);
    if (command.verb == Verb::Restore) return restore(input);
    const Table before = table_;
    Output output = execute(command);
    if (const auto failure = publish(before)) return refusal_output(*failure);
    return output;
}

// Changes of the table wait for publish().
Output Console::execute(const Command& command) {
    switch (command.verb) {
        case Verb::List:
            return list(command);
        case Verb::Save:
            return text_output(save(backend_.services(), command.listing, names_));
        case Verb::Help:
            return text_output(version_line() + usage(program_));
        case Verb::Version:
            return text_output(version_line());
        case Verb::Zero: {
            if (const auto refusal = table_.apply(command)) return refusal_output(*refusal);
            const lb::ServiceSpec* service =
                command.has_service ? std::as_const(table_).find(command.service) : nullptr;
            if (backend_.zero) backend_.zero(service);
            return {};
        }
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
        case Verb::Restore:
            break;
    }
    if (const auto refusal = table_.apply(command)) return refusal_output(*refusal);
    changed_ = true;
    return {};
}

std::optional<Refusal> Console::publish(const Table& before) {
    if (!std::exchange(changed_, false)) return std::nullopt;
    const Status status = backend_.publish(table_);
    if (status) return std::nullopt;
    table_ = before;
    std::string text = status.error().message;
    if (!status.error().remedy.empty()) text += "\n" + status.error().remedy;
    return Refusal{std::move(text), kKernelRefused};
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
    return text_output(list_services({views, rates, backend_.size}, listing, names_));
}

// As ipvsadm: a line that the kernel refuses does not stop the others and the last line decides the
// exit status; a line that is wrong ends everything. What the lines change becomes one snapshot.
Output Console::restore(const std::string& input) {
    Output result;
    Table before = table_;
    const auto publish_lines = [&] {
        if (const auto failure = publish(before)) {
            result.err += failure->message + "\n";
            result.exit_status = failure->exit_status;
        }
        before = table_;
    };
    std::istringstream lines(input);
    for (std::string line; std::getline(lines, line);) {
        std::vector<std::string> words = split_line(line);
        if (words.empty()) continue;
        const bool nested = words.front() == "-R" || words.front() == "--restore";
        if (nested) words = {"-"};  // ends in the hint
        const auto parsed = parse_command(words, program_, resolver_);
        const auto* wrong = std::get_if<Refusal>(&parsed);
        const bool shows = wrong == nullptr && !changes_table(std::get<Command>(parsed).verb);
        if (shows) publish_lines();
        const Output one =
            wrong != nullptr ? refusal_output(*wrong) : execute(std::get<Command>(parsed));
        result.out += one.out;
        result.err += one.err;
        result.exit_status = one.exit_status;
        if (wrong != nullptr && (one.exit_status == 2 || one.err.starts_with("Try `"))) break;
    }
    publish_lines();
    return result;
}

}  // namespace pollux::control::ipvs
