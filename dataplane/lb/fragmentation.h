// SPDX-License-Identifier: Apache-2.0
#pragma once

// Splitting a packet that is ready to be sent into fragments that fit the link (RFC 791 section
// 3.2, RFC 8200 section 4.5). Internal to dataplane/lb.

#include <cstdint>

#include "dataplane/lb/burst.h"

namespace pollux::lb {

// Buffers for the further fragments of a packet, taken before it is rewritten, so that a lack of
// buffers drops it as a whole.
class FragmentBuffers {
  public:
    static constexpr unsigned kMax = 63;

    // False: no buffers; none is kept.
    bool take(Burst& burst, unsigned count) noexcept;
    [[nodiscard]] Packet& operator[](unsigned i) noexcept { return packets_[i]; }

  private:
    std::array<Packet, kMax> packets_;
};

// The number of fragments that `ip_length` bytes of IP with a header of `header` bytes need.
[[nodiscard]] unsigned fragment_count(std::uint32_t ip_length, std::size_t header,
                                      std::uint16_t mtu) noexcept;

// Cuts the packet, which has its verdict, its MAC addresses and a whole, contiguous IP packet. It
// becomes the first fragment; the others go out as extra packets. `buffers` holds enough of them.
void split(Burst& burst, PacketContext& context, std::uint16_t mtu,
           FragmentBuffers& buffers) noexcept;

}  // namespace pollux::lb
