// SPDX-License-Identifier: Apache-2.0
#pragma once

// A service with its scheduler and its shared counts, as a snapshot builder and a worker use them:
// changes rebuild the scheduler from the previous one, connections are counted by hand.

#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/lb/schedulers.h"

namespace pollux::lb::test {

inline net::IpAddress v4(std::uint32_t host) {
    return net::IpAddress::from_v4(net::Ipv4Address::from_host(host));
}

class Service {
  public:
    static constexpr std::size_t kMaxServers = 4096;

    explicit Service(SchedulerKind kind, SchedulerFlags flags = {}) : kind_(kind), flags_(flags) {
        rebuild(nullptr);
    }

    // Adds at the head, as LVS does. Returns the server's id.
    RealServerId add(std::uint16_t weight, std::uint32_t address = 0, std::uint16_t port = 80) {
        const RealServerId id{next_id_++};
        const std::uint32_t host = address != 0 ? address : 0x0a020000 + next_id_;
        servers_.insert(servers_.begin(), {id, v4(host), port, weight, weight, 0});
        rebuild(&scheduler_);
        return id;
    }
    // Adds several, one change each.
    void add_each(const std::vector<std::uint16_t>& weights) {
        for (const std::uint16_t weight : weights) add(weight);
    }
    // Adds several in one change.
    void add_all(const std::vector<std::uint16_t>& weights) {
        for (const std::uint16_t weight : weights) {
            const RealServerId id{next_id_++};
            servers_.insert(servers_.begin(),
                            {id, v4(0x0a020000 + next_id_), 80, weight, weight, 0});
        }
        rebuild(&scheduler_);
    }
    void remove(RealServerId id) {
        std::erase_if(servers_, [id](const SchedulerServer& server) { return server.id == id; });
        rebuild(&scheduler_);
    }
    void edit(RealServerId id, std::uint16_t weight) {
        for (SchedulerServer& server : servers_) {
            if (server.id != id) continue;
            server.weight = weight;
            ++server.edits;
            if (weight != 0) server.last_weight = weight;
        }
        rebuild(&scheduler_);
    }
    void change_scheduler(SchedulerKind kind) {
        kind_ = kind;
        rebuild(&scheduler_);
    }
    void set_expiration(Duration expiration) {
        expiration_ = expiration;
        rebuild(&scheduler_);
    }

    // The id of the chosen server, or kNoRealServer.
    RealServerId pick(const ScheduleInput& input = {}) {
        const std::uint32_t position = schedule(scheduler_, input, loads());
        return position == kNoTarget ? kNoRealServer : scheduler_.targets.at(position).id;
    }
    // Chooses and counts an active connection in.
    RealServerId open(const ScheduleInput& input = {}) {
        const RealServerId id = pick(input);
        if (id != kNoRealServer) load(id).active.fetch_add(1, std::memory_order_relaxed);
        return id;
    }

    ServerLoad& load(RealServerId id) { return (*loads_)[index(id)]; }
    [[nodiscard]] ServerLoads loads() const { return *loads_; }
    [[nodiscard]] const ServiceScheduler& scheduler() const { return scheduler_; }

  private:
    void rebuild(const ServiceScheduler* previous) {
        scheduler_ = build_scheduler({kind_, flags_, expiration_, servers_}, previous);
    }

    SchedulerKind kind_;
    SchedulerFlags flags_;
    Duration expiration_ = std::chrono::hours(24);
    std::vector<SchedulerServer> servers_;
    std::uint32_t next_id_ = 0;
    std::unique_ptr<std::vector<ServerLoad>> loads_ =
        std::make_unique<std::vector<ServerLoad>>(kMaxServers);
    ServiceScheduler scheduler_;
};

}  // namespace pollux::lb::test
