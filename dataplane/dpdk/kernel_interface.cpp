// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/kernel_interface.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pollux::dpdk {
namespace {

constexpr std::string_view kTapLine = "iff:\t";

// The interface of an open TAP file; "" when it is gone, or for another kind of file.
std::string tap_of_file(const std::string& info_path) {
    std::ifstream info(info_path);
    for (std::string line; std::getline(info, line);) {
        if (line.starts_with(kTapLine)) return line.substr(kTapLine.size());
    }
    return "";
}

}  // namespace

Result<KernelInterface> KernelInterface::open(const std::string& name) {
    const unsigned index = if_nametoindex(name.c_str());
    if (index == 0) return Error{"there is no interface " + name, "ip link lists them"};
    // Protocol 0: the socket receives nothing, it only holds memberships.
    const int socket = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (socket < 0) {
        return Error{std::string("cannot open a packet socket: ") + std::strerror(errno),
                     "run as root, or with CAP_NET_RAW"};
    }
    return KernelInterface(socket, name, index);
}

KernelInterface::KernelInterface(KernelInterface&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      name_(std::move(other.name_)),
      index_(other.index_) {}

KernelInterface::~KernelInterface() {
    if (socket_ >= 0) close(socket_);
}

bool KernelInterface::is_up() const {
    return (flags().value_or(0) & IFF_UP) != 0;
}

bool KernelInterface::has_carrier() const {
    constexpr unsigned kBoth = IFF_UP | IFF_RUNNING;
    return (flags().value_or(0) & kBoth) == kBoth;
}

Status KernelInterface::set_up() const {
    if (auto wanted = request()) {
        wanted->ifr_flags = static_cast<short>(flags().value_or(0) | IFF_UP);
        if (ioctl(socket_, SIOCSIFFLAGS, &*wanted) == 0) return ok_status();
    }
    return Error{"cannot set interface " + name_ + " up: " + std::strerror(errno),
                 "ip link set " + name_ + " up"};
}

Status KernelInterface::receive_all_multicast() const {
    return change_membership(PACKET_ADD_MEMBERSHIP, PACKET_MR_ALLMULTI, {});
}

Status KernelInterface::receive_everything() const {
    return change_membership(PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC, {});
}

Status KernelInterface::add_mac(const net::MacAddress& mac) const {
    return change_membership(PACKET_ADD_MEMBERSHIP, PACKET_MR_UNICAST, mac);
}

Status KernelInterface::remove_mac(const net::MacAddress& mac) const {
    return change_membership(PACKET_DROP_MEMBERSHIP, PACKET_MR_UNICAST, mac);
}

Status KernelInterface::change_membership(int action, int type, const net::MacAddress& mac) const {
    packet_mreq membership{};
    membership.mr_ifindex = static_cast<int>(index_);
    membership.mr_type = static_cast<unsigned short>(type);
    membership.mr_alen = static_cast<unsigned short>(mac.bytes.size());
    std::copy(mac.bytes.begin(), mac.bytes.end(), membership.mr_address);
    if (setsockopt(socket_, SOL_PACKET, action, &membership, sizeof membership) == 0) {
        return ok_status();
    }
    return Error{"interface " + name_ + " refuses the filter: " + std::strerror(errno), ""};
}

std::optional<ifreq> KernelInterface::request() const {
    ifreq request{};
    request.ifr_ifindex = static_cast<int>(index_);
    return ioctl(socket_, SIOCGIFNAME, &request) == 0 ? std::optional(request) : std::nullopt;
}

std::optional<unsigned> KernelInterface::flags() const {
    auto wanted = request();
    if (!wanted || ioctl(socket_, SIOCGIFFLAGS, &*wanted) != 0) return std::nullopt;
    return static_cast<unsigned short>(wanted->ifr_flags);
}

TapWatch::TapWatch(const std::string& interface) {
    std::error_code error;
    for (const auto& file : std::filesystem::directory_iterator("/proc/self/fdinfo", error)) {
        if (tap_of_file(file.path().string()) == interface) files_.push_back(file.path().string());
    }
}

bool TapWatch::exists() const {
    return std::any_of(files_.begin(), files_.end(),
                       [](const std::string& file) { return !tap_of_file(file).empty(); });
}

}  // namespace pollux::dpdk
