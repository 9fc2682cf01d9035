// SPDX-License-Identifier: Apache-2.0

#include "control/ipvs/switch_reader.h"

#include <utility>

namespace pollux::control::ipvs {

void refuse(std::string message, int exit_status) {
    throw Refused{{std::move(message), exit_status}};
}

std::optional<Word> SwitchReader::next() {
    while (bundle_.empty()) {
        if (at_ == words_.size()) return std::nullopt;
        const std::string& word = words_[at_++];
        if (only_loose_ || word.size() < 2 || word[0] != '-') {
            loose_.push_back(word);
        } else if (word == "--") {
            only_loose_ = true;
        } else if (word[1] == '-') {
            return long_switch(word.substr(2));
        } else {
            bundle_ = word.substr(1);
        }
    }
    return short_switch();
}

Word SwitchReader::short_switch() {
    Word word;
    word.text = std::string("-") + bundle_[0];
    word.what = find_switch(bundle_[0]);
    bundle_.erase(0, 1);
    if (word.what == nullptr) refuse(word.text + ": unknown option", 255);
    std::optional<std::string> attached;
    if (word.what->argument != Argument::None && !bundle_.empty()) {
        attached = bundle_.front() == '=' ? bundle_.substr(1) : bundle_;
        bundle_.clear();
    }
    take_argument(word, attached);
    return word;
}

Word SwitchReader::long_switch(const std::string& text) {
    const std::size_t equals = text.find('=');
    Word word;
    word.text = "--" + text.substr(0, equals);
    word.what = find_switch(std::string_view(text).substr(0, equals));
    if (word.what == nullptr) refuse(word.text + ": unknown option", 255);
    std::optional<std::string> attached;
    if (equals != std::string::npos) attached = text.substr(equals + 1);
    take_argument(word, attached);
    return word;
}

void SwitchReader::take_argument(Word& word, const std::optional<std::string>& attached) {
    if (word.what->argument == Argument::None) return;
    if (attached) {
        word.argument = attached;
        return;
    }
    const bool there = at_ < words_.size();
    if (word.what->argument == Argument::Optional) {
        if (there && !words_[at_].starts_with('-')) word.argument = words_[at_++];
        return;
    }
    if (!there) refuse(word.text + ": missing argument", 255);
    word.argument = words_[at_++];
}

}  // namespace pollux::control::ipvs
