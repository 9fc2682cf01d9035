// SPDX-License-Identifier: Apache-2.0
#pragma once

// Words of keepalived that people will type by habit, and what Pollux calls them. Pure.

#include <span>
#include <string_view>

namespace pollux::control {

struct OldName {
    std::string_view table;  // path of the table it is typed in; "" = any
    std::string_view name;
    std::string_view now;     // the key's new name; "" = there is none
    std::string_view remark;  // a sentence for the message
};

std::span<const OldName> old_names();

// The row for `name` in `table`, nullptr if the word is not an old one.
const OldName* find_old_name(std::string_view table, std::string_view name);

}  // namespace pollux::control
