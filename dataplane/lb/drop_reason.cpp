// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/drop_reason.h"

#include <array>

namespace pollux::lb {
namespace {

struct Row {
    std::string_view name;
    std::string_view help;
};

constexpr std::array<Row, kDropReasonCount> kRows{{
#define POLLUX_ROW(name, text, help) Row{text, help},
    POLLUX_DROP_REASONS(POLLUX_ROW)
#undef POLLUX_ROW
}};

}  // namespace

std::string_view to_string(DropReason reason) noexcept {
    return kRows[static_cast<std::size_t>(reason)].name;
}

std::string_view explain(DropReason reason) noexcept {
    return kRows[static_cast<std::size_t>(reason)].help;
}

}  // namespace pollux::lb
