// SPDX-License-Identifier: Apache-2.0
#include "control/import/keepalived_lines.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace pollux::control {

namespace {

constexpr std::string_view kBlanks = " \t\r\f\v";

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Up to the `#` or `!` that begins a comment; both are plain characters in quotes and after `\`.
std::string_view without_comment(std::string_view line) {
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (c == '\\') {
            ++i;
        } else if (quote != 0) {
            if (c == quote) quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '#' || c == '!') {
            return line.substr(0, i);
        }
    }
    return line;
}

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

// The pattern of an include line; empty if `line` is none.
std::string_view included(std::string_view line) {
    for (const std::string_view word :
         {"include", "includer", "includem", "includew", "includeb", "includea"}) {
        if (!line.starts_with(word)) continue;
        const std::string_view rest = line.substr(word.size());
        if (rest.empty() || kBlanks.find(rest.front()) == std::string_view::npos) continue;
        const std::string_view pattern = trimmed(rest);
        const bool quoted = pattern.size() >= 2 && pattern.front() == '"' && pattern.back() == '"';
        return quoted ? pattern.substr(1, pattern.size() - 2) : pattern;
    }
    return {};
}

class LineReader {
  public:
    LineReader(const ImportHost& host, ImportLog& log) : host_(host), log_(log) {}

    SourceText run(const std::vector<std::string>& paths) {
        for (const std::string& path : paths) {
            if (file(path, 0)) continue;
            log_.error({number_of(path), 0}, path + " cannot be read");
            source_.unreadable = true;
        }
        return std::move(source_);
    }

  private:
    std::uint32_t number_of(const std::string& path) {
        source_.files.push_back(path);
        return static_cast<std::uint32_t>(source_.files.size() - 1);
    }

    // False if the file cannot be read.
    bool file(const std::string& path, std::size_t depth) {
        const std::optional<std::string> text = host_.read(path);
        if (!text) return false;
        const std::uint32_t number = number_of(path);
        bytes_ += text->size();
        if (bytes_ > kMaxImportBytes) {
            log_.error({number, 0}, "the files are larger than 64 MiB together");
            return true;
        }
        if (text->find('\0') != std::string::npos) {
            log_.error({number, 0}, path + " is not a text file: it holds a zero byte");
            return true;
        }
        lines(*text, number, depth);
        return true;
    }

    void lines(std::string_view text, std::uint32_t number, std::size_t depth) {
        std::uint32_t line = 0;
        while (!text.empty()) {
            SourceLine logical{{}, {number, line + 1}};
            bool more = true;
            while (more && !text.empty()) {
                const std::size_t end = text.find('\n');
                std::string_view part = trimmed(without_comment(text.substr(0, end)));
                text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
                ++line;
                more = part.ends_with('\\');
                if (more) part = trimmed(part.substr(0, part.size() - 1));
                join(logical.text, part);
            }
            add(std::move(logical), depth);
        }
    }

    // The lines of a definition stay lines, others become one.
    static void join(std::string& logical, std::string_view part) {
        const bool definition = logical.starts_with('$') && logical.find('=') != std::string::npos;
        if (!logical.empty()) logical += definition ? '\n' : ' ';
        logical += part;
    }

    void add(SourceLine line, std::size_t depth) {
        if (line.text.empty()) return;
        const std::string_view pattern = included(line.text);
        if (pattern.empty()) {
            if (source_.lines.size() < kMaxImportLines) {
                source_.lines.push_back(std::move(line));
            } else if (!std::exchange(full_, true)) {
                log_.error(line.place, "more than a million lines");
            }
            return;
        }
        include(line.place, std::string(pattern), depth);
    }

    void include(SourcePlace place, const std::string& pattern, std::size_t depth) {
        if (depth >= kMaxImportDepth || source_.files.size() >= kMaxImportFiles) {
            return log_.error(place, "files are included too deep, or too many",
                              "does a file include itself?");
        }
        const std::string directory =
            pattern.starts_with('/') ? "" : directory_of(source_.files[place.file]);
        std::vector<std::string> files = host_.list(directory + pattern);
        if (files.empty()) {
            return log_.ignored(place, "no file matches `" + pattern + "`",
                                "keepalived goes on without it");
        }
        for (const std::string& name : files) {
            if (source_.files.size() >= kMaxImportFiles) return;
            if (!file(name, depth + 1)) {
                log_.ignored(place, name + " cannot be read", "keepalived goes on without it");
            }
        }
    }

    const ImportHost& host_;
    ImportLog& log_;
    SourceText source_;
    std::size_t bytes_ = 0;
    bool full_ = false;
};

}  // namespace

SourceText read_source(const std::vector<std::string>& paths, const ImportHost& host,
                       ImportLog& log) {
    return LineReader(host, log).run(paths);
}

}  // namespace pollux::control
