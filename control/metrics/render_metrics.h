// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a MetricsState to the text that a scrape gets. Pure; any thread.

#include <string>

#include "control/metrics/metric_writer.h"
#include "control/metrics/metrics_state.h"

namespace pollux::control {

// Series for more servers than this are left out and counted (pollux_metrics_omitted_servers).
inline constexpr std::size_t kMaxServerSeries = 50000;

[[nodiscard]] std::string render_metrics(const MetricsState& state, MetricsFormat format);

}  // namespace pollux::control
