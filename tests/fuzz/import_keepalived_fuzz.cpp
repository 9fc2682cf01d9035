// SPDX-License-Identifier: Apache-2.0
// Any keepalived.conf: no crash, no endless expansion, and what is imported is TOML.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "control/config/load.h"
#include "control/import/import_keepalived.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pollux::control;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const ImportHost host{[&text](const std::string& path) {
                              return path == "k" ? std::optional<std::string>(text) : std::nullopt;
                          },
                          [](const std::string& pattern) {
                              return pattern == "k" ? std::vector<std::string>{"k"}
                                                    : std::vector<std::string>{};
                          },
                          [](const std::string&) { return std::string(); }};
    ImportOptions options;
    options.lenient = true;
    options.config_id = "main";
    const ImportResult result = import_keepalived({"k"}, options, host);
    if ((result.errors == 0) == result.toml.empty()) std::abort();
    if (result.errors > 0) return 0;
    const LoadResult loaded = load_config_text(result.toml, "imported");
    for (const Diagnostic& diagnostic : loaded.diagnostics) {
        if (diagnostic.code == "E0101") std::abort();  // not TOML
    }
    return 0;
}
