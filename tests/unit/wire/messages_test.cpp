#include "support/golden.hpp"
#include "wire/messages.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace xentz::wire {
namespace {

base::time_point time(std::string_view text) { return *base::parse_rfc3339(text); }

install_request sample_request()
{
    install_request r;
    r.user_id = "default";
    r.metadata = {
        .hostname = "web1", .os = "linux", .arch = "amd64", .agent_version = "0.1.0", .restic_version = "0.14.0"};
    r.include = {"/srv/www", "/größe"};
    return r;
}

install_response sample_response()
{
    return {.tenant_id = "ten_00000000000000000001",
            .device_id = "dev_00000000000000000002",
            .device_api_key = "xdk_0123",
            .repo_path = "rest:https://dev_00000000000000000002:s3cret@backup.example.com/repo/"
                         "ten_00000000000000000001/dev_00000000000000000002/default/",
            .password = "abcdef"};
}

device_config sample_config()
{
    device_config c;
    c.version = "14583f1d5a62553c";
    c.schedule = {.daily_at = "03:30", .retention_at = "05:00", .jitter_minutes = 30};
    c.include = {"/etc", "/srv/www"};
    c.exclude = {"**/.cache"};
    c.restic.repository = "rest:https://dev_2:s3cret@backup.example.com/repo/ten_1/dev_2/default/";
    c.restic.compression = "max";
    c.restic.limit_upload_kib = 2048;
    c.retention = {.keep_last = 3, .keep_daily = 7, .keep_within = "1y5m7d2h", .prune = false};
    return c;
}

report_message sample_report()
{
    report_message r;
    r.device_id = "dev_00000000000000000002";
    r.job = domain::job::backup;
    r.status = domain::run_status::partial;
    r.started_at = time("2026-11-23T02:00:00Z");
    r.finished_at = time("2026-11-23T02:01:00.5Z");
    r.duration_ms = 60'500;
    r.metrics = domain::metrics{.files_total = 2,
                                .files_unreadable = 1,
                                .bytes_total = 12'712,
                                .data_added_bytes = 15'528,
                                .snapshot_id = "5b57749a"};
    r.error = "a snapshot was made, but 1 file or folder is not in it: /root/x: permission denied";
    r.report_id = "rep_00000000000000000003";
    r.sent_at = time("2026-11-23T02:01:01Z");
    r.outcome = "interrupted";
    r.fault = domain::run_fault{"source-unreadable", "1 file or folder is not in it",
                                "Give the agent the right to read them", false};
    r.config_version = "14583f1d5a62553c";
    r.agent_version = "0.1.0";
    r.restic_version = "0.14.0";
    r.engine = "restic";
    r.details = report_details{.unreadable = {{{"/root/x", "permission denied"}}},
                               .warnings = {{"look at this"}},
                               .local_include = {{"/opt"}},
                               .local_exclude = {{"*.iso"}},
                               .next_run_at = time("2026-11-24T02:13:00Z")};
    r.unsupported = {"restic.read_concurrency"};
    return r;
}

TEST(messages, are_written_as_promised)
{
    test::expect_golden("wire/install_request.json", pretty_json(to_json(sample_request())));
    test::expect_golden("wire/install_response.json", pretty_json(to_json(sample_response())));
    test::expect_golden("wire/config.json", pretty_json(encode_config(sample_config())));
    test::expect_golden("wire/report.json", pretty_json(to_json(sample_report())));
}

TEST(messages, are_read_as_promised)
{
    const auto request = decode<install_request>(test::golden("wire/install_request.json"));
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(request->user_id, "default");
    EXPECT_EQ(request->metadata.hostname, "web1");
    EXPECT_EQ(request->include, (std::vector<std::string>{"/srv/www", "/größe"}));
    const auto response = decode<install_response>(test::golden("wire/install_response.json"));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->repo_path, sample_response().repo_path);
    EXPECT_EQ(response->password, "abcdef");
    const auto config = decode_config(test::golden("wire/config.json"));
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->schedule, sample_config().schedule);
    EXPECT_EQ(config->retention, sample_config().retention);
    EXPECT_EQ(static_cast<const domain::restic_options&>(config->restic), sample_config().restic);
    const auto report = decode_report(test::golden("wire/report.json"));
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->metrics, sample_report().metrics);
    EXPECT_EQ(report->fault, sample_report().fault);
    EXPECT_EQ(report->details, sample_report().details);
    EXPECT_EQ(report->unsupported, sample_report().unsupported);
    EXPECT_EQ(report->finished_at, sample_report().finished_at);
    EXPECT_EQ(report->status, domain::run_status::partial);
}

TEST(messages, the_smallest_ones_are_enough)
{
    const auto request = decode<install_request>(R"({"metadata":{"hostname":"h","os":"linux","arch":"amd64"}})");
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_FALSE(request->user_id);
    EXPECT_FALSE(request->include);
    EXPECT_FALSE(request->metadata.agent_version);
    const auto config = decode_config(R"({"version":"1","enabled":true,"schedule":{},"include":[],"exclude":[],)"
                                      R"("restic":{"repository":"r","protection":"full"},"retention":{}})");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_FALSE(config->requires_features);
    EXPECT_FALSE(decode<install_response>(R"({"tenant_id":"t","device_id":"d","device_api_key":"k","repo_path":"r"})")
                     ->password);
}

TEST(messages, required_fields_are_named_with_their_place)
{
    EXPECT_EQ(decode<install_request>("{}").error().message, "metadata: missing");
    EXPECT_EQ(decode<install_request>(R"({"metadata":{"hostname":"h","os":"linux"}})").error().message,
              "metadata.arch: missing");
    EXPECT_EQ(decode_report("{}").error().message, "device_id: missing");
    EXPECT_EQ(decode_config(R"({"version":1})").error().message, "version: expected a string, got a number");
    EXPECT_EQ(decode_config("[]").error().message, "expected an object, got an array");
}

TEST(config, requires_is_carried_over)
{
    auto c = sample_config();
    EXPECT_EQ(print_json(encode_config(c)).find("requires"), std::string::npos);
    c.requires_features = {"locks"};
    const auto text = print_json(encode_config(c));
    EXPECT_NE(text.find(R"("requires":["locks"])"), std::string::npos) << text;
    EXPECT_EQ(decode_config(text)->requires_features, std::vector<std::string>{"locks"});
}

TEST(config, requires_is_a_list_of_names_or_nothing)
{
    auto v = encode_config(sample_config());
    v.as_object()["requires"] = nullptr;
    EXPECT_FALSE(decode_config(print_json(v))->requires_features);
    v.as_object()["requires"] = "locks";
    EXPECT_EQ(decode_config(print_json(v)).error().message, "requires: expected an array, got a string");
    v.as_object()["requires"] = json::array{"locks", 1};
    EXPECT_EQ(decode_config(print_json(v)).error().message, "requires[1]: expected a string, got a number");
}

TEST(report, flat_metrics_of_older_agents_are_taken)
{
    const auto r = decode_report(R"({"device_id":"d","job":"backup","status":"success","duration_ms":1,)"
                                 R"("started_at":"2026-11-23T02:00:00Z","finished_at":"2026-11-23T02:00:01Z",)"
                                 R"("files_total":7,"bytes_total":8,"data_added_bytes":9,"snapshot_id":"abc"})");
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_EQ(r->metrics,
              (domain::metrics{.files_total = 7, .bytes_total = 8, .data_added_bytes = 9, .snapshot_id = "abc"}));
}

TEST(report, metrics_of_their_own_win_over_flat_ones)
{
    auto v = to_json(sample_report());
    v.as_object()["files_total"] = 99;
    EXPECT_EQ(decode_report(print_json(v))->metrics->files_total, 2U);
    v.as_object()["metrics"] = nullptr;
    EXPECT_EQ(decode_report(print_json(v))->metrics, domain::metrics{.files_total = 99});
    v.as_object().erase("files_total");
    EXPECT_FALSE(decode_report(print_json(v))->metrics);
}

TEST(report, metrics_of_a_wrong_type_are_refused)
{
    auto v = to_json(sample_report());
    v.as_object()["metrics"].as_object()["files_total"] = -1;
    EXPECT_EQ(decode_report(print_json(v)).error().message,
              "metrics.files_total: the number is out of range or not whole");
    v.as_object().erase("metrics");
    v.as_object()["bytes_total"] = "many";
    EXPECT_EQ(decode_report(print_json(v)).error().message, "bytes_total: expected a number, got a string");
}

// ---- what holds for every value

rc::Gen<std::string> text() { return rc::gen::map(rc::gen::arbitrary<std::string>(), base::to_utf8); }

template <class T>
std::optional<T> maybe(const rc::Gen<T>& gen)
{
    if (*rc::gen::arbitrary<bool>()) return std::nullopt;
    return *gen;
}

base::time_point any_time()
{
    return base::time_point{std::chrono::microseconds{*rc::gen::inRange<std::int64_t>(0, 253'402'300'799'999'999)}};
}

domain::policy any_policy()
{
    domain::policy p;
    const auto number = rc::gen::arbitrary<std::uint32_t>();
    p.schedule = {
        .daily_at = *text(), .retention_at = maybe(text()), .check_at = maybe(text()), .jitter_minutes = maybe(number)};
    p.include = *rc::gen::container<std::vector<std::string>>(text());
    p.exclude = *rc::gen::container<std::vector<std::string>>(text());
    p.restic = {.compression = maybe(text()), .limit_upload_kib = maybe(number), .limit_download_kib = maybe(number)};
    p.retention = {.keep_last = *number,
                   .keep_daily = *number,
                   .keep_weekly = *number,
                   .keep_monthly = *number,
                   .keep_yearly = *number,
                   .keep_within = maybe(text()),
                   .prune = *rc::gen::arbitrary<bool>()};
    return p;
}

report_message any_report()
{
    report_message r;
    r.device_id = *text();
    r.job = *rc::gen::element(domain::job::backup, domain::job::retention, domain::job::check, domain::job::restore);
    r.status = *rc::gen::element(domain::run_status::success, domain::run_status::partial, domain::run_status::failure);
    r.started_at = any_time();
    r.finished_at = any_time();
    r.duration_ms = *rc::gen::arbitrary<std::int64_t>();
    if (*rc::gen::arbitrary<bool>()) {
        const auto number = rc::gen::arbitrary<std::uint64_t>();
        r.metrics = domain::metrics{.files_total = maybe(number),
                                    .bytes_total = maybe(number),
                                    .snapshot_id = maybe(text()),
                                    .bytes_freed = maybe(number)};
    }
    r.error = maybe(text());
    r.report_id = maybe(text());
    if (*rc::gen::arbitrary<bool>()) r.sent_at = any_time();
    if (*rc::gen::arbitrary<bool>())
        r.fault = domain::run_fault{*text(), *text(), *text(), *rc::gen::arbitrary<bool>()};
    r.engine = maybe(text());
    return r;
}

TEST(messages, a_policy_comes_back)
{
    EXPECT_TRUE(rc::check([] {
        const auto p = any_policy();
        const auto back = decode<domain::policy>(encode(p));
        RC_ASSERT(back.has_value());
        RC_ASSERT(*back == p);
    }));
}

TEST(messages, a_report_comes_back)
{
    EXPECT_TRUE(rc::check([] {
        const auto r = any_report();
        const auto back = decode_report(encode(r));
        RC_ASSERT(back.has_value());
        RC_ASSERT(back->metrics == r.metrics);
        RC_ASSERT(back->fault == r.fault);
        RC_ASSERT(back->sent_at == r.sent_at);
        RC_ASSERT(back->started_at == r.started_at);
        RC_ASSERT(to_json(*back) == to_json(r));
    }));
}

void decode_all(const std::string& bytes)
{
    static_cast<void>(decode<install_request>(bytes));
    static_cast<void>(decode<install_response>(bytes));
    static_cast<void>(decode_config(bytes));
    static_cast<void>(decode_report(bytes));
    static_cast<void>(decode<domain::policy>(bytes));
}

TEST(messages, no_bytes_do_harm)
{
    EXPECT_TRUE(rc::check([](const std::string& bytes) { decode_all(bytes); }));
    EXPECT_TRUE(rc::check([] {
        auto damaged = *rc::gen::element(encode(sample_request()), print_json(encode_config(sample_config())),
                                         encode(sample_report()));
        for (int i = *rc::gen::inRange(1, 5); i > 0; --i)
            damaged[*rc::gen::inRange<std::size_t>(0, damaged.size())] =
                *rc::gen::oneOf(rc::gen::elementOf(std::string{"{}[]\",:0-"}), rc::gen::arbitrary<char>());
        decode_all(damaged);
    }));
}

} // namespace
} // namespace xentz::wire
