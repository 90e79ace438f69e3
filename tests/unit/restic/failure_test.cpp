#include "restic/failure.hpp"

#include "restic/error_lines.hpp"
#include "unit/restic/captures.hpp"

#include <gmock/gmock.h>

namespace xentz::restic {
namespace {

using base::fault_code;
using how = os::process_end::how;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string unchanged(std::string_view text) { return std::string{text}; }

base::fault judge_text(operation op, const std::string& err, os::process_end end)
{
    error_lines lines{unchanged};
    for (const auto& line : lines_of(err)) lines.add(line);
    return judge(op, version{0, 14, 0}, end, lines.all());
}

base::fault judge_text(operation op, const std::string& err) { return judge_text(op, err, {.exit_code = 1}); }

struct expectation {
    std::string capture;
    operation op;
    fault_code code; // the same in every version
    std::string message;
};

const std::vector<expectation>& expectations()
{
    using enum fault_code;
    using enum operation;
    static const std::vector<expectation> all{
        {"03-missing-repo", snapshots, repository_missing, "no such file or directory"},
        {"04-missing-repo-backup", backup, repository_missing, "no such file or directory"},
        {"06-init-again", init, repository_exists, "config file already exists"},
        {"23-ls-badid", list, snapshot_missing, "deadbeef"},
        {"41-restore-badid", restore, snapshot_missing, "deadbeef"},
        {"55-wrong-password", snapshots, wrong_password, "wrong password or no key found"},
        {"56-wrong-password-backup", backup, wrong_password, "wrong password or no key found"},
        {"57-no-password", snapshots, password_missing, "an empty password is not"},
        {"58-empty-password", snapshots, password_missing, "an empty password is not"},
        {"59-password-command-fails", snapshots, password_missing, "exit status 1"},
        {"61-bad-flag", backup, restic_failed, "unknown flag: --nonsense"},
        {"63-unreachable-rest", snapshots, repository_unreachable, "connection refused"},
        {"65-backup-missing-path", backup, source_missing, "directories/files do not exist"},
        {"77-locked-forget-prune", forget, repository_locked, "on vm by lab since 2026-11-23"},
        {"78-locked-check", check, repository_locked, "on vm by lab since 2026-11-23"},
        {"79-locked-prune", prune, repository_locked, "is locked by PID"},
        {"81-stale-lock-check", check, repository_locked, "s ago)"},
        {"84-sigint-backup", backup, interrupted, "it was interrupted"},
        {"86-sigterm-backup", backup, interrupted, "it was interrupted"},
        {"93-damaged-check-read-data", check, repository_damaged, "damaged"},
        {"95-missing-pack-check", check, repository_damaged, "does not exist"},
        {"96-missing-index-check", check, repository_damaged, "not found in repository"},
        {"97-rest-missing-repo", snapshots, repository_missing, "does not exist"},
        {"104-rest-server-gone", backup, repository_unreachable, "connection refused"},
        {"106-rest-appendonly-forget", forget, repository_append_only, "403 Forbidden"},
        {"108-rest-401", snapshots, repository_refused, "401 Unauthorized"},
        {"109-rest-badcreds", snapshots, repository_refused, "401 Unauthorized"},
        {"111-rest-private-other", init, repository_refused, "401 Unauthorized"},
        {"113-rest-quota-backup", backup, repository_full, "507 Insufficient Storage"},
        {"200-full-disk-backup", backup, repository_full, "no space left on device"},
        {"201-out-of-memory-backup", backup, out_of_memory, "out of memory"},
        {"202-out-of-memory-backup", backup, out_of_memory, "restic ran out of memory"},
    };
    return all;
}

void expect_readable(const base::fault& f)
{
    EXPECT_FALSE(f.message.empty());
    EXPECT_LE(f.message.size(), 600U);
    EXPECT_FALSE(f.message.ends_with('.')) << f.message;
    EXPECT_THAT(f.message, Not(HasSubstr("Fatal")));
    EXPECT_THAT(f.message, Not(HasSubstr("\x1b")));
    EXPECT_FALSE(f.remedy.empty()) << f.message;
    EXPECT_FALSE(f.remedy.ends_with('.')) << f.remedy;
}

class recorded_failure : public testing::TestWithParam<std::string> {
protected:
    base::fault judge_capture(operation op, const std::string& name) const
    {
        const auto c = capture(GetParam(), name);
        return judge_text(op, c.err, c.end);
    }
};
INSTANTIATE_TEST_SUITE_P(all, recorded_failure, testing::ValuesIn(recorded_versions()), version_name);

TEST_P(recorded_failure, has_its_cause)
{
    for (const auto& e : expectations()) {
        SCOPED_TRACE(e.capture);
        const auto f = judge_capture(e.op, e.capture);
        EXPECT_EQ(base::name(f.code), base::name(e.code)) << f.message;
        EXPECT_THAT(f.message, HasSubstr(e.message));
        EXPECT_THAT(f.message, StartsWith(std::string{name(e.op)} + " failed: "));
        expect_readable(f);
    }
}

TEST_P(recorded_failure, of_a_restore_into_a_target_that_cannot_be_written)
{
    const auto f = judge_capture(operation::restore, "43-restore-unwritable-target");
    EXPECT_EQ(f.code, GetParam() == "0.14.0" ? fault_code::restore_incomplete : fault_code::file_failed);
    expect_readable(f);
}

TEST_P(recorded_failure, of_a_restore_from_damaged_data)
{
    const auto c = capture(GetParam(), "94-damaged-restore");
    if (GetParam() == "0.14.0") {
        EXPECT_EQ(c.end.exit_code, 0);
        return;
    }
    const auto f = judge_text(operation::restore, c.err, c.end);
    EXPECT_EQ(f.code, fault_code::repository_damaged);
    EXPECT_THAT(f.message, HasSubstr("/src/"));
    expect_readable(f);
}

TEST_P(recorded_failure, of_a_killed_restic_says_what_may_have_killed_it)
{
    const auto c = capture(GetParam(), "90-sigkill-backup");
    const auto f = judge_text(operation::backup, c.err, {.kind = how::killed, .signal = SIGKILL});
    EXPECT_EQ(f.code, fault_code::restic_killed);
    EXPECT_THAT(f.message, HasSubstr("SIGKILL"));
    EXPECT_THAT(f.message, HasSubstr("memory"));
    expect_readable(f);
}

TEST_P(recorded_failure, of_a_run_that_we_stopped_is_the_stop)
{
    const auto c = capture(GetParam(), "63-unreachable-rest");
    const auto f = judge_text(operation::snapshots, c.err, {.kind = how::cancelled, .exit_code = 1});
    EXPECT_EQ(f.code, fault_code::interrupted);
    expect_readable(f);
}

TEST(failure, of_the_whole_line_of_a_lock)
{
    const auto f = judge_text(operation::check, capture("0.14.0", "78-locked-check").err);
    EXPECT_EQ(f.message, "the check of the repository failed: the repository is locked by PID 32032 on vm by lab since "
                         "2026-11-23 14:20:44 (2.366573525s ago)");
}

TEST(failure, texts_that_no_run_recorded)
{
    using enum fault_code;
    using enum operation;
    const std::vector<std::tuple<operation, std::string, fault_code>> all{
        {snapshots,
         "Fatal: unable to open config file: Head \"https://h/config\": x509: certificate signed by unknown authority",
         tls_failed},
        {snapshots,
         "Fatal: unable to open config file: client.Head: Head \"http://h/config\": dial tcp: lookup h on 10.0.0.1:53: "
         "no such host",
         repository_unreachable},
        {snapshots,
         "Fatal: unable to open config file: Head \"http://h/config\": context deadline exceeded (Client.Timeout "
         "exceeded while awaiting headers)",
         repository_unreachable},
        {snapshots, "Fatal: unable to open config file: unexpected HTTP response (503): 503 Service Unavailable",
         repository_unavailable},
        {init, "Fatal: create repository at  failed: Fatal: server response unexpected: 404 Not Found (404)",
         repository_missing},
        {snapshots, "Fatal: unable to open config file: unexpected HTTP response (404): 404 Not Found",
         repository_missing},
        {snapshots, "Fatal: unable to open config file: stat /r/config: permission denied", repository_refused},
        {snapshots, "Fatal: parsing repository location failed: parse \"http://x y/\": invalid character",
         config_invalid},
        {snapshots, "unable to read root certificate: open /nope/ca: no such file or directory", config_invalid},
        {snapshots, "Resolving password failed: Fatal: /nope/pw does not exist", password_missing},
        {backup, "Fatal: unable to save snapshot: write /tmp/restic-temp-pack-1: no space left on device", disk_full},
        {backup, "Fatal: unable to save snapshot: write /repo/data/00/x: no space left on device", repository_full},
        {restore, "/a: write /t/a: no space left on device\nFatal: There were 1 errors", disk_full},
        {prune, "Integrity check failed: Data seems to be missing.\nFatal: index is not complete", repository_damaged},
        {restore, "Load(<data/0123>, 1, 2) failed: <data/0123> does not exist\nFatal: There were 1 errors",
         repository_damaged},
        {check,
         "error for tree 1234:\n  ReadFull: Get \"http://h/data/1\": dial tcp 10.0.0.1:80: connect: connection "
         "refused\nFatal: repository contains errors",
         repository_unreachable},
    };
    for (const auto& [op, text, code] : all) {
        const auto f = judge_text(op, text);
        EXPECT_EQ(base::name(f.code), base::name(code)) << text;
        expect_readable(f);
    }
}

TEST(failure, of_a_check_that_met_an_altered_index_or_snapshot_is_damage)
{
    for (const auto* text : {"error: error loading index b616: load <index/b610f720>: invalid data returned\n"
                             "Fatal: LoadIndex returned errors\n",
                             "Fatal: LoadIndex returned errors\n",
                             "{\"message_type\":\"error\",\"message\":\"error: failed to load snapshot 54f8: "
                             "LoadRaw(<snapshot/54f8>): invalid data returned\"}\n"})
        EXPECT_EQ(judge_text(operation::check, text).code, fault_code::repository_damaged) << text;
}

TEST(failure, of_memory_is_told_from_a_crash)
{
    const std::string stacks = "\nruntime stack:\nruntime.throw({0xee4288?, 0x0?})\n\truntime/panic.go:1047 +0x5d\n";
    const auto memory = judge_text(operation::backup,
                                   "runtime: out of memory: cannot allocate 4194304-byte block (0 in use)\n"
                                   "fatal error: out of memory\n" +
                                       stacks,
                                   {.exit_code = 2});
    EXPECT_EQ(memory.code, fault_code::out_of_memory);
    auto threads =
        std::string{"runtime/cgo: pthread_create failed: Resource temporarily unavailable\nSIGABRT: abort\n"};
    for (int i = 0; i < 500; ++i) threads += "r" + std::to_string(i) + " 0x0\n";
    EXPECT_EQ(judge_text(operation::backup, threads, {.exit_code = 2}).code, fault_code::out_of_memory);
    auto trace = "panic: runtime error: index out of range [3] with length 3\n\ngoroutine 1 [running]:\n" + stacks;
    for (int i = 0; i < 500; ++i) trace += "goroutine " + std::to_string(i) + " [select]:\nmain.x(0x1)\n\t/x.go:1\n";
    const auto crash = judge_text(operation::backup, trace, {.exit_code = 2});
    EXPECT_EQ(crash.code, fault_code::restic_crashed);
    EXPECT_THAT(crash.message, HasSubstr("restic 0.14.0 crashed"));
    EXPECT_THAT(crash.message, HasSubstr("index out of range"));
    expect_readable(memory);
    expect_readable(crash);
}

TEST(failure, that_a_repeated_try_overcame_is_no_cause)
{
    const auto f =
        judge_text(operation::check, "Load(<data/1>) returned error, retrying after 1s: dial tcp: connection refused\n"
                                     "Pack ID does not match, want 12, got 34\nFatal: repository contains errors");
    EXPECT_EQ(f.code, fault_code::repository_damaged);
    EXPECT_THAT(f.message, HasSubstr("Pack ID does not match"));
}

TEST(failure, without_a_word_names_the_exit_code)
{
    const auto f = judge_text(operation::backup, "", {.exit_code = 77});
    EXPECT_EQ(f.code, fault_code::restic_failed);
    EXPECT_EQ(f.message, "the backup failed: restic 0.14.0 ended with exit code 77");
    expect_readable(judge_text(operation::backup, "", {.exit_code = 0}));
}

TEST(failure, by_exit_code_needs_no_known_text)
{
    EXPECT_EQ(judge_text(operation::backup, "words of 2031", {.exit_code = 10}).code, fault_code::repository_missing);
    EXPECT_EQ(judge_text(operation::backup, "words of 2031", {.exit_code = 11}).code, fault_code::repository_locked);
    EXPECT_EQ(judge_text(operation::backup, "words of 2031", {.exit_code = 12}).code, fault_code::wrong_password);
    EXPECT_EQ(judge_text(operation::backup, "words of 2031", {.exit_code = 130}).code, fault_code::interrupted);
}

TEST(failure, by_time_or_signal)
{
    EXPECT_EQ(judge_text(operation::check, "", {.kind = how::timed_out}).code, fault_code::timed_out);
    EXPECT_EQ(judge_text(operation::check, "", {.kind = how::killed, .signal = SIGSEGV}).code,
              fault_code::restic_killed);
    EXPECT_THAT(judge_text(operation::check, "", {.kind = how::killed, .signal = SIGSEGV}).message,
                HasSubstr("SIGSEGV"));
    EXPECT_EQ(judge_text(operation::check, "", {.kind = how::killed, .signal = SIGTERM}).code, fault_code::interrupted);
}

TEST(failure, of_a_run_that_had_to_be_killed_says_so)
{
    for (const auto kind : {how::cancelled, how::timed_out}) {
        const auto f = judge_text(operation::backup, "", {.kind = kind, .signal = SIGKILL});
        EXPECT_EQ(f.code, kind == how::cancelled ? fault_code::interrupted : fault_code::timed_out);
        EXPECT_THAT(f.message, HasSubstr("did not end when it was interrupted and was killed"));
        EXPECT_THAT(f.remedy, HasSubstr("a lock that it left"));
        expect_readable(f);
    }
    EXPECT_THAT(judge_text(operation::backup, "", {.kind = how::cancelled, .signal = SIGINT}).message,
                Not(HasSubstr("killed")));
}

TEST(failure, quotes_at_most_a_few_hundred_bytes)
{
    const auto f = judge_text(operation::backup, "Fatal: " + std::string(3'000, 'x'));
    EXPECT_LE(f.message.size(), 500U);
    EXPECT_THAT(f.message, HasSubstr("..."));
}

} // namespace
} // namespace xentz::restic
