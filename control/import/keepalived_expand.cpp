// SPDX-License-Identifier: Apache-2.0
// `@id`, $PARAMETERs, ~SEQ and ~LST of keepalived.conf(5), "Advanced configuration".

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "control/import/keepalived_lines.h"

namespace pollux::control {

namespace {

constexpr std::string_view kBlanks = " \t";
// A parameter may name itself: so many rounds of replacement for a line, and so long a line.
constexpr unsigned kMaxRounds = 64;
constexpr std::size_t kMaxLineLength = std::size_t{1} << 20U;

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    int depth = 0;
    std::size_t start = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        if (i < text.size() && text[i] == '{') ++depth;
        if (i < text.size() && text[i] == '}') --depth;
        if (i < text.size() && (text[i] != separator || depth > 0)) continue;
        parts.push_back(trimmed(text.substr(start, i - start)));
        start = i + 1;
    }
    return parts;
}

std::optional<long> number(std::string_view text) {
    const bool hex = text.starts_with("0x");
    if (hex) text.remove_prefix(2);
    long value = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

class Expander {
  public:
    Expander(const SourceText& source, const ImportOptions& options, ImportLog& log)
        : source_(source), options_(options), log_(log) {}

    std::vector<SourceLine> run() {
        for (const SourceLine& line : source_.lines) {
            parameters_["_PWD"] = directory(line.place.file);
            pending_.push_back({line.text, line.place, 0});
            while (!pending_.empty() && !full_) {
                const Pending next = std::move(pending_.back());
                pending_.pop_back();
                step(next);
            }
        }
        return std::move(result_);
    }

  private:
    [[nodiscard]] std::string directory(std::uint32_t file) const {
        const std::string& path = source_.files[file];
        const std::size_t slash = path.rfind('/');
        return slash == std::string::npos ? "." : path.substr(0, slash);
    }

    struct Pending {
        std::string text;
        SourcePlace place;
        unsigned rounds = 0;  // of replacement
    };

    void step(const Pending& line) {
        const std::string_view text = trimmed(line.text);
        if (text.empty()) return;
        if (text.front() == '@') return conditional(text, line);
        if (defines(text)) return define(text);
        if (text.starts_with("~SEQ")) return sequence(text, line);
        if (text.starts_with("~LST")) return list(text, line);
        std::string replaced(text);
        if (replace(replaced, line.place)) {
            if (line.rounds < kMaxRounds) return push_lines(replaced, line);
            full_ = true;
            return log_.error(line.place, "a parameter here names itself");
        }
        constants(replaced);
        bytes_ += replaced.size();
        result_.push_back({std::move(replaced), line.place});
        bounded(line.place);
    }

    // The lines of what a parameter stood for, the first one next.
    void push_lines(std::string_view text, const Pending& from) {
        while (true) {
            const std::size_t end = text.rfind('\n');
            const std::size_t start = end == std::string_view::npos ? 0 : end + 1;
            pending_.push_back({std::string(text.substr(start)), from.place, from.rounds + 1});
            if (end == std::string_view::npos) break;
            text = text.substr(0, end);
        }
        bounded(from.place);
    }

    void bounded(SourcePlace place) {
        const bool fits = result_.size() + pending_.size() < kMaxImportLines;
        if (full_ || (fits && bytes_ < kMaxImportBytes)) return;
        full_ = true;
        log_.error(place, "the parameters make more than a million lines of this");
    }

    // `@id rest` and `@^id rest`.
    void conditional(std::string_view text, const Pending& line) {
        const std::size_t end = text.find_first_of(" \t");
        std::string_view id = text.substr(1, end == std::string_view::npos ? end : end - 1);
        const bool negated = id.starts_with('^');
        if (negated) id.remove_prefix(1);
        if (options_.config_id.empty()) {
            if (std::exchange(asked_for_id_, true)) return;
            return log_.error(line.place, "lines like this one are for one node only",
                              "say which: --config-id " + std::string(id));
        }
        if ((id == options_.config_id) == negated || end == std::string_view::npos) return;
        pending_.push_back({std::string(text.substr(end)), line.place, line.rounds});
    }

    static bool defines(std::string_view text) {
        if (!text.starts_with('$')) return false;
        std::size_t i = 1;
        while (i < text.size() && is_name(text[i])) ++i;
        return i > 1 && i < text.size() && text[i] == '=' && !(text[1] >= '0' && text[1] <= '9');
    }

    void define(std::string_view text) {
        const std::size_t equals = text.find('=');
        parameters_[std::string(text.substr(1, equals - 1))] =
            std::string(trimmed(text.substr(equals + 1)));
    }

    void set_and_go_on(const std::vector<std::pair<std::string, std::string>>& values,
                       std::string_view rest, const Pending& line) {
        bytes_ += rest.size();
        pending_.push_back({std::string(rest), line.place, line.rounds});
        for (const auto& [name, value] : values) {
            pending_.push_back({"$" + name + "=" + value, line.place, line.rounds});
        }
        bounded(line.place);
    }

    // Splits "~WORD(arguments) rest"; false with a message if it is not that.
    bool call(std::string_view text, SourcePlace place, std::string& arguments,
              std::string_view& rest) {
        const std::size_t open = text.find('(');
        const std::size_t close = text.find(')');
        if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
            log_.error(place, "expected ~SEQ(name, start, step, end) or ~LST(name, values...)");
            return false;
        }
        arguments = std::string(text.substr(open + 1, close - open - 1));
        replace(arguments, place);
        rest = text.substr(close + 1);
        return true;
    }

    void sequence(std::string_view text, const Pending& line) {
        const SourcePlace place = line.place;
        std::string arguments;
        std::string_view rest;
        if (!call(text, place, arguments, rest)) return;
        const bool hex = text.starts_with("~SEQx");
        const std::vector<std::string_view> parts = split(arguments, ',');
        std::vector<long> numbers;
        for (std::size_t i = 1; i < parts.size(); ++i) {
            const auto value = number(parts[i]);
            if (value) numbers.push_back(*value);
        }
        if (parts.size() < 2 || parts.size() > 4 || numbers.size() + 1 != parts.size()) {
            return log_.error(place, "~SEQ needs a name and one to three numbers");
        }
        const long end = numbers.back();
        const long start = numbers.size() > 1 ? numbers.front() : (end > 0 ? 1 : -1);
        const long step = numbers.size() == 3 ? numbers[1] : (end < start ? -1 : 1);
        if (step == 0 || (end - start) / step > static_cast<long>(kMaxImportLines)) {
            return log_.error(place, "~SEQ has no end");
        }
        std::vector<long> values;
        for (long v = start; step > 0 ? v <= end : v >= end; v += step) values.push_back(v);
        for (auto value = values.rbegin(); value != values.rend() && !full_; ++value) {
            std::array<char, 24> digits{};
            const auto [last, error] =
                std::to_chars(digits.data(), digits.data() + digits.size(), *value, hex ? 16 : 10);
            set_and_go_on({{std::string(parts[0]), std::string(digits.data(), last)}}, rest, line);
        }
    }

    void list(std::string_view text, const Pending& line) {
        const SourcePlace place = line.place;
        std::string arguments;
        std::string_view rest;
        if (!call(text, place, arguments, rest)) return;
        const std::vector<std::string_view> parts = split(arguments, ',');
        const auto tuple = [](std::string_view part) {
            const bool braces = part.starts_with('{') && part.ends_with('}');
            return braces ? split(part.substr(1, part.size() - 2), ',')
                          : std::vector<std::string_view>{part};
        };
        const std::vector<std::string_view> names = tuple(parts.front());
        for (std::size_t i = parts.size(); i-- > 1 && !full_;) {
            const std::vector<std::string_view> values = tuple(parts[i]);
            if (values.size() != names.size()) {
                return log_.error(place, "~LST: " + std::string(parts[i]) +
                                             " has not as many values as there are names");
            }
            std::vector<std::pair<std::string, std::string>> pairs;
            for (std::size_t n = 0; n < names.size(); ++n) pairs.emplace_back(names[n], values[n]);
            set_and_go_on(pairs, rest, line);
        }
        if (parts.size() < 2) log_.error(place, "~LST has no values");
    }

    // Replaces $NAME before a blank and ${NAME}; true if something was replaced.
    bool replace(std::string& text, SourcePlace place) {
        bool any = false;
        std::size_t from = 0;
        for (std::size_t dollar = text.find('$'); dollar != std::string::npos;
             dollar = text.find('$', from)) {
            const Reference reference = reference_at(text, dollar);
            from = dollar + 1;
            if (reference.length == 0) continue;
            if (reference.name.starts_with("_RANDOM")) {
                log_.error(place, "keepalived draws a new number at each start for ${_RANDOM}",
                           "write the number");
                continue;
            }
            const auto found = parameters_.find(reference.name);
            if (found == parameters_.end()) continue;
            if (text.size() + found->second.size() > kMaxLineLength) {
                log_.error(place, "a line grows beyond 1 MiB through its parameters");
                full_ = true;
                return false;
            }
            text.replace(dollar, reference.length, found->second);
            any = true;
            // What was put in is looked at in the next round.
            from = dollar + found->second.size();
        }
        return any;
    }

    struct Reference {
        std::string name;
        std::size_t length = 0;  // 0: no reference
    };

    static Reference reference_at(const std::string& text, std::size_t dollar) {
        const bool braces = dollar + 1 < text.size() && text[dollar + 1] == '{';
        std::size_t i = dollar + (braces ? 2 : 1);
        const std::size_t start = i;
        while (i < text.size() && (is_name(text[i]) || (braces && text[i] == ' '))) ++i;
        if (i == start) return {};
        std::string name = text.substr(start, i - start);
        if (braces) {
            return i < text.size() && text[i] == '}' ? Reference{std::move(name), i + 1 - dollar}
                                                     : Reference{};
        }
        const bool ended = i == text.size() || text[i] == ' ' || text[i] == '\t' || text[i] == '\n';
        return ended ? Reference{std::move(name), i - dollar} : Reference{};
    }

    // Characters that would have begun a comment.
    static void constants(std::string& text) {
        for (const auto& [name, value] : {std::pair{"${_HASH}", "#"}, std::pair{"${_BANG}", "!"}}) {
            const std::string_view word = name;
            for (std::size_t at = text.find(word); at != std::string::npos;
                 at = text.find(word, at)) {
                text.replace(at, word.size(), value);
            }
        }
    }

    const SourceText& source_;
    const ImportOptions& options_;
    ImportLog& log_;
    std::map<std::string, std::string> parameters_;
    std::vector<Pending> pending_;  // the next one last
    std::vector<SourceLine> result_;
    std::size_t bytes_ = 0;
    bool asked_for_id_ = false;
    bool full_ = false;
};

}  // namespace

std::vector<SourceLine> expand_source(const SourceText& source, const ImportOptions& options,
                                      ImportLog& log) {
    return Expander(source, options, log).run();
}

}  // namespace pollux::control
