// SPDX-License-Identifier: Apache-2.0
#pragma once

// CRC32c, the checksum of SCTP (RFC 9260 appendix A; reflected polynomial 0x82f63b78). Any thread.

#include <cstdint>
#include <span>

namespace pollux::net {

// A CRC in the making; pieces may have any length.
class Crc32c {
  public:
    void add(std::span<const std::uint8_t> bytes) noexcept;
    [[nodiscard]] std::uint32_t finish() const noexcept { return ~register_; }

  private:
    std::uint32_t register_ = 0xffffffffU;
};

[[nodiscard]] inline std::uint32_t crc32c(std::span<const std::uint8_t> bytes) noexcept {
    Crc32c crc;
    crc.add(bytes);
    return crc.finish();
}

// The two ways of moving the register over `bytes`. Both are always there, so that tests compare
// them; the one with the CPU's instruction falls back to the table where the baseline lacks SSE4.2.
[[nodiscard]] std::uint32_t crc32c_advance_by_table(std::uint32_t reg,
                                                    std::span<const std::uint8_t> bytes) noexcept;
[[nodiscard]] std::uint32_t crc32c_advance_by_cpu(std::uint32_t reg,
                                                  std::span<const std::uint8_t> bytes) noexcept;

}  // namespace pollux::net
