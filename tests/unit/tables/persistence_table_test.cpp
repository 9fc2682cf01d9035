// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/persistence_table.h"

#include <set>

#include <gtest/gtest.h>

#include "tests/support/table_fixture.h"

namespace pollux::lb {
namespace {

using namespace std::chrono_literals;
using test::at_second;
using test::be;
using test::ip;
using test::make_region;
using test::participant_at;
using Status = TemplateInsertResult::Status;

constexpr Participant kWorker{0};
constexpr Tick kNow = at_second(1000);

class Templates {
  public:
    explicit Templates(std::uint32_t max_templates = 100)
        : limits_{max_templates, 2, {1, 2, 3, 4}},
          region_(make_region(plan_of(limits_))),
          table(limits_, region_, quiescence) {
        quiescence.online(participant_at(0));
        quiescence.online(participant_at(1));
    }
    TemplateInsertResult insert(const FlowKey& key, unsigned server, Ticks timeout, Tick now) {
        NewTemplate what;
        what.key = key;
        what.service = ServiceId{3};
        what.server = RealServerId{server};
        what.server_port = be(80);
        what.timeout = timeout;
        return table.insert(kWorker, what, now);
    }

    Quiescence quiescence{2};

  private:
    static RegionPlan plan_of(const PersistenceTableLimits& limits) {
        RegionPlan plan;
        PersistenceTable::plan(plan, limits);
        return plan;
    }
    PersistenceTableLimits limits_;
    MemoryRegion region_;

  public:
    PersistenceTable table;
};

FlowKey client(const std::string& address) {
    return template_key(ip(address), 32, ip("203.0.113.1"), be(80), Protocol::Tcp);
}

TEST(TemplateKey, MasksTheClientByTheGranularity) {
    EXPECT_EQ(template_key(ip("198.51.100.77"), 24, ip("203.0.113.1"), be(80), Protocol::Tcp),
              template_key(ip("198.51.100.0"), 32, ip("203.0.113.1"), be(80), Protocol::Tcp));
    EXPECT_EQ(template_key(ip("2001:db8::77"), 64, ip("2001:db8:1::1"), be(0), Protocol::Tcp),
              template_key(ip("2001:db8::"), 128, ip("2001:db8:1::1"), be(0), Protocol::Tcp));
}

// LVS shows a fwmark template with protocol IP and the mark as an address.
TEST(TemplateKey, OfAFirewallMarkIsAnAddress) {
    const FlowKey v4 = template_key(ip("198.51.100.7"), 32, 1);
    EXPECT_EQ(v4.destination(), ip("0.0.0.1"));
    EXPECT_EQ(v4.protocol(), Protocol::None);
    EXPECT_EQ(v4.destination_port().host(), 0);
    EXPECT_EQ(template_key(ip("2001:db8::7"), 128, 258).destination(), ip("0:102::"));
}

TEST(PersistenceTable, FindsWhatWasInserted) {
    Templates templates;
    const auto inserted = templates.insert(client("198.51.100.7"), 4, 300s, kNow);
    ASSERT_EQ(inserted.status, Status::Inserted);
    const TemplateIndex found = templates.table.find(client("198.51.100.7"), kNow);
    EXPECT_EQ(found, inserted.index);
    EXPECT_EQ(templates.table.server(found), RealServerId{4});
    EXPECT_EQ(templates.table.find(client("198.51.100.8"), kNow), kNoTemplate);
}

TEST(PersistenceTable, InsertOfAKnownKeyGivesTheKnownTemplate) {
    Templates templates;
    const auto first = templates.insert(client("198.51.100.7"), 4, 300s, kNow);
    const auto second = templates.insert(client("198.51.100.7"), 5, 300s, kNow);
    EXPECT_EQ(second.status, Status::Exists);
    EXPECT_EQ(second.index, first.index);
}

TEST(PersistenceTable, AnUnusedTemplateExpires) {
    Templates templates;
    templates.insert(client("198.51.100.7"), 4, 300s, kNow);
    EXPECT_NE(templates.table.find(client("198.51.100.7"), at_second(1299)), kNoTemplate);
    EXPECT_EQ(templates.table.find(client("198.51.100.7"), at_second(1300)), kNoTemplate);
    EXPECT_EQ(templates.table.sweep(kWorker, at_second(1299), 1000), 0U);
    EXPECT_EQ(templates.table.sweep(kWorker, at_second(1300), 1000), 1U);
    EXPECT_EQ(templates.table.size(), 0U);
}

TEST(PersistenceTable, EachNewConnectionRestartsTheTimeout) {
    Templates templates;
    const auto inserted = templates.insert(client("198.51.100.7"), 4, 300s, kNow);
    ASSERT_TRUE(templates.table.acquire(inserted.index, at_second(1200)));
    templates.table.release(inserted.index, at_second(1201));
    EXPECT_EQ(templates.table.view(inserted.index, at_second(1201)).expires_in, Ticks(299s));
    EXPECT_EQ(templates.table.find(client("198.51.100.7"), at_second(1499)), inserted.index);
    EXPECT_EQ(templates.table.find(client("198.51.100.7"), at_second(1500)), kNoTemplate);
}

// reference: a template that expires while connections hang on it is re-armed with 60 s.
TEST(PersistenceTable, ConnectionsHoldATemplateInStepsOfSixtySeconds) {
    for (const bool swept : {false, true}) {
        Templates templates;
        const auto inserted = templates.insert(client("198.51.100.7"), 4, 300s, kNow);
        ASSERT_TRUE(templates.table.acquire(inserted.index, kNow));
        if (swept) {
            for (unsigned second = 1000; second < 1430; ++second) {
                EXPECT_EQ(templates.table.sweep(kWorker, at_second(second), 1000), 0U);
            }
        }
        EXPECT_EQ(templates.table.find(client("198.51.100.7"), at_second(1430)), inserted.index);
        EXPECT_EQ(templates.table.view(inserted.index, at_second(1430)).expires_in, Ticks(50s));
        templates.table.release(inserted.index, at_second(1430));
        // Re-armed at 1300, 1360 and 1420: it ends at 1480.
        EXPECT_EQ(templates.table.find(client("198.51.100.7"), at_second(1479)), inserted.index);
        EXPECT_EQ(templates.table.find(client("198.51.100.7"), at_second(1480)), kNoTemplate);
    }
}

// LVS leaves cp->timeout at 60 s, so that later connections restart 60 s, not -p.
TEST(PersistenceTable, ARearmedTemplateKeepsSixtySeconds) {
    Templates templates;
    const auto inserted = templates.insert(client("198.51.100.7"), 4, 300s, kNow);
    ASSERT_TRUE(templates.table.acquire(inserted.index, kNow));
    ASSERT_TRUE(templates.table.acquire(inserted.index, at_second(1310)));
    EXPECT_EQ(templates.table.view(inserted.index, at_second(1310)).expires_in, Ticks(60s));
}

TEST(PersistenceTable, AnEndedTemplateCannotBeAcquired) {
    Templates templates;
    const auto inserted = templates.insert(client("198.51.100.7"), 4, 300s, kNow);
    EXPECT_FALSE(templates.table.acquire(inserted.index, at_second(1300)));
}

// reference: expire_quiescent_template=1 renames the old template and schedules again.
TEST(PersistenceTable, AnUnreachableTemplateMakesWayAndStaysForItsConnections) {
    Templates templates;
    const auto old = templates.insert(client("198.51.100.7"), 4, 300s, kNow);
    ASSERT_TRUE(templates.table.acquire(old.index, kNow));
    EXPECT_TRUE(templates.table.make_unreachable(kWorker, old.index));
    EXPECT_FALSE(templates.table.make_unreachable(kWorker, old.index));
    EXPECT_FALSE(templates.table.acquire(old.index, kNow));

    EXPECT_EQ(templates.table.find(client("198.51.100.7"), kNow), kNoTemplate);
    const auto next = templates.insert(client("198.51.100.7"), 5, 300s, kNow);
    EXPECT_EQ(next.status, Status::Inserted);
    EXPECT_EQ(templates.table.view(old.index, kNow).connections, 1U);
    EXPECT_TRUE(templates.table.view(old.index, kNow).unreachable);

    templates.table.release(old.index, at_second(1100));
    EXPECT_EQ(templates.table.sweep(kWorker, at_second(1299), 1000), 0U);
    EXPECT_EQ(templates.table.sweep(kWorker, at_second(1300), 1000), 2U);
}

TEST(PersistenceTable, VisitShowsEachTemplateAsItIs) {
    Templates templates;
    const auto inserted = templates.insert(client("198.51.100.7"), 4, 300s, kNow);
    templates.insert(client("198.51.100.8"), 5, 300s, kNow);
    templates.table.assure(inserted.index);
    std::vector<TemplateView> seen;
    std::uint32_t next = 0;
    do {
        next = templates.table.visit(next, 1, at_second(1100),
                                     [&](const TemplateView& view) { seen.push_back(view); });
    } while (next != 0);
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0].key, client("198.51.100.7"));
    EXPECT_EQ(seen[0].server, RealServerId{4});
    EXPECT_EQ(seen[0].service, ServiceId{3});
    EXPECT_EQ(seen[0].expires_in, Ticks(200s));
    EXPECT_TRUE(seen[0].assured);
    EXPECT_FALSE(seen[1].assured);
}

struct Removed {
    int count = 0;
    RealServerId server{};
    static void note(void* context, Participant, const TemplateView& last) noexcept {
        auto& self = *static_cast<Removed*>(context);
        ++self.count;
        self.server = last.server;
    }
};

TEST(PersistenceTable, TellsOfEachRemovedTemplateOnce) {
    Templates templates;
    Removed removed;
    templates.table.set_removal_hook({&removed, Removed::note});
    templates.insert(client("198.51.100.7"), 4, 300s, kNow);
    templates.table.sweep(kWorker, at_second(1300), 1000);
    templates.table.sweep(kWorker, at_second(1300), 1000);
    EXPECT_EQ(removed.count, 1);
    EXPECT_EQ(removed.server, RealServerId{4});
}

TEST(PersistenceTable, IsBoundedAndUsableAgainAfterASweep) {
    Templates templates(100);
    for (int round = 0; round < 5; ++round) {
        unsigned inserted = 0;
        for (unsigned i = 0; i < 100; ++i) {
            inserted +=
                templates.insert(client("198.51.100." + std::to_string(i)), 1, 60s, kNow).status ==
                Status::Inserted;
        }
        EXPECT_EQ(inserted, 100U);
        EXPECT_EQ(templates.table.sweep(kWorker, at_second(1060), 1000), 100U);
        for (int i = 0; i < 4; ++i) {
            templates.quiescence.report(participant_at(0));
            templates.quiescence.report(participant_at(1));
            templates.table.recycle(kWorker);
        }
    }
    unsigned inserted = 0;
    for (unsigned i = 0; i < 2000; ++i) {
        const std::string address =
            "10." + std::to_string(i / 250) + ".0." + std::to_string(i % 250);
        inserted += templates.insert(client(address), 1, 60s, kNow).status == Status::Inserted;
    }
    EXPECT_GE(inserted, 100U);
    EXPECT_LT(inserted, 600U);
}

}  // namespace
}  // namespace pollux::lb
