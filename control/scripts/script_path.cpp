// SPDX-License-Identifier: Apache-2.0
#include "control/scripts/script_path.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pollux::control {
namespace {

constexpr unsigned kMaxSteps = 200;  // directories and links of a path, loops among them

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    void reset(int fd) {
        if (fd_ >= 0) close(fd_);
        fd_ = fd;
    }
    [[nodiscard]] int get() const { return fd_; }

  private:
    int fd_;
};

std::deque<std::string> split(const std::string& path) {
    std::deque<std::string> parts;
    std::string part;
    for (const char c : path + "/") {
        if (c != '/') {
            part += c;
        } else if (!part.empty()) {
            parts.push_back(std::exchange(part, {}));
        }
    }
    return parts;
}

Error unsafe(const std::string& where, const struct stat& status) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), " is owned by uid %u, mode %04o",
                  static_cast<unsigned>(status.st_uid),
                  static_cast<unsigned>(status.st_mode & 07777U));
    return {where + text.data(), "chown root " + where + " && chmod go-w " + where};
}

bool is_safe(const struct stat& status) {
    if (status.st_uid != 0) return false;
    const mode_t others = status.st_mode & 0022U;
    const bool sticky = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
    const bool group_root = others == 0020U && status.st_gid == 0;
    return others == 0 || sticky || group_root || S_ISLNK(status.st_mode);
}

Error failed(const std::string& where) {
    return {where + ": " + std::strerror(errno), ""};
}

}  // namespace

Status check_script_path(const std::string& path) {
    if (path.empty() || path.front() != '/') return Error{path + " is not an absolute path", ""};
    std::deque<std::string> parts = split(path);
    Descriptor directory(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    std::string walked;
    for (unsigned step = 0; !parts.empty(); ++step) {
        if (step == kMaxSteps) return Error{path + " has too many symbolic links", ""};
        const std::string part = parts.front();
        parts.pop_front();
        const std::string where = walked + "/" + part;
        Descriptor next(openat(directory.get(), part.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        struct stat status {};
        if (next.get() < 0 || fstat(next.get(), &status) != 0) return failed(where);
        if (!is_safe(status)) return unsafe(where, status);
        if (S_ISLNK(status.st_mode)) {
            std::array<char, 4096> target{};
            const ssize_t length = readlinkat(next.get(), "", target.data(), target.size() - 1);
            if (length <= 0) return failed(where);
            const std::deque<std::string> more = split(target.data());
            parts.insert(parts.begin(), more.begin(), more.end());
            if (target[0] == '/') {
                directory.reset(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
                walked.clear();
            }
        } else if (!parts.empty()) {
            directory.reset(dup(next.get()));
            walked = where;
        } else if (!S_ISREG(status.st_mode)) {
            return Error{where + " is not a file", ""};
        }
    }
    return ok_status();
}

}  // namespace pollux::control
