// SPDX-License-Identifier: Apache-2.0
#pragma once

// The advertised addresses of an instance, ready to be compared with those of an advertisement
// whatever their order. Control thread.

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/net/ip_address.h"
#include "vrrp/advert.h"

namespace pollux::vrrp {

class AddressSet {
  public:
    explicit AddressSet(std::span<const net::IpAddress> addresses);

    // O(n) without allocation unless the sets have equal fingerprints in different order: forged
    // adverts with long lists cost little.
    [[nodiscard]] bool matches(const ReceivedAdvert& advert) const;

  private:
    std::vector<net::IpAddress> in_order_;
    std::vector<net::IpAddress> sorted_;
    std::uint64_t fingerprint_ = 0;
};

}  // namespace pollux::vrrp
