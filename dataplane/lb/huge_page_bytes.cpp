// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/huge_page_bytes.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <string>

namespace pollux::lb {

// A mapping begins with "BEGIN-END rw-p ..." in hexadecimal; lines "Name:   N kB" follow.
std::uint64_t huge_page_bytes(std::istream& smaps, std::uint64_t begin, std::uint64_t end) {
    double bytes = 0;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    for (std::string line; std::getline(smaps, line);) {
        std::uint64_t from = 0;
        std::uint64_t to = 0;
        std::uint64_t huge_kib = 0;
        if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " ", &from, &to) == 2) {
            first = from;
            last = to;
        } else if (std::sscanf(line.c_str(), "AnonHugePages: %" SCNu64 " kB", &huge_kib) == 1) {
            const std::uint64_t shared_begin = std::max(first, begin);
            const std::uint64_t shared_end = std::min(last, end);
            if (shared_begin >= shared_end) continue;
            const auto share =
                static_cast<double>(shared_end - shared_begin) / static_cast<double>(last - first);
            bytes += share * static_cast<double>(huge_kib << 10U);
        }
    }
    return static_cast<std::uint64_t>(bytes);
}

std::uint64_t huge_page_bytes(const void* base, std::uint64_t bytes) {
    std::ifstream smaps("/proc/self/smaps");
    const auto begin = reinterpret_cast<std::uintptr_t>(base);
    return huge_page_bytes(smaps, begin, begin + bytes);
}

}  // namespace pollux::lb
