// SPDX-License-Identifier: Apache-2.0
// Services read in pages: DataPlane::service_page.

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/lb/data_plane.h"

namespace pollux::lb {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow{1h};
constexpr unsigned kSizes[] = {0, 3, 1, 12, 2, 0, 5};

ServiceSpec service(unsigned number, unsigned servers) {
    const auto address = [](unsigned host) {
        return net::IpAddress::from_v4(net::Ipv4Address{net::Be32::from_host(0x0a000000U | host)});
    };
    ServiceSpec spec;
    spec.address = address(number);
    spec.port = 80;
    for (unsigned i = 1; i <= servers; ++i) {
        RealServerSpec server;
        server.address = address(number << 8U | i);
        server.port = 80;
        spec.servers.push_back(server);
    }
    return spec;
}

class ServicePages : public ::testing::Test {
  protected:
    ServicePages() {
        DataPlaneLimits limits;
        limits.max_connections = 1024;
        limits.max_templates = 1024;
        limits.max_services = 64;
        limits.max_servers = 256;
        limits.hugepages = false;
        plane_ = std::move(DataPlane::create(limits)).value();
        for (const unsigned size : kSizes) {
            spec_.services.push_back(
                service(static_cast<unsigned>(spec_.services.size()) + 1, size));
        }
        apply();
    }

    void apply() { ASSERT_TRUE(plane_->apply(spec_, kNow)); }

    // "10.0.0.1: 10.0.1.1 10.0.1.2", pieces joined.
    static void add(const std::vector<ServiceView>& views, std::vector<std::string>& lines) {
        for (const ServiceView& view : views) {
            const std::string name = view.spec.address.to_string() + ":";
            if (view.continued) {
                ASSERT_TRUE(!lines.empty() && lines.back().starts_with(name)) << name;
            } else {
                lines.push_back(name);
            }
            for (const ServerView& row : view.servers) {
                lines.back() += " " + row.address.to_string();
            }
        }
    }

    std::unique_ptr<DataPlane> plane_;
    DataPlaneSpec spec_;
};

TEST_F(ServicePages, TogetherAreAllServicesWhateverTheBudget) {
    std::vector<std::string> all;
    add(plane_->services(kNow), all);
    ASSERT_EQ(all.size(), std::size(kSizes));
    ASSERT_EQ(all[1], "10.0.0.2: 10.0.2.1 10.0.2.2 10.0.2.3");
    for (std::uint32_t budget = 1; budget < 40; ++budget) {
        std::vector<std::string> lines;
        std::uint64_t cursor = 0;
        do {
            const ServicePage page = plane_->service_page(cursor, budget);
            ASSERT_FALSE(page.services.empty());
            ASSERT_TRUE(page.next == 0 || page.next > cursor);
            std::size_t cost = 0;
            for (const ServiceView& view : page.services) cost += view.servers.size() + 1;
            ASSERT_LE(cost, page.services.size() == 1 ? budget + 1 : budget);
            add(page.services, lines);
            cursor = page.next;
        } while (cursor != 0);
        EXPECT_EQ(lines, all) << "budget " << budget;
    }
}

TEST_F(ServicePages, AServiceIsCutOnlyWhenItAloneIsLargerThanAPage) {
    for (std::uint64_t cursor = 0;;) {
        const ServicePage page = plane_->service_page(cursor, 8);
        for (const ServiceView& view : page.services) {
            EXPECT_TRUE(!view.continued || view.spec.address.to_string() == "10.0.0.4");
        }
        if (page.next == 0) break;
        cursor = page.next;
    }
}

// A service keeps its place in the order as long as it is there.
TEST_F(ServicePages, ServicesThatStayComeOnceWhateverIsPublishedInBetween) {
    const ServicePage first = plane_->service_page(0, 5);
    ASSERT_EQ(first.services.size(), 2U);
    spec_.services.erase(spec_.services.begin());
    spec_.services.insert(spec_.services.begin(), service(40, 2));
    apply();

    std::vector<std::string> lines;
    add(plane_->service_page(first.next, 1000).services, lines);

    ASSERT_EQ(lines.size(), 6U);
    EXPECT_EQ(lines[0], "10.0.0.3: 10.0.3.1");
    EXPECT_TRUE(lines[1].starts_with("10.0.0.4: 10.0.4.1 10.0.4.2 ")) << lines[1];
    EXPECT_EQ(lines[2], "10.0.0.5: 10.0.5.1 10.0.5.2");
    EXPECT_EQ(lines[3], "10.0.0.6:");
    EXPECT_TRUE(lines[4].starts_with("10.0.0.7: 10.0.7.1 ")) << lines[4];
    EXPECT_EQ(lines[5], "10.0.0.40: 10.0.40.1 10.0.40.2");
}

TEST_F(ServicePages, AServiceThatBecameShorterMeanwhileIsPassedOver) {
    ServicePage page = plane_->service_page(0, 5);
    page = plane_->service_page(page.next, 5);  // the third
    page = plane_->service_page(page.next, 5);  // servers 1 to 5 of the fourth
    ASSERT_EQ(page.services.at(0).servers.size(), 5U);
    spec_.services.at(3).servers.resize(2);
    apply();
    for (int i = 0; i < 3; ++i) {
        plane_->worker(0).quiescent();
        plane_->housekeep(kNow, 0);
    }

    page = plane_->service_page(page.next, 5);

    for (const ServiceView& view : page.services) {
        for (const ServerView& row : view.servers) {
            EXPECT_NE(view.spec.address.to_string(), "10.0.0.4") << row.address.to_string();
        }
    }
}

TEST_F(ServicePages, ACursorBehindTheEndGivesNothing) {
    const ServicePage page = plane_->service_page(std::uint64_t{1} << 52U, 5);
    EXPECT_TRUE(page.services.empty());
    EXPECT_EQ(page.next, 0U);
}

}  // namespace
}  // namespace pollux::lb
