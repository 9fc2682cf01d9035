// SPDX-License-Identifier: Apache-2.0

// Every scheduler against its slow model, through random additions, deletions, edits, overloads,
// openings and closings. The seed of a failure is part of the test's name.

#include <random>

#include <gtest/gtest.h>

#include "tests/unit/scheduler/harness.h"
#include "tests/unit/scheduler/slow_model.h"

namespace pollux::lb::test {
namespace {

struct Case {
    const char* scheduler;
    bool fallback, port;
    unsigned seed;
};

std::string name_of(const testing::TestParamInfo<Case>& info) {
    return std::string(info.param.scheduler) + (info.param.fallback ? "Fallback" : "") +
           (info.param.port ? "Port" : "") + "Seed" + std::to_string(info.param.seed);
}

class AgainstModel : public testing::TestWithParam<Case> {
  protected:
    AgainstModel()
        : random_(GetParam().seed),
          service_(*parse_scheduler(GetParam().scheduler), {GetParam().fallback, GetParam().port}),
          model_(GetParam().scheduler, GetParam().fallback, GetParam().port) {}

    unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

    std::uint16_t random_weight() {
        switch (below(5)) {
            case 0:
                return 0;
            case 1:
                return static_cast<std::uint16_t>(below(65536));
            case 2:
                return static_cast<std::uint16_t>(10 * below(8));
            default:
                return static_cast<std::uint16_t>(1 + below(6));
        }
    }

    void add() {
        ModelServer server;
        const std::uint16_t weight = random_weight();
        server.address = 0x0a020000 + below(4096);
        server.port = static_cast<std::uint16_t>(below(3) * 1000);
        server.weight = server.last_weight = weight;
        server.id = static_cast<int>(index(service_.add(weight, server.address, server.port)));
        model_.add(server);
    }

    ModelServer* any() { return model_.servers[below(unsigned(model_.servers.size()))]; }
    static RealServerId id_of(const ModelServer* server) {
        return server == nullptr ? kNoRealServer : RealServerId{std::uint32_t(server->id)};
    }
    ServerLoad& load(const ModelServer* server) { return service_.load(id_of(server)); }

    void change() {
        const unsigned what = below(4);
        if (model_.servers.empty() || (what == 0 && model_.servers.size() < 12)) return add();
        ModelServer* server = any();
        if (what == 1) {
            service_.remove(id_of(server));
            model_.remove(server);
        } else if (what == 2) {
            const std::uint16_t weight = random_weight();
            service_.edit(id_of(server), weight);
            model_.edit(server, weight);
        } else {
            server->overloaded = !server->overloaded;
            load(server).overloaded = server->overloaded;
        }
    }

    void close() {
        if (model_.servers.empty()) return;
        ModelServer* server = any();
        if (server->active > 0 && below(2) == 0) {
            --server->active;
            ++server->inactive;
            --load(server).active;
            ++load(server).inactive;
        } else if (server->inactive > 0) {
            --server->inactive;
            --load(server).inactive;
        }
    }

    void open(unsigned step) {
        const ModelPacket packet{0x0a000000 + below(500), 0x0a090000 + below(12),
                                 static_cast<std::uint16_t>(1024 + below(5000))};
        ScheduleInput input;
        input.client = v4(packet.client);
        input.destination = v4(packet.destination);
        input.client_port = packet.port;
        ModelServer* expected = model_.pick(packet);
        ASSERT_EQ(index(service_.pick(input)), index(id_of(expected))) << "step " << step;
        if (expected == nullptr) return;
        ++expected->active;
        ++load(expected).active;
    }

    std::mt19937 random_;
    Service service_;
    SlowModel model_;
};

TEST_P(AgainstModel, ChoosesTheSame) {
    for (unsigned i = 0; i < 3; ++i) add();
    for (unsigned step = 0; step < 1500; ++step) {
        const unsigned what = below(20);
        if (what == 0) {
            change();
        } else if (what < 7) {
            close();
        } else {
            open(step);
        }
        if (HasFatalFailure()) return;
    }
}

std::vector<Case> cases() {
    std::vector<Case> all;
    for (unsigned seed = 1; seed <= 12; ++seed) {
        for (const char* name :
             {"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sed", "nq", "fo", "ovf"}) {
            all.push_back({name, false, false, seed});
        }
        for (const char* name : {"sh", "mh"}) {
            for (const unsigned flags : {0U, 1U, 2U, 3U}) {
                all.push_back({name, (flags & 1U) != 0, (flags & 2U) != 0, seed});
            }
        }
    }
    return all;
}

INSTANTIATE_TEST_SUITE_P(Schedulers, AgainstModel, testing::ValuesIn(cases()), name_of);

}  // namespace
}  // namespace pollux::lb::test
