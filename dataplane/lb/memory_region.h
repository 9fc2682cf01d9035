// SPDX-License-Identifier: Apache-2.0
#pragma once

// MemoryRegion: one versioned, position-independent piece of memory for the tables (decision D5):
// a header, a directory of named sections, the sections. Everything inside is a position, never a
// pointer, so that the region may lie in a named hugepage file and be mapped anywhere. Created and
// destroyed by the control thread; zero-filled.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "dataplane/net/result.h"

namespace pollux::lb {

// One line of `pollux show memory`.
struct MemoryAccount {
    std::string_view name;  // static text
    std::uint64_t bytes = 0;
    std::uint64_t capacity = 0;  // in elements
    std::uint64_t used = 0;
};

inline constexpr std::uint64_t kRegionMagic = 0x58554c4c4f503031;  // "10POLLUX" on the wire
inline constexpr std::uint32_t kRegionLayoutVersion = 2;
inline constexpr unsigned kMaxRegionSections = 32;
inline constexpr std::size_t kRegionSectionAlignment = 4096;

// 64 bytes: | name 32 | offset 8 | element size 8 | count 8 | zero 8 |
struct RegionSection {
    char name[32];
    std::uint64_t offset;  // from the start of the region, a multiple of kRegionSectionAlignment
    std::uint64_t element_size;
    std::uint64_t count;
    std::uint64_t zero;
};
static_assert(sizeof(RegionSection) == 64 && std::is_trivially_copyable_v<RegionSection>);

// The sections that a region shall have.
class RegionPlan {
  public:
    // `name`: unique, static text, at most 31 characters.
    template <typename T>
    void add(std::string_view name, std::uint64_t count) {
        static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= kRegionSectionAlignment);
        add(name, sizeof(T), count);
    }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return end_; }
    [[nodiscard]] std::span<const RegionSection> sections() const noexcept { return sections_; }

  private:
    void add(std::string_view name, std::uint64_t element_size, std::uint64_t count);

    std::vector<RegionSection> sections_;
    std::uint64_t end_ = kRegionSectionAlignment;  // the header's page
};

enum class PageKind : std::uint8_t {
    HugeTlb,          // reserved 2 MiB pages
    TransparentHuge,  // normal memory, of which the kernel backs at least nine tenths with 2 MiB
                      // pages
    Normal,
};
[[nodiscard]] std::string_view to_string(PageKind kind) noexcept;

struct RegionOptions {
    bool hugepages = true;  // try reserved pages, then transparent ones; false: normal pages
    std::string file;       // a name in a hugetlbfs (or other) file system; empty: anonymous
};

class MemoryRegion {
  public:
    // Errors: not enough memory, or the file cannot be made; with sizes and the remedy. A file that
    // exists is replaced. All pages are touched, so that no packet waits for a page fault.
    static Result<MemoryRegion> create(const RegionPlan& plan, const RegionOptions& options);
    // Maps a region that another process made. Errors: not a region, another layout version, a
    // directory that does not fit the file.
    static Result<MemoryRegion> open(const std::string& file);

    MemoryRegion(MemoryRegion&& other) noexcept;
    MemoryRegion& operator=(MemoryRegion&& other) noexcept;
    ~MemoryRegion();

    // Precondition: the plan had a section of this name and type.
    template <typename T>
    [[nodiscard]] std::span<T> section(std::string_view name) noexcept {
        const RegionSection& found = find(name, sizeof(T));
        return {reinterpret_cast<T*>(base_ + found.offset), found.count};
    }

    // As found in /proc/self/smaps once everything was touched, not as asked for.
    [[nodiscard]] PageKind page_kind() const noexcept { return page_kind_; }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }  // as mapped

  private:
    MemoryRegion(std::byte* base, std::uint64_t bytes, PageKind page_kind) noexcept
        : base_(base), bytes_(bytes), page_kind_(page_kind) {}
    const RegionSection& find(std::string_view name, std::size_t element_size) const noexcept;

    std::byte* base_ = nullptr;
    std::uint64_t bytes_ = 0;
    PageKind page_kind_ = PageKind::Normal;
};

}  // namespace pollux::lb
