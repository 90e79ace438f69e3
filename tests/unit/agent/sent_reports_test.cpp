// Reports that were sent, and a control plane that was put back from a copy.
#include "agent/spool.hpp"
#include "machine.hpp"

#include <gmock/gmock.h>

namespace xentz::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct sent_reports : testing::Test {
    machine m;
    spool reports{m.env};
    std::unique_ptr<http::client> client = m.env.make_client({});
    control_plane server{*client, "https://cp.example.com"};

    sent_reports()
    {
        m.enrol();
        epoch("first");
    }

    void epoch(const std::string& id) { m.server.clock_headers = {{"Xentz-Epoch", id}}; }
    void add(const std::string& id)
    {
        wire::report_message r;
        r.device_id = "dev_1";
        r.report_id = id;
        r.started_at = m.clock.now() - 1min;
        r.finished_at = m.clock.now();
        ASSERT_TRUE(reports.add(r));
        m.clock.advance(1min);
    }
    // What a run does: it asks for the config, which tells the epoch, then sends.
    spool::delivery run(std::size_t most = most_sent_per_run)
    {
        static_cast<void>(server.config("xdk_1", std::nullopt, {}));
        return reports.send(server, "xdk_1", most, {});
    }
    std::vector<std::string> received()
    {
        std::vector<std::string> ids;
        for (const auto& r : std::exchange(m.server.reports, {})) ids.push_back(*r.report_id);
        return ids;
    }
    std::size_t kept() { return m.names_in(m.env.home.sent()).size(); }
};

TEST_F(sent_reports, are_kept_and_wait_no_more)
{
    add("r0");
    EXPECT_EQ(run().sent, 1U);
    EXPECT_EQ(reports.pending(), 0U);
    EXPECT_FALSE(reports.holds("r0"));
    EXPECT_EQ(kept(), 1U);
    EXPECT_EQ(run().sent, 0U);
}

TEST_F(sent_reports, are_sent_again_once_when_the_epoch_is_another_one)
{
    for (const auto* id : {"r0", "r1", "r2"}) add(id);
    EXPECT_EQ(run().sent, 3U);
    received();
    epoch("epoch_1");
    add("r3");
    EXPECT_EQ(run().sent, 4U);
    EXPECT_THAT(received(), ElementsAre("r0", "r1", "r2", "r3"));
    EXPECT_EQ(run().sent, 0U);
    EXPECT_EQ(kept(), 4U);
    epoch("epoch_2");
    EXPECT_EQ(run().sent, 4U);
}

TEST_F(sent_reports, go_in_several_runs_where_there_are_many)
{
    for (int i = 0; i < 30; ++i) add("r" + std::to_string(i));
    run(30);
    epoch("epoch_1");
    EXPECT_EQ(run(20).sent, 20U);
    EXPECT_EQ(run(20).sent, 10U);
    EXPECT_EQ(run(20).sent, 0U);
}

TEST_F(sent_reports, an_agent_that_knew_no_epoch_only_remembers_one)
{
    m.server.clock_headers = {};
    add("r0");
    run();
    received();
    EXPECT_FALSE(m.exists(m.env.home.epoch()));
    epoch("first");
    EXPECT_EQ(run().sent, 0U);
    EXPECT_TRUE(m.exists(m.env.home.epoch()));
    epoch("epoch_1");
    EXPECT_EQ(run().sent, 1U);
}

TEST_F(sent_reports, stay_where_a_server_says_nothing_of_an_epoch_or_refuses)
{
    add("r0");
    run();
    m.server.clock_headers = {};
    EXPECT_EQ(run().sent, 0U);
    epoch("epoch_1");
    m.server.how = plane::refuses;
    run();
    EXPECT_EQ(kept(), 1U);
    m.server.how = plane::up;
    epoch(std::string(65, 'x'));
    EXPECT_EQ(run().sent, 0U);
}

// They are back in the spool, durably, before the epoch is written down: whenever the power goes, the next run goes on.
TEST_F(sent_reports, are_sent_again_although_the_power_went_in_between)
{
    for (std::uint64_t n = 1; n < 80; ++n) {
        add("r" + std::to_string(n));
        run(100);
        received();
        epoch("epoch_" + std::to_string(n));
        static_cast<void>(server.config("xdk_1", std::nullopt, {}));
        m.memory.power_off_at(n);
        static_cast<void>(reports.send(server, "xdk_1", 100, {}));
        m.memory.restart(n % 2 == 0 ? fakes::survivors::nothing : fakes::survivors::everything);
        run(100);
        auto all = received();
        std::ranges::sort(all);
        all.erase(std::unique(all.begin(), all.end()), all.end());
        EXPECT_EQ(all.size(), n) << "power off at call " << n;
        EXPECT_EQ(reports.pending(), 0U);
    }
}

TEST_F(sent_reports, go_after_seven_days_and_that_is_no_loss)
{
    add("r0");
    m.clock.advance(1h);
    add("r1");
    run();
    m.clock.time += 7 * 24h - 30min;
    EXPECT_EQ(reports.clean_up(false), 0U);
    EXPECT_EQ(kept(), 2U) << "a clock that may be wrong removes nothing";
    EXPECT_EQ(reports.clean_up(true), 0U);
    EXPECT_EQ(kept(), 1U);
    EXPECT_FALSE(m.log.warned("removed unsent"));
}

TEST_F(sent_reports, take_ten_megabytes_at_most)
{
    const std::string large(1'000'000, ' ');
    for (int i = 10; i < 25; ++i)
        m.write(m.env.home.sent() / ("20261123T1830" + std::to_string(i) + ".000000Z-backup-success.json"), large);
    EXPECT_EQ(reports.clean_up(true), 0U);
    EXPECT_EQ(kept(), 10U);
    EXPECT_EQ(m.names_in(m.env.home.sent()).front(), "20261123T183015.000000Z-backup-success.json");
}

} // namespace
} // namespace xentz::agent
