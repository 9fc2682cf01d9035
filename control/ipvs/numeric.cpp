// SPDX-License-Identifier: Apache-2.0

#include "control/ipvs/numeric.h"

#include <sstream>

#include "control/ipvs/endpoint.h"
#include "control/ipvs/switch_reader.h"

namespace pollux::control::ipvs {

namespace {

std::string numeric_endpoint(const std::string& text, lb::Protocol protocol,
                             const NameResolver& resolver) {
    if (parse_endpoint(text, protocol, {})) return text;
    const auto resolved = parse_endpoint(text, protocol, resolver);
    if (!resolved) return text;
    std::string number = resolved->address.to_string();
    if (!resolved->port) return number;
    if (resolved->address.is_v6()) number = "[" + number + "]";
    return number + ":" + std::to_string(*resolved->port);
}

bool names_address(const Word& word) {
    const auto& option = word.what->option;
    return option == Option::Server || (option == Option::Service && word.what->letter != 'f');
}

lb::Protocol protocol_of(const Word& word) {
    if (word.what->letter == 't') return lb::Protocol::Tcp;
    return word.what->letter == 'u' ? lb::Protocol::Udp : lb::Protocol::Sctp;
}

std::vector<std::string> rewrite(std::span<const std::string> arguments,
                                 const NameResolver& resolver) {
    std::vector<std::string> words;
    lb::Protocol protocol = lb::Protocol::Tcp;
    SwitchReader reader(arguments);
    while (const auto word = reader.next()) {
        if (!word->argument) {
            words.push_back(word->text);
            continue;
        }
        if (word->what->argument == Argument::Optional) {
            words.push_back(word->text + "=" + *word->argument);
            continue;
        }
        words.push_back(word->text);
        if (!names_address(*word)) {
            words.push_back(*word->argument);
            continue;
        }
        if (word->what->option == Option::Service) protocol = protocol_of(*word);
        words.push_back(numeric_endpoint(*word->argument, protocol, resolver));
    }
    if (!reader.loose().empty()) words.emplace_back("--");
    words.insert(words.end(), reader.loose().begin(), reader.loose().end());
    return words;
}

}  // namespace

std::vector<std::string> numeric_arguments(std::span<const std::string> arguments,
                                           const NameResolver& resolver) {
    try {
        return rewrite(arguments, resolver);
    } catch (const Refused&) {
        return {arguments.begin(), arguments.end()};
    }
}

std::string numeric_lines(const std::string& input, const NameResolver& resolver) {
    std::string result;
    std::istringstream lines(input);
    for (std::string line; std::getline(lines, line);) {
        std::string joined;
        for (const std::string& word : numeric_arguments(split_line(line), resolver)) {
            joined += (joined.empty() ? "" : " ") + word;
        }
        result += joined + "\n";
    }
    return result;
}

}  // namespace pollux::control::ipvs
