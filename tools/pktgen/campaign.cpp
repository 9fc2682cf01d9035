// SPDX-License-Identifier: Apache-2.0
#include "tools/pktgen/campaign.h"

#include "tools/pktgen/generator.h"
#include "tools/pktgen/plan_load.h"
#include "tools/pktgen/search.h"

namespace pollux::pktgen {
namespace {

class Campaign {
  public:
    Campaign(const Plan& plan, Generator& generator, Wire& wire,
             const std::function<void(const Trial&)>& told)
        : plan_(plan), generator_(generator), wire_(wire), told_(told) {}

    Outcome run() {
        run_trial(*parse_rate(plan_.traffic.rate));
        outcome_.stopped = wire_.stopping();
        return std::move(outcome_);
    }

    Outcome search() {
        const SearchRange range{*parse_rate(plan_.search.lowest), *parse_rate(plan_.search.highest),
                                plan_.search.resolution};
        RateSearch no_drop(range, 0);
        explore(no_drop, 0);
        outcome_.ndr = no_drop.best();
        RateSearch partial_drop(range, plan_.search.tolerance, no_drop.points());
        explore(partial_drop, plan_.search.tolerance);
        outcome_.pdr = partial_drop.best();
        outcome_.generator_bound = partial_drop.generator_bound();
        outcome_.stopped = wire_.stopping();
        return std::move(outcome_);
    }

  private:
    const Trial& run_trial(double rate) {
        outcome_.trials.push_back(generator_.run_trial(rate));
        told_(outcome_.trials.back());
        return outcome_.trials.back();
    }

    // Wrong frames end a search: there is no throughput of a balancer that forwards wrong.
    [[nodiscard]] bool is_over() const { return wire_.stopping() || outcome_.wrong() > 0; }

    void explore(RateSearch& search, double tolerance) {
        while (!is_over()) {
            const std::optional<double> rate = search.next();
            if (!rate) return;
            const Trial* trial = &run_trial(*rate);
            for (unsigned i = 0; i < plan_.search.retries && !is_over(); ++i) {
                if (trial->is_offered() && trial->counts.loss() <= tolerance) break;
                trial = &run_trial(*rate);
                ++outcome_.repeated;
            }
            if (is_over()) return;
            search.add({*rate, trial->counts.loss(), trial->is_offered()});
        }
    }

    const Plan& plan_;
    Generator& generator_;
    Wire& wire_;
    const std::function<void(const Trial&)>& told_;
    Outcome outcome_;
};

}  // namespace

std::uint64_t Outcome::wrong() const {
    std::uint64_t sum = 0;
    for (const Trial& trial : trials) sum += trial.counts.wrong();
    return sum;
}

bool Outcome::passed(Mode mode) const {
    if (stopped || wrong() > 0) return false;
    if (mode == Mode::Search) return ndr.has_value();
    return !trials.empty() && trials.back().counts.lost() == 0;
}

Result<Outcome> run_campaign(const Plan& plan, Mode mode, Wire& wire,
                             std::span<const net::MacAddress> port_macs,
                             const std::function<void(const Trial&)>& told) {
    Generator generator(plan, wire, port_macs);
    if (Status status = generator.resolve(); !status) return status.error();
    if (Status status = generator.warm_up(); !status) return status.error();
    Campaign campaign(plan, generator, wire, told);
    return mode == Mode::Run ? campaign.run() : campaign.search();
}

}  // namespace pollux::pktgen
