// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/memory_region.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace pollux::lb {
namespace {

struct Small {
    std::uint64_t value;
};
struct Large {
    std::uint8_t bytes[64];
};

RegionPlan two_sections() {
    RegionPlan plan;
    plan.add<Small>("small", 1000);
    plan.add<Large>("large", 3);
    return plan;
}

class Folder {
  public:
    Folder() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "pollux-region-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] std::string file(const char* name) const { return (path_ / name).string(); }

  private:
    std::filesystem::path path_;
};

TEST(MemoryRegion, SectionsAreZeroAlignedAndApart) {
    for (const bool hugepages : {false, true}) {
        auto region = MemoryRegion::create(two_sections(), {hugepages, {}});
        ASSERT_TRUE(region.ok()) << region.error().message;
        const std::span<Small> small = region->section<Small>("small");
        const std::span<Large> large = region->section<Large>("large");
        ASSERT_EQ(small.size(), 1000U);
        ASSERT_EQ(large.size(), 3U);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(small.data()) % kRegionSectionAlignment, 0U);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(large.data()) % kRegionSectionAlignment, 0U);
        EXPECT_TRUE(std::all_of(small.begin(), small.end(), [](Small s) { return s.value == 0; }));
        for (Small& s : small) s.value = ~std::uint64_t{0};
        EXPECT_EQ(large[0].bytes[0], 0);
        EXPECT_GE(region->bytes(), two_sections().bytes());
        EXPECT_TRUE(hugepages || region->page_kind() == PageKind::Normal);
    }
}

// Decision D5: another process finds everything by name and position.
TEST(MemoryRegion, AFileRegionIsFoundAgain) {
    const Folder folder;
    {
        auto region = MemoryRegion::create(two_sections(), {true, folder.file("tables")});
        ASSERT_TRUE(region.ok()) << region.error().message;
        region->section<Small>("small")[999].value = 42;
        EXPECT_NE(region->page_kind(), PageKind::TransparentHuge);
    }
    auto again = MemoryRegion::open(folder.file("tables"));
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(again->section<Small>("small")[999].value, 42U);
    EXPECT_EQ(again->section<Large>("large").size(), 3U);
}

TEST(MemoryRegion, CreatingReplacesAnOldFile) {
    const Folder folder;
    for (int i = 0; i < 2; ++i) {
        auto region = MemoryRegion::create(two_sections(), {true, folder.file("tables")});
        ASSERT_TRUE(region.ok());
        EXPECT_EQ(region->section<Small>("small")[0].value, 0U);
        region->section<Small>("small")[0].value = 1;
    }
}

// Overwrites `size` bytes at `offset`.
void patch(const std::string& file, off_t offset, std::uint64_t value, std::size_t size) {
    const int descriptor = ::open(file.c_str(), O_WRONLY);
    ASSERT_GE(descriptor, 0);
    ASSERT_EQ(::pwrite(descriptor, &value, size, offset), static_cast<ssize_t>(size));
    ::close(descriptor);
}

TEST(MemoryRegion, RefusesAFileThatDoesNotFit) {
    struct Case {
        const char* name;
        off_t offset;
        std::uint64_t value;
        std::size_t size;
        const char* message;
    };
    // Offsets: see RegionHeader and RegionSection.
    const Case cases[] = {
        {"magic", 0, 1, 8, "is not a table region"},
        {"version", 8, 99, 4, "has table layout 99, this version needs 2"},
        {"section count", 12, 1000, 4, "is not a table region"},
        {"bytes beyond the file", 16, 1ULL << 40U, 8, "is not a table region"},
        {"section offset", 64 + 32, 1ULL << 40U, 8, "is not a table region"},
        {"section in the header", 64 + 32, 0, 8, "is not a table region"},
        {"element size 0", 64 + 40, 0, 8, "is not a table region"},
        {"element count", 64 + 48, 1ULL << 60U, 8, "is not a table region"},
    };
    const Folder folder;
    for (const Case& c : cases) {
        const std::string file = folder.file("tables");
        ASSERT_TRUE(MemoryRegion::create(two_sections(), {true, file}).ok());
        patch(file, c.offset, c.value, c.size);
        const auto region = MemoryRegion::open(file);
        ASSERT_FALSE(region.ok()) << c.name;
        EXPECT_NE(region.error().message.find(c.message), std::string::npos)
            << c.name << ": " << region.error().message;
    }
}

TEST(MemoryRegion, SaysWhyAFileCannotBeUsed) {
    const Folder folder;
    EXPECT_FALSE(MemoryRegion::open(folder.file("absent")).ok());
    const auto region =
        MemoryRegion::create(two_sections(), {true, folder.file("no/such/folder/tables")});
    ASSERT_FALSE(region.ok());
    EXPECT_NE(region.error().message.find("No such file or directory"), std::string::npos);
    EXPECT_FALSE(region.error().remedy.empty());
}

TEST(MemoryRegion, SaysHowMuchMemoryIsMissing) {
    RegionPlan plan;
    plan.add<Large>("large", std::uint64_t{1} << 50U);
    const auto region = MemoryRegion::create(plan, {});
    ASSERT_FALSE(region.ok());
    EXPECT_NE(region.error().message.find("68719476737 MiB"), std::string::npos)
        << region.error().message;
}

}  // namespace
}  // namespace pollux::lb
