// SPDX-License-Identifier: Apache-2.0
#pragma once

// TapDevice: a TAP or TUN interface that lives as long as this object (decision D11: not
// persistent, so a dead process owns no address). No offloads are negotiated: the kernel hands out
// frames with full checksums and verifies those it gets. Control thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "control/netlink/kernel_tables.h"
#include "dataplane/net/result.h"

namespace pollux::control {

class TapDevice {
  public:
    // Errors: the name is taken, no right to create it, no TUN/TAP in this kernel.
    static Result<std::unique_ptr<TapDevice>> open(const std::string& name);
    // A TUN, whose frames are bare IP packets. `pattern` ends in %d, for which the kernel chooses a
    // number: several daemons may share a network namespace.
    static Result<std::unique_ptr<TapDevice>> open_tun(const std::string& pattern);
    ~TapDevice();
    TapDevice(const TapDevice&) = delete;
    TapDevice& operator=(const TapDevice&) = delete;

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] InterfaceIndex interface() const { return interface_; }
    [[nodiscard]] int fd() const { return fd_; }

    // One whole frame to the kernel. False: it did not take it (interface down, out of memory).
    bool write(std::span<const std::uint8_t> frame);
    // One whole frame from the kernel into `buffer`; nothing when none waits.
    std::optional<std::span<std::uint8_t>> read(std::span<std::uint8_t> buffer);
    // What `ip link` shows as LOWER_UP; routes of a TAP without carrier are not used.
    Status set_carrier(bool carrier);

  private:
    static Result<std::unique_ptr<TapDevice>> create(const std::string& name, short flags);
    TapDevice(std::string name, int fd, InterfaceIndex interface)
        : name_(std::move(name)), fd_(fd), interface_(interface) {}

    std::string name_;
    int fd_;
    InterfaceIndex interface_;
};

// Keeps the kernel from acting on its own on this interface: it answers ARP only for addresses of
// the interface itself, accepts asymmetric paths, invents no IPv6 addresses, solicits no routers
// and sends no redirects. Returns what could not be set (read-only /proc/sys), for the log.
std::string apply_tap_sysctls(const std::string& name);

}  // namespace pollux::control
