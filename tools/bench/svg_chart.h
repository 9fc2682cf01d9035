// SPDX-License-Identifier: Apache-2.0
#pragma once

// Charts as SVG text: panels of lines over logarithmic or linear axes, with labels at the ends of
// the lines instead of a legend in a corner. No external resources. Pure.

#include <string>
#include <utility>
#include <vector>

namespace pollux::bench {

enum class Stroke : unsigned char { Solid, Dashed, Dotted };

struct Series {
    std::string label;  // beside the last point
    std::string colour;
    Stroke stroke = Stroke::Solid;
    std::vector<std::pair<double, double>> points;  // by rising x
};

struct Axis {
    std::string title;
    double low = 0, high = 1;  // > 0 where logarithmic
    bool logarithmic = false;
    std::vector<std::pair<double, std::string>> ticks;
};

struct Panel {
    std::string title;
    std::vector<Series> series;
};

struct Chart {
    std::string title;
    std::vector<std::string> notes;  // below the panels
    Axis x, y;                       // of every panel
    std::vector<Panel> panels;
    unsigned columns = 2;
    double plot_width = 330;  // pixels of a panel, without its labels
    // What the strokes mean; empty: nothing is said.
    std::vector<std::pair<Stroke, std::string>> legend;
};

[[nodiscard]] std::string render_svg(const Chart& chart);

// "1 k", "250 k", "10 M": for ticks.
[[nodiscard]] std::string short_number(double value);
// Ticks at 1, 2 and 5 times the powers of ten, or at the powers alone.
[[nodiscard]] std::vector<std::pair<double, std::string>> decade_ticks(double low, double high,
                                                                       bool powers_only);
// About `count` round steps from zero.
[[nodiscard]] std::vector<std::pair<double, std::string>> linear_ticks(double high, unsigned count);

[[nodiscard]] std::string escape_markup(const std::string& text);

}  // namespace pollux::bench
