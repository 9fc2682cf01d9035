// SPDX-License-Identifier: Apache-2.0
#pragma once

// ControlSocket: the listening UNIX socket, which is also what makes a second instance notice the
// first. Control thread.

#include <memory>
#include <string>

#include <sys/types.h>

#include "dataplane/net/result.h"

namespace pollux::control::api {

struct ControlSocketOptions {
    std::string path;
    std::string admin_group;  // empty: root only
    std::string read_group;   // empty: none
};

class ControlSocket {
  public:
    // Creates the folder (0750) if it is missing, and the socket (0660, of the group that may use
    // it; 0666 when two groups may, the roles being checked by credentials anyway). A socket that a
    // dead process left is replaced. Errors: another process listens, no right, unknown group.
    static Result<std::unique_ptr<ControlSocket>> open(const ControlSocketOptions& options);
    // Removes the socket, if it is still this one.
    ~ControlSocket();
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;

    [[nodiscard]] int fd() const { return fd_; }

  private:
    ControlSocket(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

    std::string path_;
    int fd_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

enum class Role : unsigned char { None, Read, Admin };

// What the process at the other end of a connected socket may do: root and the admin group
// everything, the read group may look.
[[nodiscard]] Role role_of_peer(int fd, const ControlSocketOptions& options);

}  // namespace pollux::control::api
