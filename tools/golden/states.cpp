// SPDX-License-Identifier: Apache-2.0

// Replays states/states.json: for each measured machine every cell (state, packet) in a fresh
// connection that is brought to the state by the recorded packets.

#include <cstdlib>

#include "tools/golden/recording.h"
#include "tools/golden/testbed.h"

namespace pollux::golden {

namespace {

constexpr std::uint16_t kServicePort = 80;

class Machine {
  public:
    explicit Machine(const Json& machine) : machine_(machine), bed_(TestbedOptions{}) {
        for (const auto& [name, value] : machine.at("sysctl").items()) {
            if (bed_.set_sysctl("ipv4/vs/" + name, value.get<long long>()) ==
                SysctlResult::Unknown) {
                throw Difference("unknown sysctl " + name);
            }
        }
        const std::string protocol = machine.at("proto");
        if (protocol != "tcp" && protocol != "sctp") {
            throw Difference("unknown protocol " + protocol);
        }
        is_tcp_ = protocol == "tcp";
        const std::string option = is_tcp_ ? "-t" : "--sctp-service";
        bed_.ipvsadm({"-A", option, "10.1.0.10:80", "-s", "rr"});
        bed_.ipvsadm({"-a", option, "10.1.0.10:80", "-r", "10.2.0.1:80",
                      machine.at("forward").get<std::string>()});
    }

    // The number of cells.
    unsigned replay(const std::string& name) {
        unsigned cells = 0;
        for (const auto& [state, row] : machine_.at("table").items()) {
            const Json& path = machine_.at("reached_by").at(state);
            for (const auto& [packet, expected] : row.items()) {
                compare(name + ": " + packet + " in " + state, path, packet, expected);
                ++cells;
            }
        }
        return cells;
    }

  private:
    void compare(const std::string& cell, const Json& path, const std::string& packet,
                 const Json& expected) {
        ++client_port_;
        for (const std::string earlier : path) send(earlier);
        send(packet);
        std::string state = "-";
        long long expires = 0;
        for (const lb::ConnectionView& view : bed_.connections()) {
            if (view.client_port != client_port_) continue;
            state = view.state;
            expires = std::chrono::duration_cast<std::chrono::seconds>(view.expires_in).count();
        }
        const std::string wanted = expected.at(0);
        const long long seconds = expected.at(1);
        if (state == wanted && std::llabs(expires - seconds) <= kTimerTolerance) return;
        throw Difference(cell + ": expected " + wanted + " " + std::to_string(seconds) + "s, got " +
                         state + " " + std::to_string(expires) + "s");
    }

    // "c:FA", "s:INIT_ACK".
    void send(const std::string& packet) {
        const bool from_client = packet.at(0) == 'c';
        const net::IpAddress client = *net::IpAddress::parse("10.0.0.1");
        const Ends ends =
            from_client
                ? Ends{client, *net::IpAddress::parse("10.1.0.10"), client_port_, kServicePort}
                : Ends{server_address(1, net::Family::V4), client, kServicePort, client_port_};
        const std::string kind = packet.substr(2);
        std::optional<Bytes> bytes;
        if (is_tcp_) {
            bytes = tcp_packet(ends, kind);
        } else {
            bytes = sctp_packet(ends, kind);
        }
        if (!bytes) throw Difference("unknown packet " + packet);
        const Side side = from_client ? Side::Client : Side::Server;
        bed_.put(side,
                 ethernet(director_mac(side), from_client ? client_mac() : server_mac(1), *bytes));
    }

    const Json& machine_;
    Testbed bed_;
    bool is_tcp_ = true;
    std::uint16_t client_port_ = 1100;
};

}  // namespace

Replayed replay_states(const Json& recording) {
    Replayed replayed;
    for (const auto& [name, machine] : recording.items()) {
        if (name != "kernel") replayed.steps += Machine(machine).replay(name);
    }
    return replayed;
}

}  // namespace pollux::golden
