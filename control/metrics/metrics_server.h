// SPDX-License-Identifier: Apache-2.0
#pragma once

// MetricsServer: GET /metrics over HTTP, for Prometheus and what speaks its formats. Runs on a
// thread of its own with a low priority, which reads nothing but finished MetricsStates: a slow or
// hostile client costs that thread, never an advert. Bounded in connections, header size and time.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "control/metrics/metrics_state.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/result.h"

namespace pollux::control {

class MetricsServer {
  public:
    // Further ones are closed at once.
    static constexpr unsigned kMaxConnections = 16;
    static constexpr std::uint32_t kMaxHeader = 8192;
    // A client must have sent its request after this, and taken the answer after kAnswerTime.
    static constexpr std::chrono::seconds kHeaderTime{2};
    static constexpr std::chrono::seconds kAnswerTime{10};
    // The control core must have filled a state after this.
    static constexpr std::chrono::seconds kCollectTime{5};
    // Scrapes within it get the same figures.
    static constexpr std::chrono::seconds kFresh{1};

    using Done = std::function<void(std::shared_ptr<const MetricsState>)>;
    // Called on the server's thread; `done` may be called on any, or never.
    using Collect = std::function<void(Done done)>;

    // Errors: the address is taken or not this host's.
    static Result<std::unique_ptr<MetricsServer>> start(const net::IpAddress& address,
                                                        std::uint16_t port, Collect collect);
    // Ends the thread and all connections.
    ~MetricsServer();
    MetricsServer(const MetricsServer&) = delete;
    MetricsServer& operator=(const MetricsServer&) = delete;

  private:
    MetricsServer();
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace pollux::control
