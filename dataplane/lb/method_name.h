// SPDX-License-Identifier: Apache-2.0
#pragma once

// The forwarding methods by the configuration's words. For messages and tables.

#include <string_view>

#include "dataplane/lb/spec.h"

namespace pollux::lb {

// "NAT", "DR", "TUN" or "FNAT": the values of lvs_method.
[[nodiscard]] std::string_view method_name(ForwardingMethod method) noexcept;

}  // namespace pollux::lb
