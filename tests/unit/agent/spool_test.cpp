#include "agent/spool.hpp"
#include "machine.hpp"
#include "support/golden.hpp"

namespace xentz::agent {
namespace {

using namespace std::chrono_literals;

struct spooling : testing::Test {
    machine m;
    spool reports{m.env};
    std::unique_ptr<http::client> client = m.env.make_client({});
    control_plane server{*client, "https://cp.example.com"};

    spooling() { m.enrol(); }

    wire::report_message report(const std::string& id)
    {
        wire::report_message r;
        r.device_id = "dev_1";
        r.report_id = id;
        r.started_at = m.clock.now() - 1min;
        r.finished_at = m.clock.now();
        r.status = domain::run_status::success;
        return r;
    }
    // A report of every minute, "r0" first.
    void add(int count)
    {
        for (int i = 0; i < count; ++i) {
            ASSERT_TRUE(reports.add(report("r" + std::to_string(i))));
            m.clock.advance(1min);
        }
    }
    spool::delivery send(std::size_t most = most_sent_per_run) { return reports.send(server, "xdk_1", most, {}); }
    std::vector<std::string> received() const
    {
        std::vector<std::string> ids;
        for (const auto& r : m.server.reports) ids.push_back(*r.report_id);
        return ids;
    }
};

TEST_F(spooling, a_report_is_a_file_named_by_its_end_job_and_status)
{
    auto r = report("r1");
    r.finished_at = time_at("2026-11-23T18:31:05.25Z");
    r.job = domain::job::retention;
    r.status = domain::run_status::failure;
    EXPECT_EQ(*reports.add(r), "20261123T183105.250000Z-retention-failure.json");
    const auto stored =
        wire::decode_report(m.read(m.env.home.spool() / "20261123T183105.250000Z-retention-failure.json"));
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored->report_id, "r1");
    EXPECT_EQ(wire::parse_json(m.read(m.env.home.spool() / m.spooled().front()))->at("format"), 1);
    EXPECT_EQ(reports.pending(), 1U);
    EXPECT_TRUE(reports.holds("r1"));
    EXPECT_FALSE(reports.holds("r2"));
}

TEST_F(spooling, two_of_the_same_microsecond_do_not_share_a_file)
{
    EXPECT_EQ(*reports.add(report("a")), "20261123T183105.000000Z-backup-success.json");
    EXPECT_EQ(*reports.add(report("b")), "20261123T183105.000001Z-backup-success.json");
    EXPECT_TRUE(reports.holds("a"));
    EXPECT_TRUE(reports.holds("b"));
}

TEST_F(spooling, the_oldest_goes_first_and_twenty_at_most)
{
    add(25);
    const auto d = send();
    EXPECT_EQ(d.sent, 20U);
    EXPECT_FALSE(d.fault);
    std::vector<std::string> first;
    for (int i = 0; i < 20; ++i) first.push_back("r" + std::to_string(i));
    EXPECT_EQ(received(), first);
    EXPECT_EQ(reports.pending(), 5U);
    EXPECT_EQ(send().sent, 5U);
    EXPECT_EQ(reports.pending(), 0U);
    EXPECT_EQ(received().back(), "r24");
}

// A real folder lists its files in no order.
TEST(spool, is_sorted_whatever_the_disk_says)
{
    const auto files = os::make_files();
    machine m{files.get()};
    m.enrol();
    spool reports{m.env};
    const auto client = m.env.make_client({});
    control_plane server{*client, "https://cp.example.com"};
    for (const int minute : {7, 2, 9, 0, 4, 8, 1, 6, 3, 5}) {
        wire::report_message r;
        r.report_id = std::to_string(minute);
        r.finished_at = m.clock.now() + std::chrono::minutes{minute};
        ASSERT_TRUE(reports.add(r));
    }
    EXPECT_EQ(reports.send(server, "xdk_1", 20, {}).sent, 10U);
    std::string order;
    for (const auto& r : m.server.reports) order += *r.report_id;
    EXPECT_EQ(order, "0123456789");
}

TEST_F(spooling, says_when_it_was_sent)
{
    add(1);
    m.clock.advance(1h);
    send();
    EXPECT_EQ(m.server.reports.front().sent_at, m.clock.now());
    EXPECT_EQ(m.network.requests.back().method, "POST");
    EXPECT_EQ(m.network.requests.back().body.find("format"), std::string::npos); // of the file, not of the message
    EXPECT_EQ(*http::find_header(m.network.requests.back().headers, "Authorization"), "Bearer xdk_1");
}

TEST_F(spooling, ends_at_the_first_failure_that_may_pass)
{
    add(3);
    m.server.on_report = [](const auto& r) -> std::optional<fakes::http_answer> {
        if (r.report_id == "r1") return fakes::answer(503);
        return std::nullopt;
    };
    const auto d = send();
    EXPECT_EQ(d.sent, 1U);
    EXPECT_EQ(d.set_aside, 0U);
    ASSERT_TRUE(d.fault);
    EXPECT_EQ(d.fault->code, fault_code::server_failed);
    EXPECT_EQ(m.network.requests.size(), 2U);
    EXPECT_EQ(reports.pending(), 2U);
}

TEST_F(spooling, an_answer_that_does_not_name_it_keeps_it)
{
    add(1);
    m.server.how = plane::portal;
    EXPECT_EQ(send().fault->code, fault_code::protocol_error);
    EXPECT_EQ(reports.pending(), 1U);
    m.server.how = plane::refuses;
    EXPECT_EQ(send().fault->code, fault_code::server_refused);
    EXPECT_EQ(reports.pending(), 1U);
}

TEST_F(spooling, what_the_server_can_never_accept_is_set_aside)
{
    add(3);
    m.server.on_report = [](const auto& r) -> std::optional<fakes::http_answer> {
        if (r.report_id == "r1") return fakes::problem(400, "invalid-request", "bad");
        return std::nullopt;
    };
    const auto d = send();
    EXPECT_EQ(d.sent, 2U);
    EXPECT_EQ(d.set_aside, 1U);
    EXPECT_FALSE(d.fault);
    EXPECT_EQ(received(), (std::vector<std::string>{"r0", "r2"}));
    EXPECT_EQ(reports.pending(), 0U);
    EXPECT_EQ(m.rejected(), std::vector<std::string>{"20261123T183205.000000Z-backup-success.json"});
    EXPECT_TRUE(m.log.warned("set aside in spool/rejected: the server refused: bad"));
}

TEST_F(spooling, a_broken_file_is_set_aside)
{
    const std::vector<std::pair<std::string, std::string>> broken = {
        {"1.json", "{"}, {"2.json", ""}, {"3.json", R"({"device_id":"dev_1"})"}};
    for (const auto& [name, text] : broken) m.write(m.env.home.spool() / name, text);
    auto without_id = report("x");
    without_id.report_id.reset();
    m.write(m.env.home.spool() / "4.json", wire::encode(without_id));
    add(1);
    const auto d = send();
    EXPECT_EQ(d.set_aside, 4U);
    EXPECT_EQ(d.sent, 1U);
    EXPECT_EQ(m.rejected(), (std::vector<std::string>{"1.json", "2.json", "3.json", "4.json"}));
}

TEST_F(spooling, one_that_cannot_be_read_now_is_kept_and_keeps_no_other_waiting)
{
    add(2);
    const auto looking = [&] {
        m.memory.fail_at(1000, fault_code::file_failed);
        EXPECT_EQ(reports.pending(), 2U);
        return m.memory.calls(); // as many as `send` makes before it reads the first report
    }();
    m.memory.fail_at(looking + 1, fault_code::file_failed);
    const auto d = send();
    EXPECT_EQ(d.sent, 1U);
    EXPECT_EQ(d.set_aside, 0U);
    EXPECT_EQ(received(), std::vector<std::string>{"r1"});
    EXPECT_TRUE(reports.holds("r0"));
}

TEST_F(spooling, other_files_are_left_alone)
{
    m.write(m.env.home.spool() / "note.txt", "hello");
    m.write(m.env.home.spool() / ".x.json.0.tmp", "half");
    EXPECT_EQ(reports.pending(), 0U);
    EXPECT_EQ(send().set_aside, 0U);
    EXPECT_EQ(m.names_in(m.env.home.spool()), (std::vector<std::string>{".x.json.0.tmp", "note.txt"}));
}

TEST_F(spooling, one_may_be_sent_before_its_turn)
{
    add(2);
    const auto d = reports.send_one(server, "xdk_1", m.spooled().back(), {});
    EXPECT_EQ(d.sent, 1U);
    EXPECT_EQ(received(), std::vector<std::string>{"r1"});
    EXPECT_EQ(reports.pending(), 1U);
}

TEST_F(spooling, one_that_cannot_be_removed_is_sent_again_under_its_id)
{
    add(1);
    m.server.on_report = [this](const auto&) -> std::optional<fakes::http_answer> {
        m.memory.fail_at(1, fault_code::file_failed); // the next call: removing it
        return std::nullopt;
    };
    EXPECT_EQ(send().sent, 1U);
    m.server.on_report = {};
    EXPECT_EQ(send().sent, 1U);
    EXPECT_EQ(received(), (std::vector<std::string>{"r0", "r0"}));
    EXPECT_EQ(reports.pending(), 0U);
}

TEST_F(spooling, what_is_older_than_thirty_days_is_removed_and_counted)
{
    add(3); // one each minute
    m.write(m.env.home.rejected() / "20261001T000000.000000Z-backup-success.json", "{}");
    m.clock.time = time_at("2026-11-23T18:32:05Z") + 30 * 24h; // r1 is exactly 30 days old
    EXPECT_EQ(reports.clean_up(true), 2U);
    EXPECT_FALSE(reports.holds("r0"));
    EXPECT_TRUE(reports.holds("r1"));
    EXPECT_TRUE(reports.holds("r2"));
    EXPECT_TRUE(m.rejected().empty());
    EXPECT_TRUE(m.log.warned("removed unsent"));
    EXPECT_EQ(reports.clean_up(true), 0U);
}

TEST_F(spooling, a_clock_that_jumped_costs_no_report)
{
    add(2);
    m.clock.time += 24h * 365;
    EXPECT_EQ(reports.clean_up(false), 0U);
    EXPECT_EQ(reports.pending(), 2U);
}

TEST_F(spooling, tries_are_spread_while_the_server_does_not_take_them)
{
    add(1);
    EXPECT_TRUE(reports.is_due());
    m.server.how = plane::fails;
    auto longest = 0s;
    for (int i = 0; i < 12; ++i) {
        EXPECT_TRUE(send().fault);
        EXPECT_FALSE(reports.is_due());
        auto waited = 0s;
        for (; !reports.is_due(); waited += 10s) m.clock.time += 10s;
        EXPECT_LE(waited, 6h + 10s);
        longest = std::max(longest, waited);
    }
    EXPECT_GE(longest, 3h);
    m.server.how = plane::up;
    EXPECT_EQ(send().sent, 1U);
    EXPECT_TRUE(reports.is_due());
    EXPECT_FALSE(m.exists(m.env.home.delivery()));
}

TEST_F(spooling, a_clock_that_was_set_back_keeps_no_report_waiting)
{
    add(1);
    m.server.how = plane::fails;
    EXPECT_TRUE(send().fault);
    test::expect_golden("agent/delivery.json", m.read(m.env.home.delivery()));
    m.clock.time -= 24h * 30;
    EXPECT_TRUE(reports.is_due());
}

TEST_F(spooling, what_is_set_aside_says_why)
{
    add(1);
    m.server.on_report = [](const auto&) { return fakes::problem(422, "invalid-request", "the job is unknown"); };
    EXPECT_EQ(send().set_aside, 1U);
    const auto kept = wire::parse_json(m.read(m.env.home.rejected() / m.rejected().at(0)));
    ASSERT_TRUE(kept);
    EXPECT_NE(std::string{kept->at("refused").get_string()}.find("the job is unknown"), std::string::npos);
    EXPECT_EQ(kept->at("report_id").get_string(), "r0");
    test::expect_golden("agent/rejected.json", wire::pretty_json(*kept));
    EXPECT_EQ(reports.pending(), 0U);
}

TEST_F(spooling, the_oldest_go_where_there_is_too_much)
{
    const std::string large(30'000'000, 'x');
    for (const auto* name : {"20261123T010000.000000Z-a.json", "20261123T020000.000000Z-b.json",
                             "20261123T030000.000000Z-c.json", "20261123T040000.000000Z-d.json"})
        m.write(m.env.home.spool() / name, large);
    EXPECT_EQ(reports.clean_up(true), 1U);
    EXPECT_EQ(m.spooled(), (std::vector<std::string>{"20261123T020000.000000Z-b.json", "20261123T030000.000000Z-c.json",
                                                     "20261123T040000.000000Z-d.json"}));
    EXPECT_EQ(reports.clean_up(true), 0U);
}

TEST_F(spooling, what_is_added_survives_a_power_cut)
{
    ASSERT_TRUE(reports.add(report("r1")));
    m.memory.restart(fakes::survivors::nothing);
    EXPECT_TRUE(reports.holds("r1"));
}

} // namespace
} // namespace xentz::agent
