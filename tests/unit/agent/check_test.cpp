#include "agent/check.hpp"
#include "agent/drill.hpp"
#include "agent/exit_code.hpp"
#include "agent/status.hpp"
#include "machine.hpp"

#include <gmock/gmock.h>

#include <set>

namespace xentz::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const auto backed_up_at = time_at("2026-11-22T02:00:00Z");

std::string pack(const std::string& first_byte) { return first_byte + std::string(62, '0'); }

// A machine whose snapshot holds three files; a restore brings back what the test has put into `brings`.
struct checking : running {
    std::map<std::string, std::string> brings;

    checking()
    {
        m.memory.set_now(backed_up_at);
        engine::snapshot s;
        s.id = std::string(64, 'a');
        s.time = "2026-11-22T03:00:00Z";
        m.restic.latest_result = s;
        for (const auto* name : {"/srv/a", "/srv/b*[1]", "/srv/c"}) add(name, std::string{"bytes of "} + name);
        m.restic.on_restore = [this](const engine::restore_request& r) {
            for (const auto& [name, bytes] : brings)
                m.memory.put(r.target / std::filesystem::path{name}.relative_path(), bytes);
        };
        m.memory.set_now(m.clock.now());
    }

    void add(const std::string& name, const std::string& bytes)
    {
        m.memory.put(name, bytes);
        brings[name] = bytes;
        engine::node n;
        n.path = name;
        n.type = "file";
        n.size = bytes.size();
        n.ctime = base::to_rfc3339(backed_up_at);
        m.restic.list_result->push_back(n);
    }

    bool left_nothing() const { return !m.env.files.info(m.env.home.drill()); }
};

TEST_F(checking, reads_a_part_and_restores_a_sample_and_says_what_was_proved)
{
    m.server.packs = R"([{"name":")" + pack("00") + R"(","size":100},{"name":")" + pack("1e") + R"(","size":20},)" +
                     R"({"name":")" + pack("01") + R"(","size":3}])";
    const auto r = m.check();
    ASSERT_EQ(fault_of(r), "none");
    EXPECT_EQ(m.restic.checked.back().number, 1U);
    EXPECT_EQ(m.restic.checked.back().of, 30U);
    const auto& got = r->state.metrics;
    EXPECT_EQ(got.data_part, 1U);
    EXPECT_EQ(got.data_parts, 30U);
    EXPECT_EQ(got.bytes_read, 120U) << "0x00 and 0x1e fall into the first of 30 parts";
    EXPECT_EQ(got.files_restored, 3U);
    EXPECT_EQ(got.files_compared, 3U);
    EXPECT_EQ(got.files_differing, 0U);
    EXPECT_EQ(got.bytes_restored, 49U);
    EXPECT_THAT(r->state.warnings, IsEmpty());
    EXPECT_EQ(last_report().job, domain::job::check);
    EXPECT_EQ(last_report().metrics->files_compared, 3U);
    EXPECT_TRUE(left_nothing());
    EXPECT_THAT(describe(read_status(m.env), m.clock.now()), HasSubstr("by a check without a flaw"));
}

TEST_F(checking, asks_for_each_file_of_the_sample_by_its_exact_name)
{
    ASSERT_EQ(fault_of(m.check()), "none");
    const auto include = m.restic.restores.back().include;
    EXPECT_THAT((std::set<std::string>{include.begin(), include.end()}),
                ElementsAre("/srv/a", R"(/srv/b\*\[1])", "/srv/c"));
    EXPECT_EQ(m.restic.restores.back().target, m.env.home.drill());
}

TEST_F(checking, finds_a_file_that_is_not_as_its_unchanged_source)
{
    brings["/srv/a"] = "bytes of /srv/A";
    const auto r = m.check();
    ASSERT_EQ(fault_of(r), "restore-differs");
    EXPECT_EQ(exit_code_of(*r->fault), exit_damaged);
    EXPECT_THAT(message_of(r), HasSubstr("1 file that differs: /srv/a: its bytes"));
    EXPECT_EQ(last_report().status, domain::run_status::failure);
    EXPECT_EQ(last_report().fault->code, "restore-differs");
    EXPECT_EQ(last_report().metrics->files_differing, 1U);
    EXPECT_EQ(last_report().metrics->files_restored, 3U);
    EXPECT_TRUE(left_nothing());
    ASSERT_EQ(fault_of(m.backup()), "none");
    EXPECT_THAT(read_status(m.env).verdict, HasSubstr("found a flaw")) << "a good backup does not hide it";
}

TEST_F(checking, a_flaw_stays_the_verdict_over_checks_that_could_not_be_made)
{
    ASSERT_EQ(fault_of(m.backup()), "none");
    m.restic.check_result = base::fail(fault_code::repository_damaged, "the repository is damaged", "Leave it");
    ASSERT_EQ(fault_of(m.check()), "repository-damaged");
    m.restic.check_result = base::fail(fault_code::repository_unreachable, "away");
    ASSERT_EQ(fault_of(m.check()), "repository-unreachable");
    EXPECT_THAT(read_status(m.env).verdict, HasSubstr("found a flaw"));
    EXPECT_EQ(read_status(m.env).remedy, "Leave it");
    m.restic.check_result = {};
    ASSERT_EQ(fault_of(m.check()), "none");
    EXPECT_EQ(read_status(m.env).verdict, "This machine's last backup was good");
}

TEST_F(checking, finds_a_file_that_is_missing_or_cut_whatever_became_of_its_source)
{
    m.memory.put("/srv/a", "changed since");
    m.memory.put("/srv/c", "changed since, too");
    brings.erase("/srv/a");
    brings["/srv/c"] = "bytes";
    const auto r = m.check();
    ASSERT_EQ(fault_of(r), "restore-differs");
    EXPECT_THAT(message_of(r), HasSubstr("/srv/a: was not restored"));
    EXPECT_THAT(message_of(r), HasSubstr("/srv/c: has 5 bytes instead of 15"));
    EXPECT_EQ(r->state.metrics.files_differing, 2U);
}

TEST_F(checking, never_blames_a_file_that_changed_since_or_is_gone)
{
    m.memory.put("/srv/a", "bytes of /srv/X"); // as long as before, but touched
    ASSERT_TRUE(m.memory.remove("/srv/c"));
    const auto r = m.check();
    ASSERT_EQ(fault_of(r), "none");
    EXPECT_EQ(r->state.metrics.files_restored, 3U);
    EXPECT_EQ(r->state.metrics.files_compared, 1U);
}

TEST_F(checking, reads_everything_in_turn_and_a_flawed_part_again)
{
    m.server.config.check = domain::check_options{.parts = 3};
    m.server.etag = "\"v2\"";
    std::vector<std::uint32_t> read;
    const auto run = [&] {
        static_cast<void>(m.check());
        read.push_back(m.restic.checked.back().number);
    };
    run();
    m.restic.check_result = base::fail(fault_code::repository_damaged, "the repository is damaged");
    run();
    EXPECT_EQ(m.state(domain::job::check)->metrics.data_part, 2U);
    EXPECT_EQ(m.state(domain::job::check)->fault->code, "repository-damaged");
    run();
    m.restic.check_result = base::fail(fault_code::repository_unreachable, "away");
    run();
    m.restic.check_result = {};
    run();
    brings["/srv/a"].front() = 'B';
    run();
    brings["/srv/a"].front() = 'b';
    run();
    run();
    EXPECT_THAT(read, ElementsAre(1U, 2U, 2U, 2U, 2U, 3U, 3U, 1U));
}

TEST_F(checking, begins_anew_with_another_number_of_parts_or_a_damaged_memory)
{
    const engine::data_part second{2, 5};
    EXPECT_EQ(next_part(m.env.files, m.env.home, 5).number, 1U);
    ASSERT_TRUE(advance(m.env.files, m.env.home, second));
    EXPECT_EQ(next_part(m.env.files, m.env.home, 5).number, 3U);
    EXPECT_EQ(next_part(m.env.files, m.env.home, 6).number, 1U);
    for (const auto* damage : {"", "{}", "{\"parts\":5,\"next\":9}", "{\"parts\":5,\"next\":0}", "[]"}) {
        m.write(m.env.home.rotation(), damage);
        EXPECT_EQ(next_part(m.env.files, m.env.home, 5).number, 1U) << damage;
    }
    ASSERT_TRUE(advance(m.env.files, m.env.home, {5, 5}));
    EXPECT_EQ(next_part(m.env.files, m.env.home, 5).number, 1U) << "after the last";
}

TEST_F(checking, says_where_nothing_could_be_restored)
{
    m.restic.latest_result = std::optional<engine::snapshot>{};
    auto r = m.check();
    EXPECT_EQ(fault_of(r), "none");
    EXPECT_THAT(r->state.warnings, ElementsAre(HasSubstr("no snapshot of files yet")));
    m.restic.latest_result = engine::snapshot{.id = std::string(64, 'a')};
    m.restic.list_result->clear();
    r = m.check();
    EXPECT_THAT(r->state.warnings, ElementsAre(HasSubstr("check.drill_mib")));
    EXPECT_THAT(m.restic.restores, IsEmpty()) << "an empty sample must not restore everything";
}

TEST_F(checking, makes_no_drill_where_the_policy_wants_none)
{
    m.server.config.check = domain::check_options{.drill_files = 0};
    m.server.etag = "\"v2\"";
    const auto r = m.check();
    EXPECT_EQ(fault_of(r), "none");
    EXPECT_THAT(m.restic.restores, IsEmpty());
    EXPECT_EQ(r->state.metrics.files_restored, std::nullopt);
}

TEST_F(checking, takes_damage_that_only_the_restore_meets_for_what_it_is)
{
    m.restic.restore_result = base::fail(fault_code::repository_damaged, "the repository is damaged");
    const auto r = m.check();
    EXPECT_EQ(fault_of(r), "repository-damaged");
    EXPECT_EQ(r->state.metrics.data_part, 1U);
    EXPECT_TRUE(left_nothing());
}

TEST_F(checking, leaves_what_a_killed_drill_left_to_the_next_one)
{
    m.memory.put(m.env.home.drill() / "srv/of-before", "secret");
    ASSERT_EQ(fault_of(m.check()), "none");
    EXPECT_TRUE(left_nothing());
}

TEST_F(checking, refuses_another_repository)
{
    ASSERT_EQ(fault_of(m.backup()), "none");
    m.server.repository_status = 404;
    EXPECT_EQ(fault_of(m.check()), "repository-changed");
    EXPECT_THAT(m.restic.checked, IsEmpty());
}

TEST(a_file_sample, is_fair_and_bounded)
{
    fakes::fake_random random;
    std::map<std::string, int> chosen;
    for (int round = 0; round < 2000; ++round) {
        file_sample sample{4, 1000, random};
        for (int i = 0; i < 40; ++i) sample.offer({.path = "/f" + std::to_string(i), .type = "file", .size = 10});
        const auto got = std::move(sample).take();
        EXPECT_EQ(got.size(), 4U);
        for (const auto& n : got) ++chosen[n.path];
    }
    ASSERT_EQ(chosen.size(), 40U);
    for (const auto& [path, times] : chosen) { // 200 expected each, with a deviation of 13
        EXPECT_GT(times, 130) << path;
        EXPECT_LT(times, 270) << path;
    }
}

TEST(a_file_sample, holds_no_more_bytes_than_it_may_and_nothing_that_cannot_be_named)
{
    fakes::fake_random random;
    file_sample sample{10, 100, random};
    sample.offer({.path = "/too big", .type = "file", .size = 101});
    sample.offer({.path = "/folder", .type = "dir"});
    sample.offer({.path = "/not utf-8 \xff", .type = "file", .size = 1});
    sample.offer({.path = "/shown altered \xEF\xBF\xBD", .type = "file", .size = 1});
    for (int i = 0; i < 10; ++i) sample.offer({.path = "/f" + std::to_string(i), .type = "file", .size = 30});
    EXPECT_EQ(std::move(sample).take().size(), 3U);
}

} // namespace
} // namespace xentz::agent
