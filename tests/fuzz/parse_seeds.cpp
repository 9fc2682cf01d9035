// SPDX-License-Identifier: Apache-2.0
// Writes the seeds of the parser's fuzz target: each frame of the corpus, its checksums unknown.

#include <cstdio>
#include <fstream>

#include "tests/support/frame_corpus.h"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    for (const auto& [name, bytes] : pollux::test::frame_corpus()) {
        std::ofstream file(std::string(argv[1]) + "/" + name, std::ios::binary);
        file.put('\0');
        for (const std::uint8_t byte : bytes) file.put(static_cast<char>(byte));
        if (!file.flush()) {
            std::fprintf(stderr, "cannot write %s/%s\n", argv[1], name.c_str());
            return 1;
        }
    }
    return 0;
}
