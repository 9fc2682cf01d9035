// SPDX-License-Identifier: Apache-2.0
#include "control/config/render.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "control/config/values.h"

namespace pollux::control {

namespace {

constexpr std::size_t kTabWidth = 4;
constexpr std::size_t kWindow = 120;  // columns of a source line that are shown

struct Colours {
    std::string_view error, warning, frame, bold, plain;
};
constexpr Colours kNoColours = {"", "", "", "", ""};
constexpr Colours kAnsi = {"\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[1m", "\x1b[0m"};

// Columns that a character (UTF-8) takes on a terminal: East Asian wide ones take two.
std::size_t columns_of(std::string_view character) {
    if (character.size() < 3) return 1;
    std::uint32_t code =
        static_cast<unsigned char>(character[0]) & (character.size() == 3 ? 15U : 7U);
    for (const char c : character.substr(1))
        code = code << 6U | (static_cast<unsigned char>(c) & 63U);
    const bool wide = (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) ||
                      (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) ||
                      (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) ||
                      (code >= 0xffe0 && code <= 0xffe6) || (code >= 0x1f300 && code <= 0x1faff) ||
                      (code >= 0x20000 && code <= 0x3fffd);
    return wide ? 2 : 1;
}

std::string_view next_character(std::string_view text) {
    std::size_t length = 1;
    while (length < text.size() && length < 4 &&
           (static_cast<unsigned char>(text[length]) & 0xc0U) == 0x80U) {
        ++length;
    }
    return text.substr(0, length);
}

// A source line as shown, and the column where each of its characters starts.
struct ShownLine {
    std::string text;
    std::vector<std::size_t> starts;  // one more than characters
};

ShownLine show(std::string_view line) {
    ShownLine shown;
    std::size_t column = 0;
    while (!line.empty()) {
        const std::string_view character = next_character(line);
        shown.starts.push_back(column);
        if (character == "\t") {
            shown.text.append(kTabWidth, ' ');
            column += kTabWidth;
        } else {
            const std::string safe = escaped(character);
            shown.text += safe;
            column += safe == character ? columns_of(character) : safe.size();
        }
        line.remove_prefix(character.size());
    }
    shown.starts.push_back(column);
    return shown;
}

struct Underline {
    std::string source;
    std::string marks;
};

Underline underline(const Label& label, char mark) {
    ShownLine line = show(std::string_view(label.source_line));
    // A very long line is shown around its place only.
    const std::size_t first =
        std::min<std::size_t>(label.column == 0 ? 0 : label.column - 1, line.starts.size() - 1);
    const std::size_t last = std::min(first + label.width, line.starts.size() - 1);
    std::size_t start = line.starts[first];
    std::size_t width = std::max<std::size_t>(line.starts[last] - start, 1);
    Underline result;
    if (line.text.size() > kWindow) {
        std::string_view rest(label.source_line);
        const std::size_t skip = first > kWindow / 3 ? first - kWindow / 3 : 0;
        for (std::size_t i = 0; i < skip; ++i) rest.remove_prefix(next_character(rest).size());
        std::size_t length = 0;
        for (std::size_t i = 0; i < kWindow - 6 && length < rest.size(); ++i) {
            length += next_character(rest.substr(length)).size();
        }
        const std::string prefix = skip > 0 ? "..." : "";
        result.source =
            prefix + show(rest.substr(0, length)).text + (length < rest.size() ? "..." : "");
        start = start - line.starts[skip] + prefix.size();
        width = std::min(width, kWindow / 2);
    } else {
        result.source = line.text;
        while (result.source.ends_with(' ')) result.source.pop_back();
    }
    result.marks = std::string(start, ' ') + std::string(width, mark);
    return result;
}

class Renderer {
  public:
    Renderer(const Diagnostic& diagnostic, const Colours& colours)
        : diagnostic_(diagnostic), colours_(colours) {}

    std::string run() {
        const bool error = diagnostic_.severity == Severity::Error;
        text_ += error ? colours_.error : colours_.warning;
        text_ += error ? "error[" : "warning[";
        text_ += diagnostic_.code + "]";
        text_ += colours_.plain;
        text_ += colours_.bold;
        text_ += ": " + escaped(diagnostic_.title);
        text_ += colours_.plain;
        text_ += "\n";
        for (const Label& label : diagnostic_.labels) {
            width_ = std::max(width_, std::to_string(label.line).size());
        }
        std::vector<const Label*> shown;
        for (const Label& label : diagnostic_.labels) {
            const bool known = std::ranges::any_of(
                shown, [&label](const Label* other) { return other->file == label.file; });
            if (!known) file(label);
            shown.push_back(&label);
        }
        for (const std::string& note : diagnostic_.notes) trailer("note", note);
        for (const std::string& help : diagnostic_.helps) trailer("help", help);
        return text_;
    }

  private:
    void frame(std::string_view line) {
        text_ += colours_.frame;
        text_ += line;
        text_ += colours_.plain;
    }

    // The labels of one file, by line; the primary one gives the arrow's place.
    void file(const Label& leader) {
        const bool primary = &leader == &diagnostic_.labels.front();
        std::string place = escaped(leader.file);
        if (leader.line > 0) {
            place += ":" + std::to_string(leader.line) + ":" + std::to_string(leader.column);
        }
        frame(std::string(width_, ' ') + (primary ? "--> " : "::: "));
        text_ += place + "\n";
        if (leader.line == 0) {
            if (!leader.message.empty()) trailer("note", leader.message);
            return;
        }
        bar();
        std::vector<const Label*> labels;
        for (const Label& label : diagnostic_.labels) {
            if (label.file == leader.file && label.line > 0) labels.push_back(&label);
        }
        std::ranges::stable_sort(labels, {}, [](const Label* label) { return label->line; });
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const bool repeated = i > 0 && labels[i - 1]->line == labels[i]->line;
            one(*labels[i], repeated);
        }
        if (!diagnostic_.notes.empty() || !diagnostic_.helps.empty()) bar();
    }

    void one(const Label& label, bool line_shown) {
        const bool primary = &label == &diagnostic_.labels.front();
        const Underline lines = underline(label, primary ? '^' : '-');
        if (!line_shown) {
            std::string number = std::to_string(label.line);
            number.insert(0, width_ - number.size(), ' ');
            frame(number + " |");
            text_ += (lines.source.empty() ? "" : " " + lines.source) + "\n";
        }
        frame(std::string(width_ + 1, ' ') + "|");
        text_ += " ";
        text_ += diagnostic_.severity == Severity::Error ? colours_.error : colours_.warning;
        text_ += lines.marks;
        if (!label.message.empty()) text_ += " " + escaped(label.message);
        text_ += colours_.plain;
        text_ += "\n";
    }

    void bar() {
        frame(std::string(width_ + 1, ' ') + "|");
        text_ += "\n";
    }

    void trailer(std::string_view word, const std::string& text) {
        frame(std::string(width_ + 1, ' ') + "= ");
        text_ += std::string(word) + ": " + escaped(text) + "\n";
    }

    const Diagnostic& diagnostic_;
    const Colours& colours_;
    std::string text_;
    std::size_t width_ = 1;
};

}  // namespace

std::string counted(std::size_t count, const std::string& word) {
    if (count == 0) return "no " + word + "s";
    return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
}

std::string render(const Diagnostic& diagnostic, const RenderOptions& options) {
    return Renderer(diagnostic, options.colour ? kAnsi : kNoColours).run();
}

std::string render_all(const LoadResult& result, const RenderOptions& options) {
    std::string text;
    std::size_t errors = 0;
    for (const Diagnostic& diagnostic : result.diagnostics) {
        text += render(diagnostic, options) + "\n";
        if (diagnostic.severity == Severity::Error) ++errors;
    }
    text += counted(result.errors, "error");
    if (errors < result.errors) text += " (the first " + std::to_string(errors) + " are shown)";
    text += ", " + counted(result.warnings, "warning");
    text += " in " + counted(result.files.size(), "file");
    constexpr std::size_t kNamed = 8;
    for (std::size_t i = 0; i < std::min(result.files.size(), kNamed); ++i) {
        text += (i == 0 ? " (" : ", ") + escaped(result.files[i]);
    }
    if (result.files.size() > kNamed) text += ", ...";
    if (!result.files.empty()) text += ")";
    return text + "\n";
}

}  // namespace pollux::control
