// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs whole ipvsadm command lines against a Table and a data plane and gives what ipvsadm prints
// and how it exits. The data plane comes in as functions, so that the daemon, the golden runner and
// tests use the same code. Control thread.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/ipvs/format.h"
#include "control/ipvs/table.h"
#include "dataplane/net/result.h"

namespace pollux::control::ipvs {

struct Output {
    std::string out;
    std::string err;
    int exit_status = 0;
};

// What a console asks of the data plane. `publish` and `services` are needed, the others are empty
// functions when their listings show nothing.
struct Backend {
    // Makes the table the data plane's; on failure the change is taken back and refused.
    std::function<Status(const Table&)> publish;
    std::function<std::vector<lb::ServiceView>()> services;
    std::function<std::vector<lb::ConnectionView>()> connections;
    // For `services`' result, in the same order.
    std::function<std::vector<ServiceRates>(const std::vector<lb::ServiceView>&)> rates;
    // Sets the counters of one service, or of all (nullptr), to zero.
    std::function<void(const lb::ServiceSpec*)> zero;
    // What listings show behind "size=".
    std::uint32_t size = 0;
};

class Console {
  public:
    // `program` is the name in messages: "ipvsadm".
    Console(Table& table, Backend backend, std::string program)
        : table_(table), backend_(std::move(backend)), program_(std::move(program)) {}

    void set_resolver(NameResolver resolver) { resolver_ = resolver; }
    void set_names(Names names) { names_ = std::move(names); }

    // `input` is what -R reads.
    [[nodiscard]] Output run(const std::vector<std::string>& arguments,
                             const std::string& input = {});

  private:
    Output execute(const Command& command);
    Output list(const Command& command);
    Output restore(const std::string& input);
    // Hands a changed table to the data plane; a failure brings `before` back.
    std::optional<Refusal> publish(const Table& before);

    Table& table_;
    Backend backend_;
    std::string program_;
    NameResolver resolver_;
    Names names_;
    bool changed_ = false;  // the table, since it was last published
};

}  // namespace pollux::control::ipvs
