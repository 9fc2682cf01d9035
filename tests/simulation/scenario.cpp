// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/scenario.h"

#include <algorithm>
#include <array>
#include <random>
#include <sstream>

namespace pollux::vrrp::simulation {
namespace {

using namespace std::chrono_literals;

class Dice {
  public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}
    // 0 .. bound - 1.
    std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
    bool chance(unsigned percent) { return below(100) < percent; }
    Duration between(Duration low, Duration high) {
        return low + Duration(static_cast<std::int64_t>(
                         below(static_cast<std::uint64_t>((high - low).count()) + 1)));
    }

  private:
    std::mt19937_64 engine_;
};

InstanceConfig common_config(Dice& dice) {
    InstanceConfig config;
    config.version = dice.chance(40) ? 2 : 3;
    if (config.version == 2) {
        config.advert_interval = 1s;
        if (dice.chance(50)) {
            config.auth_type = kAuthPass;
            config.auth_data = {'s', 'i', 'm'};
        }
    } else {
        constexpr std::array<Duration, 3> intervals = {20ms, 100ms, 1s};
        config.advert_interval = intervals[dice.below(intervals.size())];
        if (dice.chance(40)) {
            config.family = net::Family::V6;
            config.group = net::IpAddress::from_v6(kGroupV6);
        }
    }
    switch (dice.below(8)) {
        case 0:
        case 1:
            config.nopreempt = true;
            break;
        case 2:
            config.preempt_delay = config.advert_interval * (1 + dice.below(4));
            break;
        default:
            break;
    }
    config.lower_prio_no_advert = dice.chance(15);
    config.skip_check_adv_addr = dice.chance(20);
    config.down_timer_adverts = dice.chance(80) ? 3 : 5;
    return config;
}

std::vector<net::IpAddress> addresses(const InstanceConfig& config, unsigned segment) {
    std::vector<net::IpAddress> result;
    for (unsigned i = 0; i < 3; ++i) {
        net::IpAddress address = node_address(config.family, 200 + i);
        address.bytes[config.family == net::Family::V4 ? 2 : 12] =
            static_cast<std::uint8_t>(segment);
        result.push_back(address);
    }
    return result;
}

void make_nodes(Dice& dice, Scenario& scenario) {
    const InstanceConfig common = common_config(dice);
    const unsigned count = 2 + static_cast<unsigned>(dice.below(3));
    const bool equal_priorities = dice.chance(20);
    const bool unicast = dice.chance(20);
    const bool intervals_differ = common.version == 3 && dice.chance(10);
    const bool wild_clocks = dice.chance(20);
    const auto owner = dice.chance(10) ? dice.below(count) : count;
    scenario.segments = 1 + static_cast<unsigned>(dice.below(2));
    scenario.grouped = scenario.segments == 2 && dice.chance(60);
    scenario.interval = common.advert_interval;
    for (unsigned node = 0; node < count; ++node) {
        NodeSetup setup;
        const auto base =
            static_cast<std::uint8_t>(equal_priorities ? 100 : 50 + node * 50 + dice.below(40));
        const std::int64_t limit = wild_clocks ? 20'000 : 200;
        setup.clock_ppm =
            static_cast<std::int64_t>(dice.below(static_cast<std::uint64_t>(2 * limit))) - limit;
        for (unsigned segment = 0; segment < scenario.segments; ++segment) {
            InstanceConfig config = common;
            config.name = "VI_" + std::to_string(segment + 1);
            config.virtual_router_id = static_cast<std::uint8_t>(51 + segment);
            config.addresses = addresses(config, segment);
            // Ungrouped instances may have their masters on different nodes.
            const bool mirrored = !scenario.grouped && segment == 1;
            config.priority = static_cast<std::uint8_t>(mirrored ? 254 - base : base);
            if (node == owner) config.priority = kPriorityOwner;
            if (intervals_differ && node % 2 == 1) config.advert_interval *= 2;
            scenario.interval = std::max(scenario.interval, config.advert_interval);
            for (unsigned peer = 0; unicast && peer < count; ++peer) {
                if (peer == node) continue;
                config.unicast_peers.push_back(node_address(config.family, peer));
            }
            setup.instances.push_back(config);
        }
        scenario.nodes.push_back(setup);
    }
    scenario.min_delay = 50us;
    scenario.max_delay = common.advert_interval / (dice.chance(70) ? 50 : 8);
}

FaultEvent make_fault(Dice& dice, const Scenario& scenario, Duration quiet_from) {
    constexpr std::array kinds = {
        FaultKind::Partition,     FaultKind::Partition,     FaultKind::OneWay,
        FaultKind::Loss,          FaultKind::Stall,         FaultKind::Crash,
        FaultKind::Stop,          FaultKind::InterfaceDown, FaultKind::TrackScript,
        FaultKind::LowerPriority, FaultKind::StepDown,      FaultKind::Reload,
        FaultKind::Forgery,       FaultKind::Stall,
    };
    const auto nodes = static_cast<unsigned>(scenario.nodes.size());
    FaultEvent event;
    event.kind = kinds[dice.below(kinds.size())];
    event.start = dice.between(scenario.interval, quiet_from - scenario.interval);
    event.length = dice.between(scenario.interval / 4, scenario.interval * 12);
    event.length = std::min(event.length, quiet_from - event.start);
    event.node = static_cast<unsigned>(dice.below(nodes));
    event.mask = 1U + static_cast<unsigned>(dice.below((1U << nodes) - 2U));
    event.segment =
        dice.chance(50) ? kSegments : static_cast<unsigned>(dice.below(scenario.segments));
    return event;
}

}  // namespace

net::IpAddress node_address(net::Family family, unsigned node) {
    net::IpAddress address;
    address.family = family;
    if (family == net::Family::V4) {
        address.bytes = {10, 0, 0, static_cast<std::uint8_t>(node + 1)};
    } else {
        address.bytes = {0xfe, 0x80};
        address.bytes[15] = static_cast<std::uint8_t>(node + 1);
    }
    return address;
}

Scenario make_scenario(std::uint64_t seed) {
    Dice dice(seed);
    Scenario scenario;
    scenario.seed = seed;
    make_nodes(dice, scenario);
    scenario.loss = static_cast<double>(5 + dice.below(40)) / 100;
    const Duration quiet_from = scenario.interval * 50;
    scenario.horizon = scenario.interval * 80;
    for (std::uint64_t count = 3 + dice.below(8); count > 0; --count) {
        scenario.faults.push_back(make_fault(dice, scenario, quiet_from));
    }
    std::ranges::sort(scenario.faults, {}, &FaultEvent::start);
    return scenario;
}

std::string describe(const Scenario& scenario) {
    constexpr std::array names = {"partition", "one-way",   "loss",    "stall",
                                  "crash",     "stop",      "if-down", "script",
                                  "lower",     "step-down", "reload",  "forgery"};
    const auto ms = [](Duration d) {
        return std::to_string(static_cast<double>(d.count()) / 1e6) + "ms";
    };
    std::ostringstream out;
    const InstanceConfig& first = scenario.nodes[0].instances[0];
    out << "seed " << scenario.seed << ": " << scenario.nodes.size() << " nodes, "
        << scenario.segments << " segments" << (scenario.grouped ? " grouped" : "") << ", v"
        << int{first.version} << (first.family == net::Family::V6 ? " IPv6" : " IPv4")
        << (first.is_unicast() ? " unicast" : "") << (first.nopreempt ? " nopreempt" : "")
        << ", delay " << ms(scenario.max_delay) << ", preempt_delay " << ms(first.preempt_delay)
        << "\n";
    for (unsigned i = 0; i < scenario.nodes.size(); ++i) {
        out << "  node " << i << ": clock " << scenario.nodes[i].clock_ppm << " ppm";
        for (const InstanceConfig& config : scenario.nodes[i].instances) {
            out << ", priority " << int{config.priority} << " interval "
                << ms(config.advert_interval);
        }
        out << "\n";
    }
    for (const FaultEvent& event : scenario.faults) {
        out << "  " << ms(event.start) << " +" << ms(event.length) << " "
            << names[static_cast<std::size_t>(event.kind)] << " node " << event.node << " mask "
            << event.mask << " segment " << event.segment << "\n";
    }
    return out.str();
}

}  // namespace pollux::vrrp::simulation
