// SPDX-License-Identifier: Apache-2.0
#pragma once

// The kernel's side of a port that runs over a kernel interface: MAC and multicast filters that
// vanish with the process (packet socket memberships), administrative state, and carrier. Control
// thread.

#include <optional>
#include <string>
#include <vector>

#include <net/if.h>

#include "dataplane/net/mac_address.h"
#include "dataplane/net/result.h"

namespace pollux::dpdk {

class KernelInterface {
  public:
    // For an interface of this network namespace.
    static Result<KernelInterface> open(const std::string& name);
    KernelInterface(KernelInterface&& other) noexcept;
    KernelInterface& operator=(KernelInterface&&) = delete;
    ~KernelInterface();  // the kernel drops the memberships

    [[nodiscard]] unsigned index() const { return index_; }
    // False: removed. One made anew under the same name is another interface, to which the port's
    // queues are not attached.
    [[nodiscard]] bool exists() const { return flags().has_value(); }
    [[nodiscard]] bool is_up() const;
    [[nodiscard]] bool has_carrier() const;
    Status set_up() const;

    Status receive_all_multicast() const;
    Status receive_everything() const;
    Status add_mac(const net::MacAddress& mac) const;
    Status remove_mac(const net::MacAddress& mac) const;

  private:
    KernelInterface(int socket, std::string name, unsigned index)
        : socket_(socket), name_(std::move(name)), index_(index) {}
    [[nodiscard]] Status change_membership(int action, int type, const net::MacAddress& mac) const;
    // A request about the interface as it is called now. Nothing: it is gone.
    [[nodiscard]] std::optional<ifreq> request() const;
    [[nodiscard]] std::optional<unsigned> flags() const;

    int socket_ = -1;
    std::string name_;
    unsigned index_ = 0;
};

// Watches the TAP that net_tap made. Its interface usually moves to another network namespace,
// where only the open files tell whether it still exists.
class TapWatch {
  public:
    TapWatch() = default;
    explicit TapWatch(const std::string& interface);
    [[nodiscard]] bool exists() const;

  private:
    std::vector<std::string> files_;  // /proc/self/fdinfo/N of its queues
};

}  // namespace pollux::dpdk
