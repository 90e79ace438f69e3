#include "fleet.hpp"

namespace xentz::control {
namespace {

namespace json = wire::json;

struct reporting : testing::Test {
    fleet f;
    enrolled_device d = enrol(f, f.new_token());

    json::object report() const
    {
        return {{"device_id", d.id},
                {"job", "backup"},
                {"started_at", "2026-11-23T02:00:00Z"},
                {"finished_at", "2026-11-23T02:01:00Z"},
                {"status", "success"},
                {"duration_ms", 60000},
                {"metrics", {{"files_total", 2}, {"snapshot_id", "5b57749a"}}}};
    }
    http::response send(const json::object& r) { return report_call(f.s, post(d.key, wire::print_json(r))); }
    // Of a report with another value for one key.
    http::response send_with(std::string_view key, json::value value)
    {
        auto r = report();
        r[key] = std::move(value);
        return send(r);
    }
    std::vector<store::report> stored() { return f.store.reports({}); }
    store::report stored_as(std::string_view report_id)
    {
        for (auto& row : stored())
            if (row.report_id == report_id) return row;
        ADD_FAILURE() << report_id << " is not stored";
        return {};
    }
    static std::string id_in(const http::response& r)
    {
        EXPECT_EQ(r.status, 200) << body_of(r);
        return wire::decode<wire::report_answer>(body_of(r)).value_or(wire::report_answer{}).report_id;
    }
};

TEST_F(reporting, keeps_everything_that_was_said)
{
    auto r = report();
    r["report_id"] = "rep_1";
    r["status"] = "partial";
    r["error"] = "one file";
    r["outcome"] = "interrupted";
    r["fault"] = {{"code", "source-unreadable"}, {"message", "m"}, {"remedy", "r"}, {"retry", false}};
    r["config_version"] = "v1";
    r["agent_version"] = "0.1.0";
    r["restic_version"] = "0.14.0";
    r["engine"] = "restic";
    r["unsupported"] = json::array{"x"};
    r["details"] = {{"unreadable", {{{"path", "/p"}, {"reason", "no"}}}}, {"warnings", json::array{"w"}}};
    EXPECT_EQ(id_in(send(r)), "rep_1");
    ASSERT_EQ(stored().size(), 1U);
    const auto row = stored().front();
    EXPECT_EQ(row.report_id, "rep_1");
    EXPECT_EQ(row.device_id.text, d.id);
    EXPECT_EQ(row.job, "backup");
    EXPECT_EQ(row.status, "partial");
    EXPECT_EQ(base::to_rfc3339(row.started_at), "2026-11-23T02:00:00Z");
    EXPECT_EQ(base::to_rfc3339(row.finished_at), "2026-11-23T02:01:00Z");
    EXPECT_EQ(row.received_at, f.clock.now());
    EXPECT_EQ(row.duration_ms, 60000);
    EXPECT_EQ(row.metrics, R"({"files_total":2,"snapshot_id":"5b57749a"})");
    EXPECT_EQ(row.error, "one file");
    EXPECT_EQ(row.outcome, "interrupted");
    EXPECT_EQ(row.fault, R"({"code":"source-unreadable","message":"m","remedy":"r","retry":false})");
    EXPECT_EQ(row.config_version, "v1");
    EXPECT_EQ(row.agent_version, "0.1.0");
    EXPECT_EQ(row.restic_version, "0.14.0");
    EXPECT_EQ(row.engine, "restic");
    EXPECT_EQ(row.details, R"({"unreadable":[{"path":"/p","reason":"no"}],"warnings":["w"],"unsupported":["x"]})");
}

TEST_F(reporting, with_its_id_it_is_stored_once)
{
    EXPECT_EQ(id_in(send_with("report_id", "rep_1")), "rep_1");
    auto second = report();
    second["report_id"] = "rep_1";
    second["status"] = "failure";
    EXPECT_EQ(id_in(send(second)), "rep_1");
    ASSERT_EQ(stored().size(), 1U);
    EXPECT_EQ(stored().front().status, "success"); // the first stays
    EXPECT_EQ(id_in(send_with("report_id", "rep_2")), "rep_2");
    EXPECT_EQ(stored().size(), 2U);
}

TEST_F(reporting, without_an_id_job_and_start_tell_it_from_others)
{
    const auto id = id_in(send(report()));
    EXPECT_TRUE(id.starts_with("rep_")) << id;
    EXPECT_EQ(id_in(send(report())), id);
    EXPECT_EQ(id_in(send_with("started_at", "2026-11-23T03:00:00+01:00")), id); // the same instant
    EXPECT_NE(id_in(send_with("started_at", "2026-11-23T02:00:01Z")), id);
    EXPECT_NE(id_in(send_with("job", "retention")), id);
    EXPECT_EQ(stored().size(), 3U);
}

TEST_F(reporting, devices_do_not_share_ids)
{
    EXPECT_EQ(id_in(send_with("report_id", "rep_1")), "rep_1");
    const auto other = enrol(f, f.new_token());
    auto r = report();
    r["device_id"] = other.id;
    r["report_id"] = "rep_1";
    EXPECT_EQ(id_in(report_call(f.s, post(other.key, wire::print_json(r)))), "rep_1");
    EXPECT_EQ(stored().size(), 2U);
}

TEST_F(reporting, of_another_device_is_refused)
{
    const auto other = enrol(f, f.new_token());
    EXPECT_EQ(kind_of(send_with("device_id", json::string{other.id})), "403 wrong-device");
    EXPECT_EQ(kind_of(send_with("device_id", "")), "403 wrong-device");
    EXPECT_TRUE(stored().empty());
}

TEST_F(reporting, metrics_may_be_flat_or_absent)
{
    auto r = report();
    r.erase("metrics");
    r["files_total"] = 9;
    r["snapshot_id"] = "abc";
    EXPECT_EQ(send(r).status, 200);
    EXPECT_EQ(stored().front().metrics, R"({"files_total":9,"snapshot_id":"abc"})");
    EXPECT_EQ(send_with("metrics", nullptr).status, 200);
    r = report();
    r.erase("metrics");
    r["report_id"] = "bare";
    EXPECT_EQ(send(r).status, 200);
    EXPECT_EQ(stored_as("bare").metrics, "{}");
}

TEST_F(reporting, a_long_error_is_cut_between_characters)
{
    const std::string prefix(4095, 'x');
    EXPECT_EQ(send_with("error", json::string{prefix + "äy"}).status, 200);
    EXPECT_EQ(stored().front().error, prefix); // an "ä" has two bytes
    auto r = report();
    r["report_id"] = "fits";
    r["error"] = prefix + "y";
    EXPECT_EQ(send(r).status, 200);
    EXPECT_EQ(stored_as("fits").error, prefix + "y");
}

TEST_F(reporting, an_error_that_no_database_takes_is_no_reason_to_lose_it)
{
    EXPECT_EQ(send_with("error", json::string{std::string_view{"a\0b", 3}}).status, 200);
    EXPECT_EQ(stored().front().error, "a?b");
}

TEST_F(reporting, each_field_is_checked)
{
    const auto refused = [&](std::string_view key, json::value value) {
        const auto r = send_with(key, std::move(value));
        EXPECT_EQ(kind_of(r), "400 invalid-request") << key;
        return detail_of(r);
    };
    EXPECT_EQ(refused("job", "backups"), "job: unknown value \"backups\".");
    EXPECT_EQ(refused("status", 1), "status: expected a string, got a number.");
    EXPECT_EQ(refused("started_at", "now"), "started_at: expected a time such as 2026-11-23T18:31:05Z.");
    EXPECT_EQ(refused("finished_at", nullptr), "finished_at: expected a string, got null.");
    EXPECT_EQ(refused("duration_ms", -1), "duration_ms must not be negative.");
    EXPECT_EQ(refused("duration_ms", 1.5), "duration_ms: the number is out of range or not whole.");
    EXPECT_EQ(refused("metrics", json::array{}), "metrics: expected an object, got an array.");
    EXPECT_EQ(refused("metrics", {{"files_total", -1}}),
              "metrics.files_total: the number is out of range or not whole.");
    EXPECT_EQ(refused("fault", {{"code", "x"}}), "fault.message: missing.");
    for (const auto& id :
         {std::string{}, std::string(129, 'a'), std::string{"a b"}, std::string{"../x"}, std::string{"ä"}})
        EXPECT_TRUE(refused("report_id", id.c_str()).starts_with("report_id must be 1 to 128")) << id;
    for (const auto* key : {"outcome", "config_version", "agent_version", "restic_version", "engine"}) {
        EXPECT_TRUE(refused(key, std::string(256, 'a').c_str()).starts_with("outcome, versions and engine")) << key;
        EXPECT_TRUE(refused(key, json::string{std::string_view{"\0", 1}}).starts_with("outcome, versions")) << key;
        EXPECT_EQ(send_with(key, std::string(255, 'a').c_str()).status, 200) << key;
    }
    EXPECT_EQ(kind_of(report_call(f.s, post(d.key, "no json"))), "400 invalid-request");
}

TEST_F(reporting, a_missing_field_is_named)
{
    for (const auto* key : {"device_id", "job", "started_at", "finished_at", "status", "duration_ms"}) {
        auto r = report();
        r.erase(key);
        EXPECT_EQ(detail_of(send(r)), std::string{key} + ": missing.");
    }
}

} // namespace
} // namespace xentz::control
