#include "restic/retry_watch.hpp"

#include "unit/restic/captures.hpp"

#include <gmock/gmock.h>

namespace xentz::restic {
namespace {

using namespace std::chrono_literals;
using base::fault_code;
using testing::HasSubstr;

constexpr auto dead = "Stat(<config/>) returned error, retrying after 1s: Head \"http://h/config\": dial tcp "
                      "127.0.0.1:9: connect: connection refused";

std::optional<fault_code> code_of(const std::optional<finding>& f) { return f ? std::optional{f->code} : std::nullopt; }

std::optional<finding> first_word(operation op, const std::string& line)
{
    retry_watch watch{op, 30s};
    return watch.read_err(line, 0s);
}

TEST(retry_watch, gives_up_what_cannot_get_better)
{
    using enum fault_code;
    using enum operation;
    const std::string again = " returned error, retrying after 552.330144ms: ";
    const std::vector<std::tuple<operation, std::string, fault_code>> all{
        {backup, "Save(<data/12>)" + again + "server response unexpected: 507 Insufficient Storage (507)",
         repository_full},
        {backup, "\x1b[2KSave(<data/12>)" + again + "unexpected HTTP response (507): 507 Insufficient Storage",
         repository_full},
        {backup, "Save(<data/12>)" + again + "write /r/data/12/tmp: disk quota exceeded", repository_full},
        {backup, "Save(<lock/12>)" + again + "server response unexpected: 403 Forbidden (403)", repository_refused},
        {restore, "Load(<data/12>, 1, 2)" + again + "unexpected HTTP response (401): 401 Unauthorized",
         repository_refused},
        {forget, "Remove(<snapshot/12>)" + again + "blob not removed, server response: 403 Forbidden (403)",
         repository_append_only},
        {prune, "Remove(<data/12>)" + again + "unexpected HTTP response (403): 403 Forbidden", repository_append_only},
        {prune, "Remove(<index/12>)" + again + "unexpected HTTP response (403): 403 Forbidden", repository_append_only},
        {unlock, "Remove(<lock/12>)" + again + "blob not removed, server response: 403 Forbidden (403)",
         repository_append_only},
        {backup, "Stat(<config/>)" + again + "Head \"https://h/config\": x509: certificate has expired", tls_failed},
    };
    for (const auto& [op, line, code] : all) EXPECT_EQ(code_of(first_word(op, line)), code) << line;
}

TEST(retry_watch, leaves_to_restic_what_may_get_better)
{
    for (const auto* line :
         {"Save(<data/12>) returned error, retrying after 1s: dial tcp 127.0.0.1:9: connect: connection refused",
          "Save(<data/12>) returned error, retrying after 10m0s: unexpected HTTP response (503): 503 Unavailable",
          "Remove(<lock/12>) returned error, retrying after 1s: blob not removed, server response: 403 Forbidden (403)",
          "Fatal: unable to save snapshot: 507 Insufficient Storage", "507", ""})
        EXPECT_FALSE(first_word(operation::backup, line)) << line;
}

TEST(retry_watch, gives_up_opening_before_the_next_try_would_come_too_late)
{
    retry_watch watch{operation::backup, 30s};
    EXPECT_FALSE(watch.read_err(dead, 20s));
    EXPECT_FALSE(watch.read_err(dead, 29s));
    const auto late = watch.read_err(dead, 29500ms);
    ASSERT_TRUE(late);
    EXPECT_EQ(late->code, fault_code::repository_unreachable);
    EXPECT_THAT(late->line, HasSubstr("Stat(<config/>) failed: Head"));
    EXPECT_TRUE(watch.read_err("List(key) returned error, retrying after 1m5.8s: EOF", 1s));
    EXPECT_TRUE(watch.read_err("Stat(<config/>) returned error, retrying after 40s: something new", 1s));
}

TEST(retry_watch, lets_a_repository_that_was_open_be_away_as_long_as_restic_wants)
{
    retry_watch watch{operation::backup, 30s};
    watch.read_out(R"({"message_type":"status","percent_done":0})");
    EXPECT_FALSE(watch.read_err(dead, 1h));
    EXPECT_TRUE(watch.read_err("Save(<data/1>) returned error, retrying after 1s: 507 Insufficient Storage", 1h));
}

TEST(retry_watch, disturbs_no_work_that_is_done)
{
    retry_watch watch{operation::backup, 30s};
    watch.read_out(R"({"message_type":"summary","files_new":1})");
    EXPECT_FALSE(watch.read_err("Remove(<data/1>) returned error, retrying after 1s: 403 Forbidden", 1s));
}

// When the recorded line was said: the waits that were announced before it.
TEST(retry_watch, would_have_ended_the_recorded_runs_early)
{
    for (const auto& version : {std::string{"0.18.0"}, std::string{"0.19.1"}}) {
        for (const auto* name : {"63-unreachable-rest", "104-rest-server-gone"}) {
            retry_watch watch{operation::backup, 30s};
            std::chrono::microseconds now{};
            std::optional<finding> found;
            for (const auto& line : lines_of(capture(version, name).err)) {
                found = watch.read_err(line, now);
                if (found) break;
                const auto begin = line.find("after ") + 6;
                now += parse_go_duration(line.substr(begin, line.find(": ", begin) - begin)).value_or(0s);
            }
            EXPECT_EQ(code_of(found), fault_code::repository_unreachable) << version << " " << name;
            EXPECT_LE(now, 30s) << version << " " << name;
        }
    }
}

TEST(go_duration, is_read_as_go_prints_it)
{
    EXPECT_EQ(parse_go_duration("552.330144ms"), 552330us);
    EXPECT_EQ(parse_go_duration("1.5s"), 1500ms);
    EXPECT_EQ(parse_go_duration("1m5s"), 65s);
    EXPECT_EQ(parse_go_duration("1h0m0.25s"), 1h + 250ms);
    EXPECT_EQ(parse_go_duration("12µs"), 12us);
    for (const auto* text : {"", "s", "5", "1x", "-1s", "1s!", "nan", "infs"})
        EXPECT_FALSE(parse_go_duration(text)) << text;
}

} // namespace
} // namespace xentz::restic
