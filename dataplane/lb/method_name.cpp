// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/method_name.h"

namespace pollux::lb {

std::string_view method_name(ForwardingMethod method) noexcept {
    switch (method) {
        case ForwardingMethod::Nat:
            return "NAT";
        case ForwardingMethod::DirectRouting:
            return "DR";
        case ForwardingMethod::Tunnel:
            return "TUN";
        case ForwardingMethod::FullNat:
            return "FNAT";
    }
    return "";
}

}  // namespace pollux::lb
