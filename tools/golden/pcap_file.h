// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads the frames of a classic pcap file (Ethernet, either byte order). Single thread.

#include <string>
#include <vector>

#include "tools/golden/frames.h"

namespace pollux::golden {

// Throws Difference when the file is missing or is no such file.
[[nodiscard]] std::vector<Bytes> read_pcap(const std::string& path);

}  // namespace pollux::golden
