// SPDX-License-Identifier: Apache-2.0
#pragma once

// How much of a piece of this process's memory the kernel has really put into transparent huge
// pages: madvise is a wish. Reads /proc/self/smaps (proc(5)); control thread.

#include <cstdint>
#include <istream>

namespace pollux::lb {

// 0 when /proc cannot be read. A mapping that only partly belongs to the piece counts in
// proportion: the kernel joins neighbouring mappings of one kind.
[[nodiscard]] std::uint64_t huge_page_bytes(const void* base, std::uint64_t bytes);

// The same from the text of smaps.
[[nodiscard]] std::uint64_t huge_page_bytes(std::istream& smaps, std::uint64_t begin,
                                            std::uint64_t end);

}  // namespace pollux::lb
