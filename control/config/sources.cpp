// SPDX-License-Identifier: Apache-2.0
#include "control/config/sources.h"

#include <utility>

namespace pollux::control {

std::uint32_t Sources::add_file(std::string path, std::string text) {
    File file{std::move(path), std::move(text), {0}};
    for (std::size_t i = 0; i < file.text.size(); ++i) {
        if (file.text[i] == '\n') file.line_starts.push_back(i + 1);
    }
    files_.push_back(std::move(file));
    return static_cast<std::uint32_t>(files_.size() - 1);
}

Origin Sources::add_element(const Place& header) {
    elements_.push_back({header, false, {}});
    return {header.file, header.line, header.column,
            static_cast<std::uint32_t>(elements_.size() - 1)};
}

void Sources::add_key(const Origin& origin, std::string_view key, const Place& key_place,
                      const Place& value_place) {
    elements_[origin.element].keys.push_back({key, key_place, value_place});
}

void Sources::mark_broken(const Origin& origin) {
    elements_[origin.element].broken = true;
}

bool Sources::broken(const Origin& origin) const {
    return elements_[origin.element].broken;
}

const Sources::KeyPlace* Sources::find(const Origin& origin, std::string_view key) const {
    for (const KeyPlace& place : elements_[origin.element].keys) {
        if (place.key == key) return &place;
    }
    return nullptr;
}

bool Sources::written(const Origin& origin, std::string_view key) const {
    return find(origin, key) != nullptr;
}

Place Sources::header(const Origin& origin) const {
    return elements_[origin.element].header;
}

Place Sources::key(const Origin& origin, std::string_view key) const {
    const KeyPlace* found = find(origin, key);
    return found != nullptr ? found->key_place : header(origin);
}

Place Sources::value(const Origin& origin, std::string_view key) const {
    const KeyPlace* found = find(origin, key);
    return found != nullptr ? found->value_place : header(origin);
}

Label Sources::label(const Place& place, std::string message) const {
    Label label;
    label.message = std::move(message);
    if (place.file >= files_.size()) return label;
    const File& file = files_[place.file];
    label.file = file.path;
    label.line = place.line;
    label.column = place.column;
    label.width = place.width;
    if (place.line == 0 || place.line > file.line_starts.size()) return label;
    const std::size_t start = file.line_starts[place.line - 1];
    std::string_view line = std::string_view(file.text).substr(start);
    line = line.substr(0, line.find('\n'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    label.source_line = std::string(line);
    return label;
}

}  // namespace pollux::control
