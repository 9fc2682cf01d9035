// SPDX-License-Identifier: Apache-2.0
// Any text is a configuration or a list of messages; messages are printable.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "control/config/load.h"
#include "control/config/render.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pollux::control;
    LoadOptions options;
    options.node = "lb01";
    options.require_secrets = false;
    options.check_secret_permissions = false;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const LoadResult result = load_config_text(text, "fuzz.toml", options);
    if (result.config.has_value() != (result.errors == 0)) std::abort();
    if (result.errors > 0 && result.diagnostics.empty()) std::abort();
    for (const char c : render_all(result)) {
        if (c != '\n' && static_cast<unsigned char>(c) < 0x20) std::abort();
    }
    if (render_json(result).empty()) std::abort();
    return 0;
}
