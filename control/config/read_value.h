// SPDX-License-Identifier: Apache-2.0
#pragma once

// Turns a node of the file into a Reading by the row's type and range. Pure but for the reporter.

#include <optional>
#include <string>

#include "control/config/document.h"
#include "control/config/report.h"
#include "control/config/schema.h"

namespace pollux::control {

// What went wrong with a value, before it becomes a Diagnostic.
struct ValueError {
    std::string code;
    std::string title;
    std::string label;
    Place place;
    std::string help = {};
};

// A reading, or what is wrong. Not for Table and TableList.
std::optional<ValueError> read_value(const KeyRow& row, const Node& node, Reading& reading);

}  // namespace pollux::control
