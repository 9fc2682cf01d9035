// SPDX-License-Identifier: Apache-2.0
#include "control/config/files.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <set>
#include <utility>

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "control/config/values.h"

namespace pollux::control {

namespace {

struct FileText {
    std::string text;
    std::string error;  // why it could not be read; empty: it was
};

int open_regular(const std::string& path) {
    // Without a writer, opening a FIFO would wait for one.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status {};
    // A lease (of a file server) on the file is given back within a time.
    const bool leased = descriptor < 0 && errno == EWOULDBLOCK &&
                        ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
    return leased ? ::open(path.c_str(), O_RDONLY | O_CLOEXEC) : descriptor;
}

// `only_regular`: it must be a file that has an end.
FileText read_text_file(const std::string& path, bool only_regular) {
    const int descriptor =
        only_regular ? open_regular(path) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return {{}, std::strerror(errno)};
    const std::unique_ptr<FILE, int (*)(FILE*)> file(::fdopen(descriptor, "r"), ::fclose);
    struct stat status {};
    if (::fstat(::fileno(file.get()), &status) != 0) return {{}, std::strerror(errno)};
    if (S_ISDIR(status.st_mode)) return {{}, "it is a directory"};
    if (only_regular && !S_ISREG(status.st_mode)) return {{}, "it is not a regular file"};
    FileText result;
    std::string chunk(65536, '\0');
    while (const std::size_t count = ::fread(chunk.data(), 1, chunk.size(), file.get())) {
        result.text.append(chunk, 0, count);
        if (result.text.size() > kMaxFileSize) {
            return {{}, "it is larger than " + format_size(kMaxFileSize)};
        }
    }
    if (::ferror(file.get()) != 0) return {{}, std::strerror(errno)};
    return result;
}

// Names by which the file is known twice are one.
std::string identity(const std::string& path) {
    const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), ::free);
    return real ? real.get() : path;
}

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

class FileReader {
  public:
    explicit FileReader(Reporter& reporter) : reporter_(reporter) {}

    FileSet run(const std::string& path, bool only_regular) {
        FileText file = read_text_file(path, only_regular);
        if (!file.error.empty()) {
            result_.unreadable = true;
            // The file has no text, but its name is needed for the message.
            const std::uint32_t number = reporter_.sources().add_file(path, "");
            reporter_.report("E0102", "cannot read " + path).at({number, 0, 0, 0}).note(file.error);
            return std::move(result_);
        }
        seen_.insert(identity(path));
        add(path, std::move(file.text));
        return std::move(result_);
    }

    FileSet run_text(std::string_view text, const std::string& name) {
        add(name, std::string(text));
        return std::move(result_);
    }

  private:
    void add(const std::string& path, std::string text) {
        const std::uint32_t number = reporter_.sources().add_file(path, std::move(text));
        auto parsed = parse_toml(reporter_.sources().text(number), number);
        if (const auto* error = std::get_if<SyntaxError>(&parsed)) {
            reporter_.report("E0101", error->message)
                .at(error->place, error->label)
                .note("the rest of this file was not looked at");
            return;
        }
        result_.documents.push_back(std::get<Node>(std::move(parsed)));
        // Positions, since the vector grows while includes are read.
        const Node includes = include_of(result_.documents.back());
        for (const Node& item : includes.items) {
            if (item.kind == NodeKind::Text) include(path, item);
        }
    }

    // The value of global.include, an empty array if there is none; wrong types are the reader's.
    static Node include_of(const Node& document) {
        for (const Entry& entry : document.entries) {
            if (entry.key != "global") continue;
            for (const Entry& key : entry.value.entries) {
                if (key.key == "include") return key.value;
            }
        }
        return {};
    }

    void include(const std::string& from, const Node& item) {
        const std::string pattern =
            item.text.starts_with('/') ? item.text : directory_of(from) + item.text;
        glob_t found{};
        const std::unique_ptr<glob_t, void (*)(glob_t*)> guard(&found, ::globfree);
        const int status = ::glob(pattern.c_str(), 0, nullptr, &found);
        const bool wildcard = pattern.find_first_of("*?[") != std::string::npos;
        if (status != 0 && (status != GLOB_NOMATCH || !wildcard)) {
            reporter_.report("E0102", "cannot read the included " + pattern)
                .at(item.place, status == GLOB_NOMATCH ? "no such file" : "cannot be searched");
            return;
        }
        for (std::size_t i = 0; i < found.gl_pathc; ++i) include_file(found.gl_pathv[i], item);
    }

    void include_file(const std::string& path, const Node& item) {
        if (!seen_.insert(identity(path)).second) {
            reporter_.report("E0121", path + " is included twice")
                .at(item.place, "a file is read only once");
            return;
        }
        if (seen_.size() > kMaxFiles) {
            if (seen_.size() == kMaxFiles + 1) {
                reporter_.report("E0121", "more than " + std::to_string(kMaxFiles) + " files")
                    .at(item.place, "included here");
            }
            return;
        }
        FileText file = read_text_file(path, true);
        if (!file.error.empty()) {
            reporter_.report("E0102", "cannot read the included " + path)
                .at(item.place, file.error);
            return;
        }
        add(path, std::move(file.text));
    }

    Reporter& reporter_;
    FileSet result_;
    std::set<std::string> seen_;
};

}  // namespace

FileSet read_files(const std::string& path, bool only_regular, Reporter& reporter) {
    return FileReader(reporter).run(path, only_regular);
}

FileSet read_files_of_text(std::string_view text, const std::string& name, Reporter& reporter) {
    return FileReader(reporter).run_text(text, name);
}

}  // namespace pollux::control
