// SPDX-License-Identifier: Apache-2.0
#include "control/config/standard_output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>

namespace pollux::control {

int finish_output(std::string_view program, int code) {
    // std::cout writes through stdout, which keeps what it could not write and tries again here.
    errno = 0;
    std::cout.flush();
    const bool flushed = std::fflush(stdout) == 0;
    const int cause = errno;
    if (flushed && std::cout.good() && std::ferror(stdout) == 0) return code;
    if (cause == EPIPE) return code;
    std::cerr << program << ": cannot write the output"
              << (cause == 0 ? "" : std::string(": ") + std::strerror(cause)) << "\n";
    return code == 0 ? 1 : code;
}

}  // namespace pollux::control
