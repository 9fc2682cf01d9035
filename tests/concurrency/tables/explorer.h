// SPDX-License-Identifier: Apache-2.0
#pragma once

// Explorer: runs a few threads under every order of their steps that has at most so many
// preemptions (stateless model checking). A thread gives way only in Explorer::step, and only one
// runs at a time, so each order is repeatable. Most concurrency mistakes need two preemptions.

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace pollux::test {

class Explorer {
  public:
    explicit Explorer(unsigned max_preemptions) : max_preemptions_(max_preemptions) {}

    // Called by the code under test before each access to shared memory; does nothing in threads
    // that are not the explorer's.
    static void step() noexcept {
        if (active_ != nullptr) active_->yield();
    }

    // Per order: setup(), the bodies as threads, check(). Returns the number of orders.
    std::size_t explore(const std::function<void()>& setup,
                        const std::vector<std::function<void()>>& bodies,
                        const std::function<void()>& check) {
        std::size_t orders = 0;
        path_.clear();
        do {
            setup();
            run(bodies);
            check();
            ++orders;
        } while (next_path());
        return orders;
    }

  private:
    struct Choice {
        unsigned taken;
        unsigned alternatives;
    };

    void run(const std::vector<std::function<void()>>& bodies) {
        finished_.assign(bodies.size(), false);
        position_ = 0;
        preemptions_ = 0;
        current_ = bodies.size();
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < bodies.size(); ++i) {
            threads.emplace_back([this, i, &bodies] {
                active_ = this;
                self_ = i;
                wait_for_turn();
                bodies[i]();
                active_ = nullptr;
                finish();
            });
        }
        {
            const std::lock_guard lock(mutex_);
            current_ = choose(bodies.size());
        }
        turn_.notify_all();
        for (std::thread& thread : threads) thread.join();
    }

    void yield() {
        {
            const std::lock_guard lock(mutex_);
            current_ = choose(self_);
            if (current_ == self_) return;
        }
        turn_.notify_all();
        wait_for_turn();
    }
    void finish() {
        {
            const std::lock_guard lock(mutex_);
            finished_[self_] = true;
            current_ = choose(self_);
        }
        turn_.notify_all();
    }
    void wait_for_turn() {
        std::unique_lock lock(mutex_);
        turn_.wait(lock, [this] { return current_ == self_; });
    }

    // Who goes on after `running`: it itself first, then the others in order.
    std::size_t choose(std::size_t running) {
        std::vector<std::size_t> able;
        const bool goes_on = running < finished_.size() && !finished_[running];
        if (goes_on) able.push_back(running);
        for (std::size_t i = 0; i < finished_.size(); ++i) {
            if (i != running && !finished_[i]) able.push_back(i);
        }
        if (able.empty()) return finished_.size();
        if (position_ == path_.size()) {
            const bool free = !goes_on || preemptions_ < max_preemptions_;
            path_.push_back({0, free ? static_cast<unsigned>(able.size()) : 1U});
        }
        const unsigned taken = path_[position_++].taken;
        if (goes_on && taken != 0) ++preemptions_;
        return able[taken];
    }

    // Depth first: the last choice that has another alternative.
    bool next_path() {
        while (!path_.empty() && path_.back().taken + 1 == path_.back().alternatives) {
            path_.pop_back();
        }
        if (path_.empty()) return false;
        ++path_.back().taken;
        return true;
    }

    static inline thread_local Explorer* active_ = nullptr;
    static inline thread_local std::size_t self_ = 0;

    const unsigned max_preemptions_;
    std::vector<Choice> path_;
    std::size_t position_ = 0;
    unsigned preemptions_ = 0;
    std::mutex mutex_;
    std::condition_variable turn_;
    std::size_t current_ = 0;
    std::vector<bool> finished_;
};

}  // namespace pollux::test
