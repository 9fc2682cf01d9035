// SPDX-License-Identifier: Apache-2.0
#include "tools/pollux/cli.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <sstream>
#include <thread>

#include "control/config/check.h"
#include "control/config/help.h"
#include "control/config/load.h"
#include "control/config/render.h"
#include "tools/pollux/bench_profile.h"
#include "tools/pollux/client.h"
#include "tools/pollux/import.h"
#include "tools/pollux/ipvs.h"
#include "tools/pollux/names.h"
#include "tools/pollux/rs_setup.h"
#include "tools/pollux/service_pages.h"

namespace pollux::cli {
namespace {

using Words = std::vector<std::string>;

int fail(std::ostream& err, const Error& error, int code) {
    err << "pollux: " << error.message << "\n";
    if (!error.remedy.empty()) err << "  " << error.remedy << "\n";
    return code;
}

int check(const Words& args, std::ostream& out, std::ostream& err) {
    return control::run_check(args, out, err);
}

int rs_setup(const Words& args, std::ostream& out, std::ostream& err) {
    const auto setup = parse_rs_setup(args);
    if (!setup) return fail(err, setup.error(), kRefused);
    out << render_rs_setup(*setup);
    return kOk;
}

int bench_profile(const Words& args, std::ostream& out, std::ostream& err) {
    const auto options = parse_bench_profile(args);
    if (!options) return fail(err, options.error(), kRefused);
    control::LoadOptions load;
    load.node = options->node;
    load.require_secrets = false;  // made on the generator's machine
    const control::LoadResult loaded = control::load_config(options->file, load);
    if (!loaded.config) {
        err << control::render_all(loaded);
        return kRefused;
    }
    const auto profile = make_profile(*loaded.config, *options);
    if (!profile) return fail(err, profile.error(), kRefused);
    const auto text = render_profile(*profile, *options);
    if (!text) return fail(err, text.error(), kRefused);
    out << *text;
    return kOk;
}

// A sub-command that needs no daemon.
struct LocalRow {
    std::string_view word;
    std::string_view usage;
    std::string_view help;
    int (*run)(const Words& args, std::ostream& out, std::ostream& err);
};

constexpr std::array kLocalRows = {
    LocalRow{"bench-profile",
             "--tool pktgen|trex|dperf|pollux-pktgen [--node NAME] [--service ADDRESS:PORT] "
             "[--clients PREFIX] "
             "[--flows N] [--balancer-mac MAC] [--address ADDRESS] [--server-address ADDRESS] "
             "[--pci DEVICE] [--server-pci DEVICE] [--role client|server] FILE",
             "print a traffic generator's input for a configuration file", bench_profile},
    LocalRow{"check", "[--strict] [--online] [--json] [--node NAME] FILE",
             "check a configuration file", check},
    LocalRow{"import", kImportUsage, "turn keepalived.conf or ipvsadm's rules into TOML",
             run_import},
    LocalRow{"rs-setup", "--method dr|tun|nat|fnat [--vip ADDRESS]... [--director ADDRESS]",
             "print the commands that a real server needs", rs_setup},
};

constexpr std::string_view kIpvsHelp = "ipvsadm's command line, texts and exit statuses";

// One line of `pollux help`.
void print_row(std::ostream& out, std::string_view words, std::string_view help) {
    std::string line = "  " + std::string(words);
    line.resize(std::max<std::size_t>(line.size() + 2, 22), ' ');
    out << line << help << "\n";
}

void print_help(std::ostream& out) {
    out << "usage: pollux [--socket PATH] [--json] COMMAND\n\nWith the daemon:\n";
    for (const CommandRow& row : command_rows()) print_row(out, row.words, row.help);
    print_row(out, "ipvs [ARGUMENTS]", kIpvsHelp);
    out << "\nWithout it:\n";
    for (const LocalRow& row : kLocalRows) print_row(out, row.word, row.help);
    print_row(out, "help [COMMAND]", "this, or the options of a command");
    print_row(out, "help TABLE",
              "the keys of a table of the configuration; help tables lists them");
    out << "\nExit status: 0 done, 1 refused, 2 no connection to the daemon; of ipvs: ipvsadm's.\n"
           "The socket is $POLLUX_SOCKET, or "
        << kDefaultSocket << ".\n";
}

// The commands that begin with a word ("show"), or keys of the configuration ("dpdk.port").
int help_without_row(const Words& args, std::ostream& out, std::ostream& err) {
    const std::string& word = args.front();
    bool found = false;
    for (const CommandRow& row : command_rows()) {
        if (args.size() != 1 || !row.words.starts_with(word + " ")) continue;
        print_row(out, row.words, row.help);
        found = true;
    }
    const auto tables = control::all_tables();
    const bool is_table = std::any_of(tables.begin(), tables.end(),
                                      [&](const auto* table) { return table->path == word; });
    if (found && !is_table) return kOk;
    if (found) out << "\n";
    if (word == "tables") return control::run_config_help({}, out, err);
    std::ostringstream nothing;
    if (control::run_config_help(args, out, nothing) == 0) return kOk;
    err << "pollux: no command is called so, and " << nothing.str()
        << "  see: pollux help; pollux help tables\n";
    return kRefused;
}

int help(const Words& args, std::ostream& out, std::ostream& err) {
    if (args.empty()) {
        print_help(out);
        return kOk;
    }
    for (const LocalRow& row : kLocalRows) {
        if (row.word != args.front()) continue;
        out << "usage: pollux " << row.word << " " << row.usage << "\n" << row.help << "\n";
        return kOk;
    }
    if (args.front() == "ipvs") {
        out << "usage: pollux [--socket PATH] ipvs [ARGUMENTS]\n"
            << kIpvsHelp << "; see: pollux ipvs --help\n";
        return kOk;
    }
    const CommandRow* row = find_row(args);
    if (row == nullptr) return help_without_row(args, out, err);
    out << "usage: pollux " << row->words;
    for (const OptionRow& option : row->options) {
        const bool positional = !option.name.starts_with("--");
        if (positional) {
            out << " " << option.name;
        } else {
            out << " [" << option.name << (option.kind == OptionKind::Flag ? "]" : " ...]");
        }
    }
    out << "\n" << row->help << "\n";
    for (const OptionRow& option : row->options) print_row(out, option.name, option.help);
    return kOk;
}

std::string default_socket() {
    const char* given = std::getenv("POLLUX_SOCKET");
    return given == nullptr || *given == '\0' ? kDefaultSocket : given;
}

struct GlobalOptions {
    std::string socket = default_socket();
    bool json = false;
};

// Takes --socket and --json, which may stand anywhere, out of the words.
Result<GlobalOptions> take_global_options(Words& words) {
    GlobalOptions options;
    Words rest;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "--json") {
            options.json = true;
        } else if (words[i] == "--socket") {
            if (i + 1 == words.size()) return Error{"--socket needs a path", ""};
            options.socket = words[++i];
        } else {
            rest.push_back(words[i]);
        }
    }
    words = std::move(rest);
    return options;
}

// An answer that takes a while is asked for again with its ticket.
constexpr auto kPollInterval = std::chrono::milliseconds(50);
constexpr unsigned kMaxPolls = 6000;

Result<Json> ask_patiently(Client& client, const CommandRow& row, Json args) {
    auto answer = client.ask(std::string(row.request), args);
    for (unsigned i = 0; i < kMaxPolls && answer && answer->value("ok", false); ++i) {
        const Json data = answer->value("data", Json::object());
        if (!data.is_object() || !data.value("pending", false)) break;
        std::this_thread::sleep_for(kPollInterval);
        args["ticket"] = data.value("ticket", Json(0));
        answer = client.ask(std::string(row.request), args);
    }
    return answer;
}

// Asks once, or piece by piece until the rows' end or limit.
Result<Json> ask_all(Client& client, const CommandRow& row, Json args) {
    if (row.extent == Extent::AllServices) {
        const Ask ask = [&client](const std::string& command, const Json& arguments) {
            return client.ask(command, arguments);
        };
        return ask_services(ask, std::string(row.request), args);
    }
    auto answer = ask_patiently(client, row, args);
    if (row.paged.empty() || !answer || !answer->value("ok", false)) return answer;
    const std::string member(row.paged);
    const std::size_t limit = args.value("limit", kDefaultLimit);
    Json rows = (*answer)["data"].value(member, Json::array());
    Json next = (*answer)["data"].value("next", Json(0));
    while (rows.size() < limit && next != 0) {
        args["cursor"] = next;
        const auto more = client.ask(std::string(row.request), args);
        if (!more || !more->value("ok", false)) return more;
        for (const Json& item : (*more)["data"].value(member, Json::array())) rows.push_back(item);
        next = (*more)["data"].value("next", Json(0));
    }
    bool more_rows = next != 0;
    if (rows.size() > limit) {
        rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(limit), rows.end());
        more_rows = true;
    }
    (*answer)["data"][member] = std::move(rows);
    (*answer)["data"].erase("next");
    (*answer)["data"]["more"] = more_rows;
    return answer;
}

// Connects at the first need.
std::function<Result<Ask>()> connector(std::string socket) {
    return [socket = std::move(socket)]() -> Result<Ask> {
        auto client = Client::connect(socket);
        if (!client) return client.error();
        auto shared = std::make_shared<Client>(std::move(client).value());
        return Ask([shared](const std::string& command, const Json& arguments) {
            return shared->ask(command, arguments);
        });
    };
}

int ask_daemon(const CommandRow& row, const GlobalOptions& options, const Json& args,
               std::ostream& out, std::ostream& err) {
    auto client = Client::connect(options.socket);
    if (!client) return fail(err, client.error(), kNotConnected);
    const auto answer = ask_all(*client, row, args);
    if (!answer) return fail(err, answer.error(), kNotConnected);
    const bool ok = answer->value("ok", false);
    if (options.json) {
        out << answer->dump(2) << "\n";
        return ok ? kOk : kRefused;
    }
    if (!ok) {
        const Json error = answer->value("error", Json::object());
        return fail(
            err,
            {error.value("message", std::string("refused")), error.value("remedy", std::string())},
            kRefused);
    }
    out << row.render(answer->value("data", Json::object()), args);
    return kOk;
}

// Words behind "ipvs" are ipvsadm's, also those that look like ours.
Words::iterator find_ipvs(Words& words) {
    auto word = words.begin();
    while (word != words.end() && word->starts_with("--")) {
        if (*word == "--socket" && std::next(word) != words.end()) ++word;
        ++word;
    }
    return word != words.end() && *word == "ipvs" ? word : words.end();
}

IpvsCall ipvs_call(const Words& arguments, const std::string& program) {
    return {arguments, program, &std::cin, system_resolver(), system_names()};
}

int ipvs(Words global, const Words& arguments, std::ostream& out, std::ostream& err) {
    const auto options = take_global_options(global);
    if (!options) return fail(err, options.error(), kNotConnected);
    if (!global.empty()) {
        return fail(err, {"unknown option " + global.front(), "see: pollux help"}, kNotConnected);
    }
    if (options->json) {
        return fail(err, {"ipvs speaks ipvsadm's texts only", "see: pollux --json show services"},
                    kNotConnected);
    }
    return run_ipvs(ipvs_call(arguments, "pollux ipvs"), connector(options->socket), out, err);
}

// A command that needs no daemon, if the words begin with one. `json`: --json stood before it.
std::optional<int> run_local(const Words& words, bool json, std::ostream& out, std::ostream& err) {
    Words after(words.begin() + 1, words.end());
    if (words.front() == "help") return help(after, out, err);
    if (json) after.insert(after.begin(), "--json");
    for (const LocalRow& row : kLocalRows) {
        if (row.word == words.front()) return row.run(after, out, err);
    }
    return std::nullopt;
}

Error unknown_command(const Words& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    std::string choices;
    for (const CommandRow& row : command_rows()) {
        const bool same_start = row.words.starts_with(words.front() + " ");
        if (same_start) choices += (choices.empty() ? "" : ", ") + std::string(row.words);
    }
    return {"unknown command " + text, choices.empty() ? "see: pollux help" : "one of: " + choices};
}

}  // namespace

int run(const std::vector<std::string>& args, std::ostream& out, std::ostream& err) {
    Words words = args;
    if (words.empty() || words.front() == "--help" || words.front() == "-h") {
        print_help(words.empty() ? err : out);
        return words.empty() ? kRefused : kOk;
    }
    if (words.front() == "--version") {
        out << "pollux " POLLUX_VERSION "\n";
        return kOk;
    }
    if (const auto word = find_ipvs(words); word != words.end()) {
        return ipvs(Words(words.begin(), word), Words(word + 1, words.end()), out, err);
    }
    if (const auto code = run_local(words, false, out, err)) return *code;
    const auto options = take_global_options(words);
    if (!options) return fail(err, options.error(), kRefused);
    if (words.empty()) return fail(err, {"no command", "see: pollux help"}, kRefused);
    if (const auto code = run_local(words, options->json, out, err)) return *code;
    const CommandRow* row = find_row(words);
    if (row == nullptr) return fail(err, unknown_command(words), kRefused);
    const auto count =
        static_cast<std::size_t>(std::count(row->words.begin(), row->words.end(), ' ') + 1);
    const auto request = parse_arguments(*row, std::span<const std::string>(words).subspan(count));
    if (!request) return fail(err, request.error(), kRefused);
    return ask_daemon(*row, *options, *request, out, err);
}

int run_as_ipvsadm(const std::vector<std::string>& args, std::ostream& out, std::ostream& err) {
    return run_ipvs(ipvs_call(args, "ipvsadm"), connector(default_socket()), out, err);
}

}  // namespace pollux::cli
