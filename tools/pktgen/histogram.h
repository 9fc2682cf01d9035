// SPDX-License-Identifier: Apache-2.0
#pragma once

// Histogram of latencies in nanoseconds as HdrHistogram lays it out: buckets of equal width inside
// each power of two, so that every value is known to better than 1/64. Fixed size. One thread.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pollux::pktgen {

class Histogram {
  public:
    static constexpr unsigned kPrecisionBits = 6;  // 64 buckets in a power of two
    static constexpr std::uint64_t kLargest = (std::uint64_t{1} << 33U) - 1;  // 8.6 s

    // Values beyond kLargest count as kLargest.
    void record(std::uint64_t nanoseconds) noexcept {
        const std::uint64_t value = std::min(nanoseconds, kLargest);
        ++counts_[bucket_of(value)];
        ++count_;
        sum_ += value;
        least_ = std::min(least_, value);
        most_ = std::max(most_, value);
    }

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] std::uint64_t minimum() const noexcept { return count_ == 0 ? 0 : least_; }
    [[nodiscard]] std::uint64_t maximum() const noexcept { return most_; }
    [[nodiscard]] double mean() const noexcept {
        return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
    }

    // The smallest value that `share` (0..1) of the values do not exceed: the upper end of its
    // bucket, at most the maximum. 0 without values.
    [[nodiscard]] std::uint64_t percentile(double share) const noexcept {
        if (count_ == 0) return 0;
        const double rank = std::clamp(share, 0.0, 1.0) * static_cast<double>(count_);
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen += counts_[i];
            if (seen > 0 && static_cast<double>(seen) >= rank) {
                return std::clamp(upper_end(i), least_, most_);
            }
        }
        return most_;
    }

    struct Bucket {
        std::uint64_t upper_end = 0;  // the largest value that it counts
        std::uint64_t count = 0;
    };
    // Those that are not empty, rising.
    [[nodiscard]] std::vector<Bucket> buckets() const {
        std::vector<Bucket> result;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            if (counts_[i] != 0) result.push_back({upper_end(i), counts_[i]});
        }
        return result;
    }

  private:
    static constexpr std::uint64_t kInPower = std::uint64_t{1} << kPrecisionBits;
    // Values below 2^7 have buckets of their own; each further power of two has 64.
    static constexpr std::size_t kBuckets = (33 - kPrecisionBits + 1) * kInPower;

    static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
        if (value < 2 * kInPower) return value;
        const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kPrecisionBits - 1;
        return kInPower * shift + (value >> shift);
    }
    static constexpr std::uint64_t upper_end(std::size_t bucket) noexcept {
        if (bucket < 2 * kInPower) return bucket;
        const std::uint64_t shift = bucket / kInPower - 1;
        return ((kInPower + bucket % kInPower + 1) << shift) - 1;
    }

    std::array<std::uint64_t, kBuckets> counts_{};
    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;
    std::uint64_t least_ = ~std::uint64_t{0};
    std::uint64_t most_ = 0;
};

}  // namespace pollux::pktgen
