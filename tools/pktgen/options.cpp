// SPDX-License-Identifier: Apache-2.0
#include "tools/pktgen/options.h"

#include <algorithm>
#include <charconv>

#include "control/config/read_value.h"
#include "tools/pktgen/plan_load.h"

namespace pollux::pktgen {
namespace {

using control::KeyRow;
using control::Node;
using control::NodeKind;

constexpr std::string_view kTables[] = {"traffic", "search", "service", "dpdk"};

struct VerbRow {
    std::string_view word;
    Verb verb;
};
constexpr VerbRow kVerbs[] = {
    {"run", Verb::Run}, {"search", Verb::Search}, {"check", Verb::Check}, {"help", Verb::Help}};

const KeyRow* find_table(std::string_view name) {
    return control::find_row(plan_schema(), name);
}

std::string option_name(std::string_view key) {
    std::string name = "--" + std::string(key);
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

struct OptionTarget {
    const KeyRow* table = nullptr;  // of the root
    const KeyRow* key = nullptr;
};

OptionTarget find_option(std::string_view word) {
    for (const std::string_view name : kTables) {
        const KeyRow* table = find_table(name);
        for (const KeyRow& row : table->field.child()->rows) {
            if (option_name(row.key) == word) return {table, &row};
        }
    }
    return {};
}

// The word as the file would have it: a number where one is wanted.
Node node_of(const std::string& word) {
    Node node;
    node.kind = NodeKind::Text;
    node.text = word;
    const char* end = word.data() + word.size();
    if (std::from_chars(word.data(), end, node.integer).ptr == end) node.kind = NodeKind::Integer;
    if (word == "true" || word == "false") {
        node.kind = NodeKind::Boolean;
        node.boolean = word == "true";
    }
    return node;
}

Status apply(Plan& plan, const OptionTarget& target, const std::string& word) {
    Node node = node_of(word);
    using control::ValueType;
    const ValueType type = target.key->field.type;
    if (type == ValueType::Real && node.kind == NodeKind::Text) {
        const char* end = word.data() + word.size();
        if (std::from_chars(word.data(), end, node.real).ptr == end) node.kind = NodeKind::Real;
    }
    // "--rate 1000" is a text that looks like a number.
    if (type == ValueType::Name || type == ValueType::Text) node.kind = NodeKind::Text;
    control::Reading reading;
    if (const auto error = control::read_value(*target.key, node, reading)) {
        return Error{option_name(target.key->key) + " cannot be '" + word + "'",
                     "give " + control::expected_value(*target.key)};
    }
    target.key->field.store(target.table->field.add(&plan), reading);
    return ok_status();
}

Error no_value(const std::string& word) {
    return {word + " has no value", "see: pollux-pktgen help"};
}

// The options behind verb and file.
Status apply_options(CommandLine& line, std::span<const std::string> words) {
    for (std::size_t i = 0; i < words.size(); i += 2) {
        const std::string& word = words[i];
        const OptionTarget target = find_option(word);
        if (target.key == nullptr && word != "--json") {
            return Error{"unknown option " + word, "see: pollux-pktgen help"};
        }
        if (i + 1 == words.size()) return no_value(word);
        if (word == "--json") {
            line.json_file = words[i + 1];
        } else if (Status status = apply(line.plan, target, words[i + 1]); !status) {
            return status;
        }
    }
    return ok_status();
}

}  // namespace

Result<CommandLine> parse_command_line(std::span<const std::string> words) {
    CommandLine line;
    if (words.empty()) return Error{"what is to be done?", "see: pollux-pktgen help"};
    std::string_view first = words[0];
    if (first == "--help" || first == "-h") first = "help";
    const auto* verb = std::find_if(std::begin(kVerbs), std::end(kVerbs),
                                    [first](const VerbRow& row) { return row.word == first; });
    if (verb == std::end(kVerbs)) {
        return Error{"unknown command " + words[0], "see: pollux-pktgen help"};
    }
    line.verb = verb->verb;
    if (line.verb == Verb::Help) return line;
    if (words.size() < 2 || words[1].starts_with("--")) {
        return Error{"which traffic file?", "pollux-pktgen " + words[0] + " FILE [options]"};
    }
    PlanResult read = load_plan(words[1]);
    line.notices = std::move(read.messages);
    if (!read.plan) return Error{words[1] + " cannot be used", line.notices};
    line.plan = std::move(*read.plan);
    if (Status status = apply_options(line, words.subspan(2)); !status) return status.error();
    if (Status status = check_plan(line.plan); !status) return status.error();
    return line;
}

std::string usage_text() {
    std::string text =
        "usage: pollux-pktgen run|search|check FILE [options]\n\n"
        "  run      one trial; exit status 0 when every frame arrived and was rewritten right\n"
        "  search   RFC 2544 throughput: the rates without loss (NDR) and with little (PDR)\n"
        "  check    only read the traffic file\n\n"
        "  --json FILE          results as JSON; - for standard output\n";
    for (const std::string_view name : kTables) {
        for (const KeyRow& row : find_table(name)->field.child()->rows) {
            std::string line = "  " + option_name(row.key) + " ...";
            line.resize(std::max<std::size_t>(line.size() + 1, 23), ' ');
            text += line + std::string(row.help) + "\n";
        }
    }
    return text + "\nExit status: 0 passed, 1 frames lost or wrong, 2 not started.\n";
}

}  // namespace pollux::pktgen
