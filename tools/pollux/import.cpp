// SPDX-License-Identifier: Apache-2.0
#include "tools/pollux/import.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <ostream>
#include <sstream>
#include <string_view>

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/config/values.h"
#include "control/import/import_ipvsadm.h"
#include "control/import/import_keepalived.h"
#include "control/import/keyword.h"

namespace pollux::cli {
namespace {

using control::ImportNote;
using control::ImportResult;
using control::ImportVerdict;
using control::PortSetting;

constexpr int kGood = 0;
constexpr int kFailed = 1;
constexpr int kUnreadable = 3;

struct Arguments {
    control::ImportOptions options;
    std::string kind;
    std::string output;
    bool verbose = false;
    std::vector<std::string> files;
};

// "NAME=VALUE"
std::optional<PortSetting> setting(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == text.size()) return {};
    return PortSetting{text.substr(0, equals), text.substr(equals + 1)};
}

// An empty text, or what is wrong with the arguments.
std::string parse(const std::vector<std::string>& args, Arguments& result) {
    if (!args.empty()) result.kind = args[0];
    if (result.kind == "keywords" && args.size() == 1) return "";
    if (result.kind != "keepalived" && result.kind != "ipvsadm") {
        return "import what: keepalived, ipvsadm or keywords?";
    }
    for (std::size_t i = 1; i < args.size(); ++i) {
        const std::string& arg = args[i];
        if (arg == "--lenient") {
            result.options.lenient = true;
        } else if (arg == "--verbose") {
            result.verbose = true;
        } else if (arg == "--port" || arg == "--address" || arg == "--config-id" || arg == "-o") {
            if (++i == args.size()) return arg + " needs a value";
            const std::optional<PortSetting> pair = setting(args[i]);
            if (arg == "--config-id") {
                result.options.config_id = args[i];
            } else if (arg == "-o") {
                result.output = args[i];
            } else if (!pair) {
                return arg + " needs NAME=VALUE, not " + args[i];
            } else {
                (arg == "--port" ? result.options.devices : result.options.addresses)
                    .push_back(*pair);
            }
        } else if (arg.starts_with('-') && arg.size() > 1) {
            return "unknown option " + arg;
        } else {
            result.files.push_back(arg);
        }
    }
    if (result.files.empty()) return "which file?";
    if (result.kind == "ipvsadm" && result.files.size() > 1) return "one file of rules at a time";
    return "";
}

std::optional<std::string> read_file(const std::string& path) {
    const std::string name = path == "-" ? "/dev/stdin" : path;
    std::error_code error;
    if (std::filesystem::is_directory(name, error)) return std::nullopt;
    std::ifstream file(name, std::ios::binary);
    if (!file) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<std::string> list_files(const std::string& pattern) {
    glob_t found{};
    std::vector<std::string> names;
    if (::glob(pattern.c_str(), GLOB_BRACE, nullptr, &found) == 0) {
        names.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    }
    ::globfree(&found);
    return names;
}

std::string find_program(const std::string& program) {
    if (program.find('/') != std::string::npos) return {};
    const char* path = std::getenv("PATH");
    std::istringstream directories(path == nullptr ? "/usr/sbin:/usr/bin:/sbin:/bin" : path);
    std::string directory;
    while (std::getline(directories, directory, ':')) {
        const std::string candidate = directory + "/" + program;
        if (directory.starts_with('/') && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    }
    return {};
}

std::string_view verdict_name(ImportVerdict verdict) {
    switch (verdict) {
        case ImportVerdict::Error:
            return "error";
        case ImportVerdict::Warning:
            return "warning";
        case ImportVerdict::Dropped:
            return "dropped";
        case ImportVerdict::Changed:
            return "changed";
        case ImportVerdict::Kept:
            return "kept";
    }
    return "";
}

// Mistakes one by one; what became of keywords once per keyword, with the number of lines.
void print_notes(const ImportResult& result, bool verbose, std::ostream& err) {
    std::map<std::string, std::size_t> times;
    const auto text_of = [](const ImportNote& note) {
        std::string text = std::string(verdict_name(note.verdict)) + ": " + note.text;
        if (!note.remedy.empty()) text += "\n  " + note.remedy;
        return text;
    };
    const auto is_fate = [](const ImportNote& note) {
        return note.verdict != ImportVerdict::Error && note.verdict != ImportVerdict::Warning;
    };
    for (const ImportNote& note : result.notes) {
        if (is_fate(note)) ++times[text_of(note)];
    }
    for (const ImportNote& note : result.notes) {
        if (note.verdict == ImportVerdict::Kept && !verbose) continue;
        std::string text = text_of(note);
        std::string more;
        if (is_fate(note)) {
            std::size_t& count = times[text];
            if (count == 0) continue;  // was said
            if (count > 1) more = " (and " + std::to_string(count - 1) + " more)";
            count = 0;
        }
        if (!more.empty()) text.insert(std::min(text.find('\n'), text.size()), more);
        const std::string file =
            note.place.file < result.files.size() ? result.files[note.place.file] : "";
        if (note.place.line > 0) err << file << ":" << note.place.line << ": ";
        err << text << "\n";
    }
}

// What becomes of each of keepalived's words: block, word, fate, key or reason.
void print_keywords(std::ostream& out) {
    constexpr std::array<std::string_view, 3> kFates = {"kept", "changed", "dropped"};
    for (const auto table : {control::global_keywords(), control::vrrp_keywords(),
                             control::network_keywords(), control::service_keywords()}) {
        for (const control::Keyword& row : table) {
            out << control::block_name(row.block) << "\t" << row.word << "\t"
                << kFates[static_cast<std::size_t>(row.fate)];
            if (!row.remark.empty()) out << "\t" << row.remark;
            out << "\n";
        }
    }
}

// Writes with mode 0600: the file may hold passwords. An empty text, or what went wrong.
std::string write_file(const std::string& path, const std::string& text) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        const std::string why =
            errno == EEXIST ? "it exists: remove it, or choose another name" : std::strerror(errno);
        return path + " cannot be written: " + why;
    }
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t part = ::write(file, text.data() + done, text.size() - done);
        if (part <= 0) break;
        done += static_cast<std::size_t>(part);
    }
    const bool closed = ::close(file) == 0;
    return done == text.size() && closed ? "" : path + " was not written completely";
}

ImportResult import(const Arguments& arguments) {
    if (arguments.kind == "keepalived") {
        return control::import_keepalived(arguments.files, arguments.options,
                                          {read_file, list_files, find_program});
    }
    const std::optional<std::string> text = read_file(arguments.files.front());
    if (text) {
        return control::import_ipvsadm(*text, arguments.files.front(), arguments.options);
    }
    ImportResult result;
    result.unreadable = true;
    result.errors = 1;
    result.notes.push_back(
        {ImportVerdict::Error, {}, arguments.files.front() + " cannot be read", ""});
    return result;
}

}  // namespace

int run_import(const std::vector<std::string>& args, std::ostream& out, std::ostream& err) {
    Arguments arguments;
    if (const std::string problem = parse(args, arguments); !problem.empty()) {
        err << "import: " << problem << "\nusage: pollux import " << kImportUsage << "\n";
        return kFailed;
    }
    if (arguments.kind == "keywords") {
        print_keywords(out);
        return kGood;
    }
    const ImportResult result = import(arguments);
    print_notes(result, arguments.verbose, err);
    if (result.unreadable) return kUnreadable;
    if (result.errors > 0) {
        err << result.errors << (result.errors == 1 ? " mistake" : " mistakes")
            << ": nothing was imported";
        if (!arguments.options.lenient) {
            err << "; --lenient leaves out what keepalived ignores too";
        }
        err << "\n";
        return kFailed;
    }
    if (arguments.output.empty()) {
        out << result.toml;
        if (result.secrets) err << "the text holds a password: keep it in a file of mode 0600\n";
        return kGood;
    }
    if (const std::string problem = write_file(arguments.output, result.toml); !problem.empty()) {
        err << problem << "\n";
        return kFailed;
    }
    err << "written: " << arguments.output << "; next: pollux check " << arguments.output << "\n";
    return kGood;
}

}  // namespace pollux::cli
