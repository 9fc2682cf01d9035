// SPDX-License-Identifier: Apache-2.0
#include "control/config/secrets.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>

#include <sys/stat.h>

#include "control/config/values.h"

namespace pollux::control {

namespace {

constexpr std::string_view kCredentials = "${CREDENTIALS_DIRECTORY}";

std::string octal_mode(mode_t mode) {
    std::string text = "0000";
    for (std::size_t i = 4; i-- > 0; mode >>= 3U) text[i] = static_cast<char>('0' + (mode & 7U));
    return text;
}

// Empty, or why there is no first line.
std::string read_line(const std::string& path, struct stat& status, std::string& line) {
    if (::stat(path.c_str(), &status) != 0) return std::strerror(errno);
    // Opening a FIFO would wait for a writer.
    if (!S_ISREG(status.st_mode)) return "it is not a regular file";
    std::ifstream file(path);
    if (!file) return std::strerror(errno);
    return std::getline(file, line) ? "" : "the file is empty";
}

std::string read_literal(const SecretDraft& draft, const Origin& origin, const std::string& what,
                         const SecretOptions& options, Reporter& reporter) {
    struct stat status {};
    const Place place = reporter.sources().value(origin, "password");
    const std::string& path = reporter.sources().path(place.file);
    if (options.check_permissions && ::stat(path.c_str(), &status) == 0 &&
        S_ISREG(status.st_mode) && (status.st_mode & 077U) != 0) {
        reporter.report("E0114", what + " stands in a file that others can read")
            .at(place, "this file has mode " + octal_mode(status.st_mode & 07777U))
            .help("chmod 600 " + escaped(path) + ", or use password_file");
    }
    return draft.literal;
}

}  // namespace

std::string read_secret(const SecretDraft& draft, const Origin& origin, const std::string& what,
                        const SecretOptions& options, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    if (!draft.literal.empty() && !draft.file.empty()) {
        reporter.report("E0111", what + " is given twice")
            .at(sources.key(origin, "password"), "here")
            .at(sources.key(origin, "password_file"), "and by this file")
            .help("keep password_file");
        return "";
    }
    if (draft.file.empty()) {
        if (draft.literal.empty()) {
            if (sources.written(origin, "password")) {
                reporter.report("E0116", what + " is empty")
                    .at(sources.value(origin, "password"), "no character")
                    .help("the password that the other side has, or remove the line");
            }
            return "";
        }
        return read_literal(draft, origin, what, options, reporter);
    }
    const Place place = sources.value(origin, "password_file");
    std::string path = draft.file;
    if (path.starts_with(kCredentials)) {
        if (options.credentials_directory.empty()) {
            if (options.required) {
                reporter.report("E0115", what + " cannot be read")
                    .at(place, "CREDENTIALS_DIRECTORY is not set")
                    .help("systemd sets it with LoadCredential=; without systemd write the path");
            }
            return "";
        }
        path = options.credentials_directory + path.substr(kCredentials.size());
    }
    std::string secret;
    struct stat status {};
    if (const std::string cause = read_line(path, status, secret); !cause.empty()) {
        if (options.required) {
            reporter.report("E0115", what + " cannot be read")
                .at(place, escaped(cause))
                .help("put it into " + escaped(path) + ", mode 0600");
        }
        return "";
    }
    if (options.check_permissions && (status.st_mode & 07U) != 0) {
        reporter.report("E0114", what + " stands in a file that others can read")
            .at(place, "the file has mode " + octal_mode(status.st_mode & 07777U))
            .help("chmod 600 " + escaped(path));
    }
    if (secret.ends_with('\r')) secret.pop_back();
    if (secret.empty()) {
        reporter.report("E0116", what + " is empty")
            .at(place, "the first line of the file has no character")
            .help("put it into the first line of " + escaped(path));
    }
    return secret;
}

}  // namespace pollux::control
