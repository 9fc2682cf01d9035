// SPDX-License-Identifier: Apache-2.0
#pragma once

// Slow, plain models of LVS's schedulers for the property tests, written from their description:
// a list of servers with the newest at the head, walked step by step. They share no code with the
// data plane but the types of its interface.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pollux::lb::test {

struct ModelServer {
    int id = 0;
    std::uint32_t address = 0;  // IPv4, host order
    std::uint16_t port = 0;
    int weight = 1;
    int last_weight = 1;
    long active = 0;
    long inactive = 0;
    bool overloaded = false;
    bool listed = true;

    long cost() const { return 256 * active + (active + inactive); }
    bool usable() const { return weight > 0 && !overloaded; }
};

struct ModelPacket {
    std::uint32_t client = 0, destination = 0;
    std::uint16_t port = 0;
};

class SlowModel {
  public:
    SlowModel(std::string scheduler, bool fallback, bool port)
        : scheduler_(std::move(scheduler)), fallback_(fallback), port_(port) {
        changed();
    }

    ModelServer* add(const ModelServer& server);
    void remove(ModelServer* server);
    void edit(ModelServer* server, int weight);
    ModelServer* pick(const ModelPacket& packet);

    std::vector<ModelServer*> servers;  // walk order

  private:
    using Pick = ModelServer* (SlowModel::*)(const ModelPacket&);

    void changed();
    void fill_sh();
    void fill_mh();
    std::size_t after(ModelServer* server) const;
    ModelServer* rr(const ModelPacket&);
    ModelServer* wrr(const ModelPacket&);
    ModelServer* lc(const ModelPacket&);
    ModelServer* wlc(const ModelPacket&);
    ModelServer* sed(const ModelPacket&);
    ModelServer* nq(const ModelPacket&);
    ModelServer* fo(const ModelPacket&);
    ModelServer* ovf(const ModelPacket&);
    ModelServer* hashed(const ModelPacket&);
    ModelServer* lblc(const ModelPacket&);
    ModelServer* lblcr(const ModelPacket&);
    bool crowded(const ModelServer* server) const;

    std::string scheduler_;
    bool fallback_, port_;
    std::deque<ModelServer> storage_;
    ModelServer* current_ = nullptr;  // nullptr: the head of the list
    int level_ = 0, top_ = 0, step_ = 1;
    std::vector<ModelServer*> table_;
    std::map<std::uint32_t, ModelServer*> affinity_;
    std::map<std::uint32_t, std::list<ModelServer*>> replicas_;
};

}  // namespace pollux::lb::test
