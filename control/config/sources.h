// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sources: the texts of the configuration's files and the places of its keys, by element. Built by
// the loader, constant afterwards. Control thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/diagnostic.h"
#include "control/config/document.h"
#include "control/config/origin.h"

namespace pollux::control {

class Sources {
  public:
    // Returns the file's number.
    std::uint32_t add_file(std::string path, std::string text);
    [[nodiscard]] const std::string& path(std::uint32_t file) const { return files_[file].path; }
    [[nodiscard]] const std::string& text(std::uint32_t file) const { return files_[file].text; }
    [[nodiscard]] std::size_t file_count() const { return files_.size(); }

    // A new element whose header stands at `header`.
    Origin add_element(const Place& header);
    // `key` must outlive the Sources: it is the schema row's.
    void add_key(const Origin& origin, std::string_view key, const Place& key_place,
                 const Place& value_place);
    // The element holds a value that could not be read: rules must not judge it.
    void mark_broken(const Origin& origin);

    [[nodiscard]] bool broken(const Origin& origin) const;
    [[nodiscard]] bool written(const Origin& origin, std::string_view key) const;
    // Place of the element's header; of a key; of its value. A key that was not written has the
    // place of the header.
    [[nodiscard]] Place header(const Origin& origin) const;
    [[nodiscard]] Place key(const Origin& origin, std::string_view key) const;
    [[nodiscard]] Place value(const Origin& origin, std::string_view key) const;

    // The place with its line of text, for a Diagnostic.
    [[nodiscard]] Label label(const Place& place, std::string message) const;

  private:
    struct File {
        std::string path;
        std::string text;
        std::vector<std::size_t> line_starts;
    };
    struct KeyPlace {
        std::string_view key;
        Place key_place;
        Place value_place;
    };
    struct Element {
        Place header;
        bool broken = false;
        std::vector<KeyPlace> keys;
    };

    [[nodiscard]] const KeyPlace* find(const Origin& origin, std::string_view key) const;

    std::vector<File> files_;
    std::vector<Element> elements_{1};  // number 0: what was not written
};

}  // namespace pollux::control
