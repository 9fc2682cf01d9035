// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/svg_chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdarg>
#include <cstdio>

namespace pollux::bench {
namespace {

// Pixels.
constexpr double kPlotHeight = 250;
constexpr double kLeft = 62, kRight = 132, kAbove = 34, kBelow = 52;
constexpr double kPanelHeight = kAbove + kPlotHeight + kBelow;
constexpr double kTitleHeight = 40, kLegendHeight = 26, kNoteHeight = 17, kMargin = 10;
constexpr double kLabelDistance = 14;

__attribute__((format(printf, 1, 2))) std::string format(const char* text, ...) {
    std::array<char, 256> line{};
    va_list arguments;
    va_start(arguments, text);
    std::vsnprintf(line.data(), line.size(), text, arguments);
    va_end(arguments);
    return line.data();
}

double share(const Axis& axis, double value) {
    if (!axis.logarithmic) return (value - axis.low) / (axis.high - axis.low);
    return std::log(value / axis.low) / std::log(axis.high / axis.low);
}

const char* dashes(Stroke stroke) {
    switch (stroke) {
        case Stroke::Solid:
            return "";
        case Stroke::Dashed:
            return " stroke-dasharray=\"7 4\"";
        case Stroke::Dotted:
            return " stroke-dasharray=\"2 3\"";
    }
    return "";
}

struct TextStyle {
    const char* anchor = "start";  // start, middle, end
    unsigned size = 12;
    std::string colour = "#333";
    bool bold = false;
};

std::string text_at(double x, double y, const std::string& text, const TextStyle& style) {
    return format("<text x=\"%.1f\" y=\"%.1f\" font-size=\"%u\" text-anchor=\"%s\" fill=\"%s\"%s>",
                  x, y, style.size, style.anchor, style.colour.c_str(),
                  style.bold ? " font-weight=\"600\"" : "") +
           escape_markup(text) + "</text>\n";
}

// One panel with its upper left corner at (x0, y0).
class PanelDrawing {
  public:
    PanelDrawing(const Chart& chart, const Panel& panel, double x0, double y0)
        : chart_(chart),
          panel_(panel),
          left_(x0 + kLeft),
          top_(y0 + kAbove),
          width_(chart.plot_width) {}

    std::string draw() {
        std::string text = text_at(left_, top_ - 12, panel_.title, {"start", 14, "#111", true});
        text += grid();
        for (const Series& series : panel_.series) text += line(series);
        return text + labels() + axis_titles();
    }

  private:
    [[nodiscard]] double x_of(double value) const {
        return left_ + width_ * share(chart_.x, value);
    }
    [[nodiscard]] double y_of(double value) const {
        return top_ + kPlotHeight * (1 - share(chart_.y, value));
    }

    [[nodiscard]] std::string grid() const {
        std::string text = format(
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#fff\" "
            "stroke=\"#999\"/>\n",
            left_, top_, width_, kPlotHeight);
        const double bottom = top_ + kPlotHeight;
        for (const auto& [value, label] : chart_.x.ticks) {
            const double x = x_of(value);
            text += format(
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" "
                "stroke=\"#e4e4e4\"/>\n",
                x, top_, x, bottom);
            text += text_at(x, bottom + 17, label, {"middle", 12, "#333", false});
        }
        for (const auto& [value, label] : chart_.y.ticks) {
            const double y = y_of(value);
            text += format(
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" "
                "stroke=\"#e4e4e4\"/>\n",
                left_, y, left_ + width_, y);
            text += text_at(left_ - 7, y + 4, label, {"end", 12, "#333", false});
        }
        return text;
    }

    [[nodiscard]] std::string line(const Series& series) const {
        std::string points;
        std::string marks;
        for (const auto& [x, y] : series.points) {
            points += format("%.1f,%.1f ", x_of(x), y_of(y));
            if (series.stroke == Stroke::Dashed) continue;
            if (series.points.size() > 20) continue;
            marks +=
                format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\"/>\n", x_of(x),
                       y_of(y), series.stroke == Stroke::Solid ? 3.6 : 2.6, series.colour.c_str());
        }
        return "<polyline fill=\"none\" stroke=\"" + series.colour +
               format("\" stroke-width=\"%.1f\"", series.stroke == Stroke::Solid ? 2.4 : 1.5) +
               dashes(series.stroke) + " points=\"" + points + "\"/>\n" + marks;
    }

    // At the ends of the lines, pushed apart where they would touch.
    [[nodiscard]] std::string labels() const {
        struct Place {
            const Series* series;
            double x, y, wanted;
        };
        std::vector<Place> places;
        for (const Series& series : panel_.series) {
            if (series.label.empty() || series.points.empty()) continue;
            const double y = y_of(series.points.back().second);
            places.push_back({&series, x_of(series.points.back().first), y, y});
        }
        std::sort(places.begin(), places.end(),
                  [](const Place& a, const Place& b) { return a.wanted < b.wanted; });
        for (std::size_t i = 1; i < places.size(); ++i) {
            places[i].y = std::max(places[i].y, places[i - 1].y + kLabelDistance);
        }
        // What was pushed out at the bottom pushes the others up again.
        double limit = top_ + kPlotHeight;
        for (std::size_t i = places.size(); i-- > 0; limit -= kLabelDistance) {
            places[i].y = std::min(places[i].y, limit);
            limit = std::min(limit, places[i].y);
        }
        std::string text;
        const double edge = left_ + width_;
        for (const Place& place : places) {
            text += format(
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
                "stroke-width=\"0.7\" opacity=\"0.6\"/>\n",
                place.x, place.wanted, edge + 5, place.y, place.series->colour.c_str());
            text += text_at(edge + 8, place.y + 4, place.series->label,
                            {"start", 12, place.series->colour, false});
        }
        return text;
    }

    [[nodiscard]] std::string axis_titles() const {
        const double middle = top_ + kPlotHeight / 2;
        return text_at(left_ + width_ / 2, top_ + kPlotHeight + 37, chart_.x.title,
                       {"middle", 12, "#333", false}) +
               format(
                   "<text transform=\"translate(%.1f,%.1f) rotate(-90)\" font-size=\"12\" "
                   "text-anchor=\"middle\" fill=\"#333\">",
                   left_ - 46, middle) +
               escape_markup(chart_.y.title) + "</text>\n";
    }

    const Chart& chart_;
    const Panel& panel_;
    double left_, top_, width_;
};

std::string draw_legend(const Chart& chart, double y) {
    std::string text;
    double x = kLeft;
    for (const auto& [stroke, meaning] : chart.legend) {
        text += format(
                    "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#333\" "
                    "stroke-width=\"%.1f\"",
                    x, y, x + 30, y, stroke == Stroke::Solid ? 2.4 : 1.5) +
                dashes(stroke) + "/>\n";
        text += text_at(x + 37, y + 4, meaning, {"start", 12, "#333", false});
        x += 37 + 6.4 * static_cast<double>(meaning.size()) + 26;
    }
    return text;
}

}  // namespace

std::string render_svg(const Chart& chart) {
    const auto panels = static_cast<unsigned>(chart.panels.size());
    const unsigned columns = std::max(1U, std::min(chart.columns, panels));
    const double panel_width = kLeft + chart.plot_width + kRight;
    const unsigned rows = (panels + columns - 1) / columns;
    const double legend = chart.legend.empty() ? 0 : kLegendHeight;
    const double panels_top = kTitleHeight + legend;
    const double notes_top = panels_top + rows * kPanelHeight;
    const double width = columns * panel_width + kMargin;
    const double height =
        notes_top + kNoteHeight * static_cast<double>(chart.notes.size()) + kMargin;
    std::string text = format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
        "height=\"%.0f\" font-family=\"Helvetica, Arial, sans-serif\">\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"#fcfcfc\"/>\n",
        width, height, width, height);
    text += text_at(kLeft, 27, chart.title, {"start", 17, "#111", true});
    text += draw_legend(chart, kTitleHeight + 10);
    for (unsigned i = 0; i < panels; ++i) {
        const unsigned line = i / columns;
        const double x = (i % columns) * panel_width;
        const double y = panels_top + line * kPanelHeight;
        text += PanelDrawing(chart, chart.panels[i], x, y).draw();
    }
    for (std::size_t i = 0; i < chart.notes.size(); ++i) {
        text += text_at(kLeft, notes_top + 8 + kNoteHeight * static_cast<double>(i), chart.notes[i],
                        {"start", 11, "#666", false});
    }
    return text + "</svg>\n";
}

std::string short_number(double value) {
    if (value >= 1e6) return format("%g M", value / 1e6);
    if (value >= 1e3) return format("%g k", value / 1e3);
    return format("%g", value);
}

std::vector<std::pair<double, std::string>> decade_ticks(double low, double high,
                                                         bool powers_only) {
    std::vector<std::pair<double, std::string>> ticks;
    for (double power = std::pow(10, std::floor(std::log10(low))); power <= high; power *= 10) {
        for (const double factor : {1.0, 2.0, 5.0}) {
            if (powers_only && factor > 1) continue;
            const double value = power * factor;
            if (value >= low * 0.999 && value <= high * 1.001) {
                ticks.emplace_back(value, short_number(value));
            }
        }
    }
    return ticks;
}

std::vector<std::pair<double, std::string>> linear_ticks(double high, unsigned count) {
    const double raw = high / count;
    const double power = std::pow(10, std::floor(std::log10(raw)));
    const double factor = raw / power > 5 ? 10 : raw / power > 2 ? 5 : raw / power > 1 ? 2 : 1;
    const double step = factor * power;
    std::vector<std::pair<double, std::string>> ticks;
    for (double value = 0; value <= high * 1.001; value += step) {
        ticks.emplace_back(value, short_number(value));
    }
    return ticks;
}

std::string escape_markup(const std::string& text) {
    std::string result;
    for (const char c : text) {
        if (c == '&')
            result += "&amp;";
        else if (c == '<')
            result += "&lt;";
        else if (c == '>')
            result += "&gt;";
        else if (c == '"')
            result += "&quot;";
        else
            result += c;
    }
    return result;
}

}  // namespace pollux::bench
