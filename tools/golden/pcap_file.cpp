// SPDX-License-Identifier: Apache-2.0

#include "tools/golden/pcap_file.h"

#include <cstring>
#include <fstream>
#include <iterator>

#include "tools/golden/recording.h"

namespace pollux::golden {

namespace {

constexpr std::uint32_t kMagicMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kMagicNanoseconds = 0xa1b23c4d;
constexpr std::size_t kFileHeader = 24;
constexpr std::size_t kRecordHeader = 16;

std::uint32_t word(const Bytes& bytes, std::size_t at, bool swapped) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return swapped ? __builtin_bswap32(value) : value;
}

}  // namespace

std::vector<Bytes> read_pcap(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Difference("cannot read " + path);
    const Bytes bytes{std::istreambuf_iterator<char>(file), {}};
    if (bytes.size() < kFileHeader) throw Difference(path + " is no pcap file");
    const std::uint32_t magic = word(bytes, 0, false);
    const std::uint32_t other = __builtin_bswap32(magic);
    const bool swapped = other == kMagicMicroseconds || other == kMagicNanoseconds;
    if (!swapped && magic != kMagicMicroseconds && magic != kMagicNanoseconds) {
        throw Difference(path + " is no pcap file");
    }
    std::vector<Bytes> frames;
    for (std::size_t at = kFileHeader; at + kRecordHeader <= bytes.size();) {
        const std::size_t length = word(bytes, at + 8, swapped);
        at += kRecordHeader;
        if (length > bytes.size() - at) throw Difference(path + " ends inside a frame");
        const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        frames.emplace_back(first, first + static_cast<std::ptrdiff_t>(length));
        at += length;
    }
    return frames;
}

}  // namespace pollux::golden
