// SPDX-License-Identifier: Apache-2.0
#include "control/director/log_warnings.h"

#include "control/config/render.h"
#include "control/log/log.h"

namespace pollux::control {
namespace {

// As many as a refusal shows errors.
constexpr std::size_t kMaxLogged = 20;

}  // namespace

WarningSummary summarize_warnings(const LoadResult& loaded) {
    WarningSummary summary;
    for (const Diagnostic& diagnostic : loaded.diagnostics) {
        if (diagnostic.severity == Severity::Error) continue;
        if (++summary.count > kMaxLogged) continue;
        if (!summary.text.empty()) summary.text += "\n";
        summary.text += render(diagnostic);
    }
    return summary;
}

void log_warnings(const WarningSummary& warnings) {
    if (warnings.count == 0) return;
    log::warning("configuration", {{"warnings", warnings.count}, {"text", warnings.text}});
}

}  // namespace pollux::control
