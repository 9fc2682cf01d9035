// SPDX-License-Identifier: Apache-2.0

// Replays packets/*.json: the frames of the .pcap beside it go in one by one, what comes out is
// compared with the frames that the kernel sent.

#include <algorithm>
#include <utility>

#include "tools/golden/frame_compare.h"
#include "tools/golden/pcap_file.h"
#include "tools/golden/recording.h"
#include "tools/golden/setup.h"
#include "tools/golden/testbed.h"

namespace pollux::golden {

namespace {

// One injected frame with what the kernel and what Pollux made of it.
struct Exchange {
    std::size_t index = 0;
    Bytes input;
    std::vector<Emitted> expected;
    std::vector<Emitted> actual;
};

// A difference with the step where it showed.
class StepDifference : public Difference {
  public:
    StepDifference(std::size_t step, const std::string& what) : Difference(what), step_(step) {}
    [[nodiscard]] std::size_t step() const { return step_; }

  private:
    std::size_t step_;
};

// The recordings list all ipvsadm lines of a group but not when each ran. Lines up to the first one
// that takes something back are the set-up; the others ran at steps that have to be found.
std::size_t set_up_lines(const Json& lines) {
    const auto takes_back = [](const Json& line) {
        const std::string text = line;
        return text.starts_with("-d ") || text.starts_with("-D ") || text.starts_with("-e ") ||
               text.starts_with("-E ") || text.starts_with("-C");
    };
    return static_cast<std::size_t>(std::find_if(lines.begin(), lines.end(), takes_back) -
                                    lines.begin());
}

class Group {
  public:
    // `late`: before which step each line behind the set-up runs; the lines behind these do not.
    Group(const Json& recording, const std::vector<Bytes>& frames, std::vector<std::size_t> late)
        : recording_(recording),
          frames_(frames),
          late_(std::move(late)),
          bed_(options_of(recording)) {}

    Replayed replay() {
        const Json& lines = recording_.at("ipvsadm");
        std::size_t line = 0;
        while (line < set_up_lines(lines)) run_line(lines[line++]);
        const Json& steps = recording_.at("steps");
        for (std::size_t at = 0; at < steps.size(); ++at) {
            for (const std::size_t due : late_) {
                if (due == at) run_line(lines[line++]);
            }
            ++replayed_.steps;
            if (steps[at].contains("sysctl")) {
                set_sysctl(steps[at]);
                continue;
            }
            Exchange exchange = play(steps[at], at);
            if (!is_fragment(exchange.input)) {
                compare(exchange);
                continue;
            }
            datagram_.push_back(std::move(exchange));
            const bool goes_on = at + 1 < steps.size() && steps[at + 1].contains("case") &&
                                 steps[at + 1]["case"] == steps[at]["case"];
            if (!goes_on) compare_datagram();
        }
        if (next_ != frames_.size()) throw Difference("the capture has frames that no step names");
        return replayed_;
    }

  private:
    void run_line(const std::string& line) {
        const std::string mark = "   => rc ";
        const std::size_t refused = line.find(mark);
        const auto output = bed_.ipvsadm(control::ipvs::split_line(line.substr(0, refused)));
        std::string expected = "0: ";
        if (refused != std::string::npos) expected = line.substr(refused + mark.size());
        std::string actual = std::to_string(output.exit_status) + ": " + output.out + output.err;
        actual.erase(actual.find_last_not_of('\n') + 1);
        if (actual != expected) {
            throw Difference("set-up \"" + line + "\": expected exit status " + expected +
                             ", got " + actual);
        }
    }

    void set_sysctl(const Json& step) {
        const std::string name = step.at("sysctl");
        if (bed_.set_sysctl(name, step.at("value").get<long long>()) == SysctlResult::Unknown) {
            throw Difference("unknown sysctl " + name);
        }
    }

    const Bytes& next_frame() {
        if (next_ == frames_.size()) throw Difference("the capture ends before the steps");
        return frames_[next_++];
    }

    Exchange play(const Json& step, std::size_t index) {
        const std::string side = step.at("side");
        Exchange exchange;
        exchange.index = index;
        exchange.input = next_frame();
        if (step.at("out").is_array()) {
            for (const Json& out : step["out"]) {
                const Side to = out.at("to") == "client" ? Side::Client : Side::Server;
                exchange.expected.push_back({to, next_frame(), false});
            }
        }
        exchange.actual = bed_.put(side == "client" ? Side::Client : Side::Server, exchange.input);
        return exchange;
    }

    const Json& step(const Exchange& exchange) const {
        return recording_.at("steps")[exchange.index];
    }

    [[noreturn]] void fail(const Exchange& exchange, const std::string& what) const {
        throw StepDifference(exchange.index, "step " + std::to_string(exchange.index + 1) + " \"" +
                                                 step(exchange).at("case").get<std::string>() +
                                                 "\": " + what);
    }

    // The host's answers are not Pollux's work: their kind is enough.
    void compare(const Exchange& exchange) {
        const std::string expected = who(exchange.expected);
        const std::string actual = who(exchange.actual);
        if (expected == "none" && is_answer_without_forwarding(exchange)) {
            ++replayed_.deliberate;
            return;
        }
        if (expected != actual) fail(exchange, "expected " + expected + ", got " + actual);
        bool deliberate = false;
        for (std::size_t i = 0; i < exchange.expected.size(); ++i) {
            if (exchange.actual[i].by_host && exchange.actual[i].side == Side::Client &&
                expected.find("client:") == 0 && !is_routed(exchange)) {
                continue;
            }
            deliberate |=
                compare_frame(exchange, exchange.expected[i].frame, exchange.actual[i].frame);
        }
        if (deliberate) ++replayed_.deliberate;
    }

    // With ip_forward off the kernel does not pass on the answers of NAT servers. Pollux needs no
    // kernel for that.
    bool is_answer_without_forwarding(const Exchange& exchange) const {
        return !bed_.host_forwards() && is_routed(exchange) && exchange.actual.size() == 1 &&
               exchange.actual[0].side == Side::Client && !exchange.actual[0].by_host;
    }

    // A frame from a server that the host merely routes is compared whole.
    bool is_routed(const Exchange& exchange) const { return step(exchange).at("side") != "client"; }

    // True for a difference on purpose: a UDP checksum of 0 stays 0.
    bool compare_frame(const Exchange& exchange, const Bytes& expected, const Bytes& actual) const {
        const auto differs = difference(expected, actual, exchange.input);
        if (!differs) return false;
        if (has_zero_udp_checksum(exchange.input) && has_zero_udp_checksum(actual)) {
            const auto kept = without_udp_checksum(expected);
            if (kept && !difference(*kept, actual, exchange.input)) return true;
        }
        fail(exchange, *differs + "\nexpected " + hex(expected) + "\nbut got  " + hex(actual));
    }

    // The kernel reassembles and sends the fragments out together, Pollux passes each on when its
    // turn comes: the frames of a whole datagram are compared. Inside a tunnel the kernel's
    // fragments are those of the whole encapsulated datagram and Pollux's are not, so only the way
    // that they take is compared.
    void compare_datagram() {
        const std::vector<Exchange> datagram = std::move(datagram_);
        datagram_.clear();
        std::vector<Emitted> expected;
        std::vector<Emitted> actual;
        bool same_times = true;
        bool tunnel = false;
        for (const Exchange& exchange : datagram) {
            same_times &= exchange.expected.size() == exchange.actual.size();
            expected.insert(expected.end(), exchange.expected.begin(), exchange.expected.end());
            actual.insert(actual.end(), exchange.actual.begin(), exchange.actual.end());
        }
        for (const Emitted& one : actual) tunnel |= is_encapsulated(one.frame);
        for (const Emitted& one : expected) tunnel |= is_encapsulated(one.frame);
        const auto ways = [](const std::vector<Emitted>& all) {
            std::vector<std::string> names;
            names.reserve(all.size());
            for (const Emitted& one : all) names.push_back(who({one}));
            std::sort(names.begin(), names.end());
            names.erase(std::unique(names.begin(), names.end()), names.end());
            return names;
        };
        if (tunnel || (!expected.empty() && expected[0].side == Side::Client &&
                       !is_fragment(expected[0].frame))) {
            if (!tunnel && ways(expected) != ways(actual)) {
                fail(datagram.back(), "expected " + who(expected) + ", got " + who(actual));
            }
            if (tunnel && actual.empty()) fail(datagram.back(), "nothing came out");
            ++replayed_.deliberate;
            return;
        }
        if (expected.size() != actual.size()) {
            fail(datagram.back(), "expected " + who(expected) + ", got " + who(actual));
        }
        for (const Emitted& wanted : expected) match(datagram, wanted, actual);
        if (!same_times) ++replayed_.deliberate;
    }

    // Finds and takes out the frame that equals `wanted`.
    void match(const std::vector<Exchange>& datagram, const Emitted& wanted,
               std::vector<Emitted>& actual) const {
        const auto found =
            std::find_if(actual.begin(), actual.end(), [&datagram, &wanted](const Emitted& one) {
                return one.side == wanted.side &&
                       !difference(wanted.frame, one.frame, datagram.front().input);
            });
        if (found == actual.end()) {
            fail(datagram.back(), "no fragment equals\n" + hex(wanted.frame) + "\nfirst is\n" +
                                      hex(actual.front().frame));
        }
        actual.erase(found);
    }

    const Json& recording_;
    const std::vector<Bytes>& frames_;
    const std::vector<std::size_t> late_;
    std::size_t next_ = 0;
    Testbed bed_;
    std::vector<Exchange> datagram_;  // fragments so far
    Replayed replayed_;
};

}  // namespace

// Where a replay differs, the next late line may have run just before: then the group is replayed
// with it there.
Replayed replay_packets(const Json& recording, const std::string& pcap_path) {
    const std::vector<Bytes> frames = read_pcap(pcap_path);
    const Json& lines = recording.at("ipvsadm");
    const std::size_t late_lines = lines.size() - set_up_lines(lines);
    std::vector<std::size_t> late;
    for (;;) {
        try {
            return Group(recording, frames, late).replay();
        } catch (const StepDifference& difference) {
            const bool placed = !late.empty() && late.back() == difference.step();
            if (placed || late.size() == late_lines) throw;
            late.push_back(difference.step());
        }
    }
}

}  // namespace pollux::golden
