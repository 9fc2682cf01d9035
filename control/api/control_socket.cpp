// SPDX-License-Identifier: Apache-2.0
#include "control/api/control_socket.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace pollux::control::api {
namespace {

constexpr int kBacklog = 16;

Error system_error(const std::string& action, int code, const std::string& remedy = "") {
    return {action + ": " + strerror(code), remedy};
}

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }

  private:
    int fd_;
};

std::optional<gid_t> find_group(const std::string& name) {
    const group* entry = getgrnam(name.c_str());
    if (entry == nullptr) return std::nullopt;
    return entry->gr_gid;
}

Status make_folder(const std::filesystem::path& folder) {
    std::error_code error;
    if (std::filesystem::is_directory(folder, error)) return ok_status();
    std::filesystem::create_directories(folder.parent_path(), error);
    if (mkdir(folder.c_str(), 0750) != 0 && errno != EEXIST) {
        return system_error("cannot create the folder " + folder.string(), errno,
                            "run as root, or set [api] control_socket to a folder that exists");
    }
    return ok_status();
}

// "pid 123", or "" when the kernel does not tell.
std::string peer_pid(int fd) {
    ucred credentials{};
    socklen_t length = sizeof(credentials);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return "";
    return " (pid " + std::to_string(credentials.pid) + ")";
}

// Finds out whether somebody listens at `address`; removes a socket that nobody listens at.
Status clear_stale(const std::string& path, const sockaddr_un& address) {
    struct stat info {};
    if (lstat(path.c_str(), &info) != 0) return ok_status();
    if (!S_ISSOCK(info.st_mode)) {
        return Error{path + " exists and is not a socket",
                     "set [api] control_socket to another path"};
    }
    const Descriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int connected =
        connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    if (connected == 0 || errno == EAGAIN) {
        const std::string who = connected == 0 ? peer_pid(probe.get()) : "";
        return Error{"another polluxd" + who + " listens at " + path,
                     "stop it first, or give this one its own [api] control_socket"};
    }
    if (errno != ECONNREFUSED) return system_error("cannot look at " + path, errno);
    if (unlink(path.c_str()) != 0) {
        return system_error("cannot replace the stale socket " + path, errno);
    }
    return ok_status();
}

// Who may connect at all. Two groups cannot both own a file.
Status set_access(const ControlSocketOptions& options) {
    const bool both = !options.admin_group.empty() && !options.read_group.empty() &&
                      options.admin_group != options.read_group;
    for (const std::string& name : {options.admin_group, options.read_group}) {
        if (name.empty()) continue;
        const auto gid = find_group(name);
        if (!gid) {
            return Error{"the group " + name + " does not exist",
                         "create it (groupadd --system " + name + "), or change [api]"};
        }
        if (!both && chown(options.path.c_str(), static_cast<uid_t>(-1), *gid) != 0) {
            return system_error("cannot give " + options.path + " to group " + name, errno);
        }
    }
    if (chmod(options.path.c_str(), both ? 0666 : 0660) != 0) {
        return system_error("cannot set the mode of " + options.path, errno);
    }
    return ok_status();
}

}  // namespace

Result<std::unique_ptr<ControlSocket>> ControlSocket::open(const ControlSocketOptions& options) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (options.path.size() >= sizeof(address.sun_path)) {
        return Error{"the path " + options.path + " is too long for a socket",
                     "use at most " + std::to_string(sizeof(address.sun_path) - 1) + " characters"};
    }
    options.path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    const std::filesystem::path folder = std::filesystem::path(options.path).parent_path();
    if (const Status made = make_folder(folder); !made) return made.error();

    // Two instances that start at once must not both find the other's socket stale.
    const Descriptor lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (lock.get() < 0 || flock(lock.get(), LOCK_EX) != 0) {
        return system_error("cannot lock the folder " + folder.string(), errno);
    }
    if (const Status clear = clear_stale(options.path, address); !clear) return clear.error();
    Descriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const mode_t old_mask = umask(0117);  // never more open than 0660, not even for a moment
    const int bound =
        bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    const int bind_errno = errno;
    umask(old_mask);
    if (bound != 0) {
        return system_error("cannot create the control socket " + options.path, bind_errno,
                            "run as root, or set [api] control_socket to a folder of yours");
    }
    std::unique_ptr<ControlSocket> result(new ControlSocket(options.path, listener.release()));
    struct stat info {};
    if (lstat(options.path.c_str(), &info) == 0) {
        result->device_ = info.st_dev;
        result->inode_ = info.st_ino;
    }
    if (const Status access = set_access(options); !access) return access.error();
    if (listen(result->fd_, kBacklog) != 0) return system_error("cannot listen", errno);
    return result;
}

ControlSocket::~ControlSocket() {
    close(fd_);
    struct stat info {};
    if (lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_) {
        unlink(path_.c_str());
    }
}

Role role_of_peer(int fd, const ControlSocketOptions& options) {
    ucred credentials{};
    socklen_t length = sizeof(credentials);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return Role::None;
    if (credentials.uid == 0 || credentials.uid == geteuid()) return Role::Admin;

    std::vector<gid_t> groups(65536);
    length = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &length) != 0) length = 0;
    groups.resize(length / sizeof(gid_t));
    groups.push_back(credentials.gid);
    const auto is_in = [&](const std::string& name) {
        if (name.empty()) return false;
        const auto gid = find_group(name);
        return gid && std::find(groups.begin(), groups.end(), *gid) != groups.end();
    };
    if (is_in(options.admin_group)) return Role::Admin;
    return is_in(options.read_group) ? Role::Read : Role::None;
}

}  // namespace pollux::control::api
