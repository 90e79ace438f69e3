// Reports: stored once, found newest first.
#include "fixture.hpp"

#include <latch>
#include <thread>

namespace xentz::store {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

class report_test : public fleet_store_test {
protected:
    static std::vector<std::string> keys(const std::vector<report>& reports)
    {
        std::vector<std::string> out;
        for (const auto& r : reports) out.push_back(r.dedup_key);
        return out;
    }
};

TEST_P(report_test, odd_and_extreme_values_come_back_as_they_were_stored)
{
    const auto id = enrolled_device("a").id;
    const std::string odd = "'\"\\;-- \u00e9 \u65e5\u672c \U0001F5C4\n" + std::string(100'000, 'z');
    auto full = make_report(id, std::string(512, 'k'));
    full.status = odd;
    full.started_at = base::time_point::max();
    full.finished_at = base::time_point::min();
    full.received_at = base::time_point{};
    full.duration_ms = std::numeric_limits<std::int64_t>::min();
    full.metrics = odd;
    full.error = full.outcome = full.fault = full.config_version = full.details = odd;
    full.agent_version = full.restic_version = full.engine = "";
    const auto plain = make_report(id, "plain");
    EXPECT_EQ(store.add_report(full), full.report_id);
    EXPECT_EQ(store.add_report(plain), plain.report_id);
    EXPECT_THAT(store.reports({}), ElementsAre(same_row(full), same_row(plain)));
}

TEST_P(report_test, one_that_comes_again_changes_nothing_and_gets_the_stored_id)
{
    const auto a = enrolled_device("a").id;
    const auto b = enrolled_device("b").id;
    const auto first = make_report(a, "run-1");
    auto again = first;
    again.report_id = "rep_other";
    again.status = "failure";
    EXPECT_EQ(store.add_report(first), "rep_run-1");
    EXPECT_EQ(store.add_report(again), "rep_run-1");
    EXPECT_THAT(store.reports({}), ElementsAre(same_row(first)));
    auto elsewhere = again;
    elsewhere.device_id = b;
    EXPECT_EQ(store.add_report(elsewhere), "rep_other") << "another device's report is another one";
    EXPECT_EQ(store.reports({}).size(), 2u);
}

TEST_P(report_test, one_that_comes_from_many_threads_is_stored_once)
{
    const auto id = enrolled_device("a").id;
    std::vector<std::string> ids(16);
    std::latch ready(16);
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < ids.size(); ++t) {
        threads.emplace_back([&, t] {
            auto r = make_report(id, "run-1");
            r.report_id = "rep_" + std::to_string(t);
            ready.arrive_and_wait();
            try {
                ids[t] = store.add_report(r);
            } catch (const std::exception& e) {
                ids[t] = e.what();
            }
        });
    }
    threads.clear();
    const auto stored = store.reports({});
    ASSERT_EQ(stored.size(), 1u);
    EXPECT_THAT(ids, testing::Each(stored.front().report_id));
}

TEST_P(report_test, of_an_unknown_device_is_refused)
{
    try {
        store.add_report(make_report({"dev_absent"}, "run-1"));
        FAIL();
    } catch (const sql::error& e) {
        EXPECT_EQ(e.code, sql::errc::foreign_key_violation);
    }
}

TEST_P(report_test, a_key_too_long_for_an_index_is_refused)
{
    const auto id = enrolled_device("a").id;
    EXPECT_THROW(store.add_report(make_report(id, std::string(513, 'k'))), sql::error);
    std::string widest;
    for (int i = 0; i < 512; ++i) widest += "\U0001F5C4";
    EXPECT_EQ(store.add_report(make_report(id, widest)), "rep_" + widest);
}

TEST_P(report_test, reports_are_listed_newest_start_first)
{
    const auto id = enrolled_device("a").id;
    store.add_report(make_report(id, "middle", "backup", day));
    store.add_report(make_report(id, "last", "backup", day + seconds{1}));
    store.add_report(make_report(id, "first", "backup", day - seconds{1}));
    auto later = make_report(id, "middle-sent-later", "check", day);
    later.received_at += seconds{60};
    store.add_report(later);
    EXPECT_THAT(keys(store.reports({})), ElementsAre("last", "middle-sent-later", "middle", "first"));
    EXPECT_THAT(keys(store.reports({.device = id, .job = {}})),
                ElementsAre("last", "middle-sent-later", "middle", "first"));
    EXPECT_THAT(keys(store.reports({.device = {}, .job = "backup"})), ElementsAre("last", "middle", "first"));
    EXPECT_THAT(keys(store.reports({.device = id, .job = "backup"})), ElementsAre("last", "middle", "first"));
}

TEST_P(report_test, reports_are_chosen_by_device_and_job_and_limited)
{
    const auto a = enrolled_device("a").id;
    const auto b = enrolled_device("b").id;
    store.add_report(make_report(a, "a-backup", "backup", day));
    store.add_report(make_report(a, "a-check", "check", day + seconds{1}));
    store.add_report(make_report(b, "b-backup", "backup", day + seconds{2}));
    EXPECT_THAT(keys(store.reports({.device = a, .job = {}})), ElementsAre("a-check", "a-backup"));
    EXPECT_THAT(keys(store.reports({.device = {}, .job = "backup"})), ElementsAre("b-backup", "a-backup"));
    EXPECT_THAT(keys(store.reports({.device = a, .job = "backup"})), ElementsAre("a-backup"));
    EXPECT_TRUE(store.reports({.device = b, .job = "check"}).empty());
    EXPECT_THAT(keys(store.reports({.device = {}, .job = {}, .limit = 2})), ElementsAre("b-backup", "a-check"));
    EXPECT_THAT(keys(store.reports({.device = a, .job = {}, .limit = 1})), ElementsAre("a-check"));
    EXPECT_THAT(keys(store.reports({.device = {}, .job = "backup", .limit = 1})), ElementsAre("b-backup"));
    EXPECT_THAT(keys(store.reports({.device = a, .job = "backup", .limit = 1})), ElementsAre("a-backup"));
    EXPECT_TRUE(store.reports({.device = {}, .job = {}, .limit = 0}).empty());
    EXPECT_TRUE(store.reports({.device = {}, .job = {}, .limit = -1}).empty());
}

TEST_P(report_test, a_list_is_of_a_hundred_unless_told_otherwise)
{
    const auto id = enrolled_device("a").id;
    for (int i = 0; i < 101; ++i) store.add_report(make_report(id, std::to_string(i), "backup", day + seconds{i}));
    EXPECT_EQ(store.reports({}).size(), 100u);
    EXPECT_EQ(store.reports({}).back().dedup_key, "1");
}

TEST_P(report_test, the_latest_of_each_job_is_of_one_device)
{
    const auto a = enrolled_device("a").id;
    const auto b = enrolled_device("b").id;
    store.add_report(make_report(a, "backup-old", "backup", day));
    store.add_report(make_report(a, "backup-new", "backup", day + seconds{2}));
    store.add_report(make_report(a, "restore", "restore", day - seconds{5}));
    store.add_report(make_report(a, "check", "check", day));
    store.add_report(make_report(b, "other", "retention", day + seconds{9}));
    EXPECT_THAT(keys(store.latest_reports(a)), testing::UnorderedElementsAre("backup-new", "restore", "check"));
    EXPECT_THAT(keys(store.latest_reports(b)), ElementsAre("other"));
    EXPECT_TRUE(store.latest_reports({"dev_absent"}).empty());
}

TEST_P(report_test, the_last_good_backup_is_one_that_made_a_snapshot)
{
    const auto a = enrolled_device("a").id;
    const auto b = enrolled_device("b").id;
    EXPECT_EQ(store.last_good_backup(a), std::nullopt);
    const auto add = [&](const domain::device_id& id, const std::string& job, const std::string& status, int at) {
        auto r = make_report(id, std::to_string(at), job, day + seconds{at});
        r.status = status;
        store.add_report(r);
        return r.finished_at;
    };
    add(a, "backup", "failure", 1);
    EXPECT_EQ(store.last_good_backup(a), std::nullopt);
    const auto success = add(a, "backup", "success", 2);
    EXPECT_EQ(store.last_good_backup(a), success);
    const auto partial = add(a, "backup", "partial", 3);
    add(a, "backup", "success", 0);
    add(a, "backup", "failure", 4);
    add(a, "check", "success", 5);
    add(b, "backup", "success", 6);
    EXPECT_EQ(store.last_good_backup(a), partial);
}

XENTZ_ON_EACH_ENGINE(report_test);

} // namespace
} // namespace xentz::store
