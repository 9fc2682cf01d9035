// SPDX-License-Identifier: Apache-2.0
#include "control/tap/tap_device.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pollux::control {
namespace {

constexpr const char* kTunPath = "/dev/net/tun";

Error open_error(int code) {
    const std::string message = std::string("cannot open ") + kTunPath + ": " + strerror(code);
    if (code == ENOENT || code == ENODEV) return {message, "load the module: modprobe tun"};
    return {message, "run as root or with CAP_NET_ADMIN, and allow the device in containers"};
}

Error create_error(const std::string& name, int code) {
    const std::string message = "cannot create the TAP " + name + ": " + strerror(code);
    if (code == EPERM) return {message, "run as root or with CAP_NET_ADMIN"};
    return {message, "choose another name under [dpdk.port.exception]"};
}

// Frames of the kernel's that may wait for the control core. The usual 1,000 overflow when a
// thousand health checks connect in the same moment; each lost frame costs a retransmission.
constexpr int kQueuedFrames = 8192;

bool set_queue_length(const std::string& name) {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_qlen = kQueuedFrames;
    const bool done = ioctl(fd, SIOCSIFTXQLEN, &request) == 0;
    const int code = errno;
    close(fd);
    errno = code;
    return done;
}

struct Setting {
    std::string_view family, key, value;
};

constexpr std::array kSettings = {
    // RFC 826 answers only for addresses of the interface asked; several TAPs may share a link.
    Setting{"ipv4", "arp_ignore", "1"},
    Setting{"ipv4", "arp_announce", "2"},
    // Loose: the kernel takes the larger of this and conf.all, so 2 also undoes a strict conf.all.
    Setting{"ipv4", "rp_filter", "2"},
    Setting{"ipv4", "send_redirects", "0"},
    Setting{"ipv4", "accept_redirects", "0"},
    Setting{"ipv6", "addr_gen_mode", "1"},
    Setting{"ipv6", "accept_ra", "0"},
    Setting{"ipv6", "autoconf", "0"},
    Setting{"ipv6", "router_solicitations", "0"},
    Setting{"ipv6", "accept_dad", "0"},
    Setting{"ipv6", "accept_redirects", "0"},
};

}  // namespace

Result<std::unique_ptr<TapDevice>> TapDevice::open(const std::string& name) {
    if (name.empty() || name.size() >= IFNAMSIZ) {
        return Error{"the interface name \"" + name + "\" has not 1 to 15 characters",
                     "set a shorter name under [dpdk.port.exception]"};
    }
    if (if_nametoindex(name.c_str()) != 0) {
        return Error{
            "an interface named " + name + " exists already",
            "set another name under [dpdk.port.exception], or remove it: ip link delete " + name};
    }
    return create(name, IFF_TAP);
}

Result<std::unique_ptr<TapDevice>> TapDevice::open_tun(const std::string& pattern) {
    return create(pattern, IFF_TUN);
}

Result<std::unique_ptr<TapDevice>> TapDevice::create(const std::string& name, short flags) {
    const int fd = ::open(kTunPath, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return open_error(errno);
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_flags = static_cast<short>(flags | IFF_NO_PI | IFF_TUN_EXCL);
    if (ioctl(fd, TUNSETIFF, &request) != 0) {
        const int code = errno;
        close(fd);
        return create_error(name, code);
    }
    // The kernel has put the name there that it gave.
    const std::string given = request.ifr_name;
    if (!set_queue_length(given)) {
        const int code = errno;
        close(fd);
        return create_error(given, code);
    }
    const auto interface = static_cast<InterfaceIndex>(if_nametoindex(given.c_str()));
    return std::unique_ptr<TapDevice>(new TapDevice(given, fd, interface));
}

TapDevice::~TapDevice() {
    close(fd_);
}

bool TapDevice::write(std::span<const std::uint8_t> frame) {
    return ::write(fd_, frame.data(), frame.size()) == static_cast<ssize_t>(frame.size());
}

std::optional<std::span<std::uint8_t>> TapDevice::read(std::span<std::uint8_t> buffer) {
    const ssize_t length = ::read(fd_, buffer.data(), buffer.size());
    if (length <= 0) return std::nullopt;
    return buffer.first(static_cast<std::size_t>(length));
}

Status TapDevice::set_carrier(bool carrier) {
    int value = carrier ? 1 : 0;
    if (ioctl(fd_, TUNSETCARRIER, &value) == 0) return ok_status();
    return Error{"cannot set the carrier of " + name_ + ": " + strerror(errno), ""};
}

std::string apply_tap_sysctls(const std::string& name) {
    std::string refused;
    for (const Setting& setting : kSettings) {
        const std::string folder =
            "/proc/sys/net/" + std::string(setting.family) + "/conf/" + name + "/";
        // A host without IPv6 has no such folder, and needs none of it.
        if (!std::filesystem::exists(folder)) continue;
        std::ofstream file(folder + std::string(setting.key));
        file << setting.value << std::flush;
        if (file.good()) continue;
        if (!refused.empty()) refused += ' ';
        refused += std::string(setting.family) + '.' + std::string(setting.key) + '=' +
                   std::string(setting.value);
    }
    return refused;
}

}  // namespace pollux::control
