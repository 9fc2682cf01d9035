// SPDX-License-Identifier: Apache-2.0
// Any file of ipvsadm's rules: no crash, and what is imported is TOML.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "control/config/load.h"
#include "control/import/import_ipvsadm.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pollux::control;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const ImportResult result = import_ipvsadm(text, "rules", {});
    if ((result.errors == 0) == result.toml.empty()) std::abort();
    if (result.errors > 0) return 0;
    const LoadResult loaded = load_config_text(result.toml, "imported");
    for (const Diagnostic& diagnostic : loaded.diagnostics) {
        if (diagnostic.code == "E0101") std::abort();  // not TOML
    }
    return 0;
}
