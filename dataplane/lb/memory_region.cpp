// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/memory_region.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/lb/huge_page_bytes.h"

namespace pollux::lb {
namespace {

constexpr std::uint64_t kHugePage = 2U << 20U;

// The first page of a region.
//
//   | magic 8 | version 4 | sections 4 | bytes 8 | zero 40 | sections, 64 each |
struct RegionHeader {
    std::uint64_t magic;
    std::uint32_t version;
    std::uint32_t section_count;
    std::uint64_t bytes;  // as planned, without the rounding to pages
    std::uint64_t zero[5];
    RegionSection sections[kMaxRegionSections];
};
static_assert(sizeof(RegionHeader) <= kRegionSectionAlignment);
static_assert(std::is_trivially_copyable_v<RegionHeader>);

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) noexcept {
    return (value + unit - 1) / unit * unit;
}

std::string_view section_name(const RegionSection& section) noexcept {
    return {section.name, ::strnlen(section.name, sizeof section.name)};
}

struct Mapping {
    std::byte* base = nullptr;
    std::uint64_t bytes = 0;
    PageKind page_kind = PageKind::Normal;
};

std::byte* map_anonymous(std::uint64_t bytes, int flags) noexcept {
    void* base =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    return base == MAP_FAILED ? nullptr : static_cast<std::byte*>(base);
}

// Normal memory at a huge page's boundary, so that the kernel can back all of it with huge pages.
std::byte* map_aligned(std::uint64_t bytes) noexcept {
    std::byte* base = map_anonymous(bytes + kHugePage, MAP_NORESERVE);
    if (base == nullptr) return nullptr;
    const auto address = reinterpret_cast<std::uintptr_t>(base);
    const std::uint64_t before = round_up(address, kHugePage) - address;
    if (before != 0) ::munmap(base, before);
    if (before != kHugePage) ::munmap(base + before + bytes, kHugePage - before);
    return base + before;
}

// Touches every page, so that no packet waits for a page fault; false when memory runs out.
bool populate(const Mapping& mapping) noexcept {
    if (::madvise(mapping.base, mapping.bytes, MADV_POPULATE_WRITE) == 0) return true;
    if (errno != EINVAL) return false;
    // Linux before 5.14.
    for (std::uint64_t at = 0; at < mapping.bytes; at += kRegionSectionAlignment) {
        *static_cast<volatile std::byte*>(mapping.base + at) = std::byte{0};
    }
    return true;
}

Error out_of_memory(std::uint64_t bytes) {
    return {"cannot get " + std::to_string((bytes >> 20U) + 1) +
                " MiB for the tables: " + std::strerror(errno),
            "lower conntrack.max_connections, or give the machine (or the cgroup) more memory"};
}

Result<Mapping> map_memory(std::uint64_t bytes, bool hugepages) {
    Mapping mapping;
    if (hugepages) {
        mapping.bytes = round_up(bytes, kHugePage);
        mapping.base = map_anonymous(mapping.bytes, MAP_HUGETLB | MAP_POPULATE);
        if (mapping.base != nullptr) {
            mapping.page_kind = PageKind::HugeTlb;
            return mapping;
        }
        mapping.base = map_aligned(mapping.bytes);
        // A wish: what the kernel makes of it is seen when the pages are there.
        if (mapping.base != nullptr) ::madvise(mapping.base, mapping.bytes, MADV_HUGEPAGE);
    } else {
        mapping.bytes = round_up(bytes, kRegionSectionAlignment);
        mapping.base = map_anonymous(mapping.bytes, 0);
    }
    if (mapping.base == nullptr) return out_of_memory(bytes);
    if (!populate(mapping)) {
        Error error = out_of_memory(bytes);
        ::munmap(mapping.base, mapping.bytes);
        return error;
    }
    const std::uint64_t huge = huge_page_bytes(mapping.base, mapping.bytes);
    if (huge >= mapping.bytes / 10 * 9) mapping.page_kind = PageKind::TransparentHuge;
    return mapping;
}

Error file_error(const std::string& file, std::string_view what) {
    return {"cannot " + std::string(what) + " " + file + ": " + std::strerror(errno),
            "the directory must exist and be writable, and its file system must have room"};
}

// Maps an open file of `bytes`; closes it in any case (the mapping keeps it alive).
Result<Mapping> map_file(int descriptor, const std::string& file, std::uint64_t bytes) {
    struct stat status {};
    Mapping mapping;
    mapping.bytes = bytes;
    const bool known = ::fstat(descriptor, &status) == 0;
    void* base = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    Error error = file_error(file, "map");
    ::close(descriptor);
    if (base == MAP_FAILED) return error;
    mapping.base = static_cast<std::byte*>(base);
    const bool huge = known && static_cast<std::uint64_t>(status.st_blksize) >= kHugePage;
    mapping.page_kind = huge ? PageKind::HugeTlb : PageKind::Normal;
    return mapping;
}

Result<Mapping> create_file(const std::string& file, std::uint64_t bytes) {
    ::unlink(file.c_str());  // absent is fine; any other trouble shows in open
    const int descriptor =
        ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0) return file_error(file, "create");
    const std::uint64_t whole = round_up(bytes, kHugePage);
    if (::ftruncate(descriptor, static_cast<off_t>(whole)) != 0) {
        Error error = file_error(file, "size");
        ::close(descriptor);
        return error;
    }
    Result<Mapping> mapping = map_file(descriptor, file, whole);
    if (mapping.ok() && !populate(*mapping)) {
        Error error = file_error(file, "fill");
        ::munmap(mapping->base, mapping->bytes);
        return error;
    }
    return mapping;
}

// The directory as written by a process that may have been of another version, or died.
bool is_sound(const RegionHeader& header, std::uint64_t mapped) noexcept {
    if (header.bytes > mapped || header.section_count > kMaxRegionSections) return false;
    for (const RegionSection& section : std::span(header.sections, header.section_count)) {
        if (section.offset < kRegionSectionAlignment || section.offset > header.bytes ||
            section.offset % kRegionSectionAlignment != 0 || section.element_size == 0 ||
            section.count > (header.bytes - section.offset) / section.element_size) {
            return false;
        }
    }
    return true;
}

}  // namespace

void RegionPlan::add(std::string_view name, std::uint64_t element_size, std::uint64_t count) {
    assert(sections_.size() < kMaxRegionSections && name.size() < sizeof(RegionSection::name));
    RegionSection section{};
    std::copy(name.begin(), name.end(), section.name);
    section.offset = end_;
    section.element_size = element_size;
    section.count = count;
    sections_.push_back(section);
    end_ += round_up(element_size * count, kRegionSectionAlignment);
}

std::string_view to_string(PageKind kind) noexcept {
    switch (kind) {
        case PageKind::HugeTlb:
            return "2 MiB pages";
        case PageKind::TransparentHuge:
            return "transparent huge pages";
        case PageKind::Normal:
            break;
    }
    return "normal pages";
}

Result<MemoryRegion> MemoryRegion::create(const RegionPlan& plan, const RegionOptions& options) {
    Result<Mapping> mapping = options.file.empty() ? map_memory(plan.bytes(), options.hugepages)
                                                   : create_file(options.file, plan.bytes());
    if (!mapping.ok()) return mapping.error();
    auto* header = reinterpret_cast<RegionHeader*>(mapping->base);
    std::copy(plan.sections().begin(), plan.sections().end(), header->sections);
    header->section_count = static_cast<std::uint32_t>(plan.sections().size());
    header->bytes = plan.bytes();
    header->version = kRegionLayoutVersion;
    header->magic = kRegionMagic;
    return MemoryRegion(mapping->base, mapping->bytes, mapping->page_kind);
}

Result<MemoryRegion> MemoryRegion::open(const std::string& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0) return file_error(file, "open");
    struct stat status {};
    if (::fstat(descriptor, &status) != 0 ||
        static_cast<std::uint64_t>(status.st_size) < kRegionSectionAlignment) {
        ::close(descriptor);
        return Error{file + " is not a table region of Pollux", ""};
    }
    Result<Mapping> mapping =
        map_file(descriptor, file, static_cast<std::uint64_t>(status.st_size));
    if (!mapping.ok()) return mapping.error();
    MemoryRegion region(mapping->base, mapping->bytes, mapping->page_kind);
    const auto* header = reinterpret_cast<const RegionHeader*>(mapping->base);
    if (header->magic != kRegionMagic || !is_sound(*header, mapping->bytes)) {
        return Error{file + " is not a table region of Pollux", ""};
    }
    if (header->version != kRegionLayoutVersion) {
        return Error{file + " has table layout " + std::to_string(header->version) +
                         ", this version needs " + std::to_string(kRegionLayoutVersion),
                     "start without the old tables"};
    }
    return region;
}

MemoryRegion::MemoryRegion(MemoryRegion&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      bytes_(other.bytes_),
      page_kind_(other.page_kind_) {}

MemoryRegion& MemoryRegion::operator=(MemoryRegion&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(bytes_, other.bytes_);
    std::swap(page_kind_, other.page_kind_);
    return *this;
}

MemoryRegion::~MemoryRegion() {
    if (base_ != nullptr) ::munmap(base_, bytes_);
}

const RegionSection& MemoryRegion::find(std::string_view name,
                                        std::size_t element_size) const noexcept {
    const auto* header = reinterpret_cast<const RegionHeader*>(base_);
    const std::span sections(header->sections, header->section_count);
    const auto found = std::find_if(sections.begin(), sections.end(), [&](const auto& section) {
        return section_name(section) == name && section.element_size == element_size;
    });
    assert(found != sections.end() && "the plan had no such section");
    return *found;
}

}  // namespace pollux::lb
