// SPDX-License-Identifier: Apache-2.0
#pragma once

// Quiescence: the one reclamation scheme (decision D3). A participant (each worker, and the control
// core) promises at every quiescent point that it holds no pointer or index from before. Whoever
// unlinks something takes a token and frees the thing once the token has passed. Publication is a
// pointer that is read under this promise; DeferredFrees keeps what waits on the control thread.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "dataplane/lb/ids.h"

namespace pollux::lb {

// Position of a thread among the participants: workers 0..n-1 by their WorkerId, then the control
// core.
enum class Participant : std::uint16_t {};
constexpr Participant participant(WorkerId worker) noexcept {
    return Participant{static_cast<std::uint16_t>(worker)};
}
constexpr std::size_t index(Participant id) noexcept {
    return static_cast<std::size_t>(id);
}

inline constexpr unsigned kMaxWorkers = 64;
inline constexpr unsigned kMaxParticipants = kMaxWorkers + 1;

// A point in the order of unlinkings.
enum class QuiescenceToken : std::uint64_t {};

class Quiescence {
  public:
    // All participants start offline. 1 <= participants <= kMaxParticipants.
    explicit Quiescence(unsigned participants);

    Quiescence(const Quiescence&) = delete;
    Quiescence& operator=(const Quiescence&) = delete;

    // Called by the participant itself.

    // Once per burst: everything read before is forgotten. Two loads and at most one store to the
    // participant's own cache line. Precondition: online.
    void report(Participant self) noexcept;
    // Before a sleep: the participant holds nothing and reads nothing until `online`.
    void offline(Participant self) noexcept;
    void online(Participant self) noexcept;
    [[nodiscard]] bool is_online(Participant self) const noexcept;

    // Called by whoever reclaims.

    // After unlinking: what was unlinked before this call may be freed once the token has passed.
    [[nodiscard]] QuiescenceToken advance() noexcept;
    // True when every participant was quiescent or offline since the token was taken. Looks at the
    // participants' lines only when the last known answer does not suffice.
    [[nodiscard]] bool passed(QuiescenceToken token) noexcept;

    [[nodiscard]] unsigned participants() const noexcept { return participants_; }

  private:
    static constexpr std::uint64_t kOffline = ~std::uint64_t{0};
    struct alignas(64) Line {
        std::atomic<std::uint64_t> seen{kOffline};
    };

    const unsigned participants_;
    alignas(64) std::atomic<std::uint64_t> now_{1};     // the latest token
    alignas(64) std::atomic<std::uint64_t> passed_{0};  // every token up to this one has passed
    std::unique_ptr<Line[]> lines_;
};

inline void Quiescence::report(Participant self) noexcept {
    std::atomic<std::uint64_t>& seen = lines_[index(self)].seen;
    // Acquire: pairs with the increment in advance. The line is its participant's own.
    const std::uint64_t now = now_.load(std::memory_order_acquire);
    // Release: all uses before; pairs with passed. Unchanged means that the last report still
    // holds.
    if (seen.load(std::memory_order_relaxed) != now) seen.store(now, std::memory_order_release);
}

// Keeps a participant online for a scope; for the control core's reads.
class OnlineScope {
  public:
    OnlineScope(Quiescence& quiescence, Participant self) noexcept;
    ~OnlineScope();
    OnlineScope(const OnlineScope&) = delete;
    OnlineScope& operator=(const OnlineScope&) = delete;

  private:
    Quiescence& quiescence_;
    Participant self_;
    bool was_online_;
};

// One atomic pointer to an immutable T. The control thread exchanges it; workers read it once per
// burst and use the answer until their next quiescent point.
template <typename T>
class Publication {
  public:
    // Any participant that is online.
    [[nodiscard]] const T* read() const noexcept {
        return current_.load(std::memory_order_acquire);  // pairs with the exchange in publish
    }

    // Control thread. The former value must be freed only after a token taken after this call has
    // passed: hand it to DeferredFrees.
    [[nodiscard]] std::unique_ptr<const T> publish(std::unique_ptr<const T> next) noexcept {
        // Release: the contents of *next are visible to whoever reads the pointer.
        return std::unique_ptr<const T>(
            current_.exchange(next.release(), std::memory_order_acq_rel));
    }

    Publication() = default;
    // Precondition: no participant reads any more.
    ~Publication() { delete current_.load(std::memory_order_relaxed); }
    Publication(const Publication&) = delete;
    Publication& operator=(const Publication&) = delete;

  private:
    std::atomic<const T*> current_{nullptr};
};

// What waits for its token, in order. Owned and called by one thread, the control thread.
class DeferredFrees {
  public:
    explicit DeferredFrees(Quiescence& quiescence) : quiescence_(quiescence) {}

    // Precondition: nobody can newly find what `free` frees.
    void defer(std::function<void()> free);
    template <typename T>
    void defer_delete(std::unique_ptr<T> object) {
        if (object != nullptr) {
            defer([shared = std::shared_ptr<T>(std::move(object))]() mutable { shared.reset(); });
        }
    }

    // Runs what may run now; returns how many still wait. Never blocks.
    std::size_t collect();

  private:
    struct Waiting {
        QuiescenceToken token;
        std::function<void()> free;
    };
    Quiescence& quiescence_;
    std::deque<Waiting> waiting_;
};

}  // namespace pollux::lb
