#include "agent/dumps.hpp"

#include "machine.hpp"

#include <gmock/gmock.h>

#include <array>
#include <unistd.h>

namespace xentz::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The commands are scripted, the pipe is real, and the engine reads it as restic does: to its end.
struct dumping : running {
    std::vector<std::string> streamed;

    dumping()
    {
        m.write(m.env.home.commands(), R"({"commands":[{"name":"orders","run":["/bin/orders"],"file_name":"orders.sql"},
            {"name":"stock","run":["/bin/stock"]}]})");
        m.server.config.dumps = {"orders"};
        m.programs.while_running = [](const os::command& c) {
            const auto written = c.output ? ::write(*c.output, "bytes", 5) : 5;
            EXPECT_EQ(written, 5);
        };
        m.restic.on_backup = [this](const engine::backup_request& r,
                                    std::stop_token stop) -> base::result<engine::backup_outcome> {
            return r.stream ? read_stream(*r.stream, stop) : m.restic.backup_result;
        };
        m.server.snapshots.push_back(std::string(64, 'd'));
    }

    static bool may_read(int descriptor)
    {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(descriptor, &set);
        timeval a_moment{0, 10'000};
        return ::select(descriptor + 1, &set, nullptr, nullptr, &a_moment) > 0;
    }
    base::result<engine::backup_outcome> read_stream(const engine::stream_source& source, const std::stop_token& stop)
    {
        std::string all;
        std::array<char, 4096> buffer{};
        for (;;) {
            if (stop.stop_requested()) return base::fail(fault_code::interrupted, "restic was interrupted");
            if (!may_read(source.descriptor)) continue;
            const auto got = ::read(source.descriptor, buffer.data(), buffer.size());
            if (got <= 0) break;
            all.append(buffer.data(), static_cast<std::size_t>(got));
        }
        streamed.push_back(source.file_name + ":" + all);
        engine::backup_outcome o;
        o.metrics.bytes_total = all.size();
        o.metrics.snapshot_id = std::string(64, 'd');
        return o;
    }
    void ends(int code, const std::string& err = "")
    {
        m.programs.script.push_back({.out = {}, .err = err, .end = {.exit_code = code}});
    }
};

TEST_F(dumping, the_output_of_a_command_becomes_a_snapshot_of_its_own)
{
    ends(0, "12 tables\n");
    EXPECT_EQ(fault_of(m.backup()), "none");
    EXPECT_THAT(streamed, ElementsAre("orders.sql:bytes"));
    ASSERT_EQ(m.restic.backups.size(), 2U);
    const auto& dump = m.restic.backups[0];
    EXPECT_EQ(dump.scope.tag, "xentz-dump");
    EXPECT_THAT(dump.tags, ElementsAre("xentz-dump=orders"));
    EXPECT_EQ(m.restic.backups[1].scope.tag, "xentz");
    const auto told = last_report().details->commands->at(0);
    EXPECT_EQ(told.when, "dump");
    EXPECT_EQ(told.status, "success");
    EXPECT_EQ(told.bytes, 5U);
    EXPECT_EQ(told.snapshot_id, std::string(64, 'd'));
    EXPECT_THAT(*told.output, ElementsAre("12 tables"));
}

TEST_F(dumping, one_that_fails_at_its_end_never_becomes_a_snapshot)
{
    ends(1, "connection lost\n");
    const auto r = m.backup();
    EXPECT_EQ(fault_of(r), "dump-failed");
    EXPECT_EQ(message_of(r), "the dump orders failed: it ended with exit code 1: connection lost");
    EXPECT_THAT(streamed, ElementsAre()) << "the engine saw the end of the data";
    EXPECT_EQ(last_report().status, domain::run_status::partial) << "the files were backed up";
    const auto told = last_report().details->commands->at(0);
    EXPECT_EQ(told.status, "failure");
    EXPECT_FALSE(told.snapshot_id);
}

TEST_F(dumping, one_that_fails_keeps_no_other_from_being_made)
{
    m.server.config.dumps = {"orders", "stock"};
    ends(1);
    ends(0);
    EXPECT_EQ(fault_of(m.backup()), "dump-failed");
    EXPECT_THAT(streamed, ElementsAre("stock:bytes"));
    // For one that fails at once the engine may not even be started.
    ASSERT_GE(m.restic.backups.size(), 2U);
    EXPECT_EQ(m.restic.backups.back().scope.tag, "xentz") << "the files come last";
}

TEST_F(dumping, one_that_prints_nothing_is_none)
{
    m.programs.while_running = nullptr;
    ends(0);
    const auto r = m.backup();
    EXPECT_EQ(message_of(r), "the dump orders failed: it printed nothing");
    EXPECT_EQ(last_report().status, domain::run_status::partial);
    EXPECT_EQ(m.restic.backups.size(), 1U) << "the engine was started for nothing: it would make an empty snapshot";
    EXPECT_FALSE(last_report().details->commands->at(0).snapshot_id);
}

TEST_F(dumping, a_dead_lock_is_cleared_and_the_dump_made_once_more)
{
    ends(0);
    ends(0);
    m.restic.locks_result = std::vector<engine::lock>{{.id = std::string(64, 'e'),
                                                       .since = m.clock.now() - std::chrono::hours{1},
                                                       .exclusive = true,
                                                       .host = "web1",
                                                       .user = "root",
                                                       .process_id = 1}};
    int tries = 0;
    m.restic.on_backup = [&](const engine::backup_request& r,
                             std::stop_token stop) -> base::result<engine::backup_outcome> {
        if (r.stream && ++tries == 1) return base::fail(fault_code::repository_locked, "locked");
        return r.stream ? read_stream(*r.stream, stop) : m.restic.backup_result;
    };
    EXPECT_EQ(fault_of(m.backup()), "none");
    EXPECT_EQ(tries, 2);
}

TEST_F(dumping, what_was_made_is_told_where_the_repository_goes_away)
{
    m.server.config.dumps = {"orders", "stock"};
    ends(0);
    ends(0);
    int tries = 0;
    m.restic.on_backup = [&](const engine::backup_request& r,
                             std::stop_token stop) -> base::result<engine::backup_outcome> {
        if (++tries == 2) return base::fail(fault_code::repository_unreachable, "gone");
        return read_stream(*r.stream, stop);
    };
    EXPECT_EQ(fault_of(m.backup()), "repository-unreachable");
    ASSERT_EQ(last_report().details->commands->size(), 2U);
    EXPECT_EQ(last_report().details->commands->at(0).snapshot_id, std::string(64, 'd'));
    EXPECT_EQ(last_report().details->commands->at(1).status, "failure");
}

TEST_F(dumping, the_repositorys_trouble_is_not_the_commands)
{
    ends(0);
    m.restic.on_backup = [](const engine::backup_request&, std::stop_token) -> base::result<engine::backup_outcome> {
        return base::fail(fault_code::repository_full, "the repository is full");
    };
    const auto r = m.backup();
    EXPECT_EQ(fault_of(r), "repository-full");
}

TEST_F(dumping, without_a_folder_the_dumps_are_the_backup)
{
    m.server.config.include.clear();
    ends(0);
    EXPECT_EQ(fault_of(m.backup()), "none");
    EXPECT_EQ(m.restic.backups.size(), 1U);
    ends(1);
    EXPECT_EQ(fault_of(m.backup()), "dump-failed");
    EXPECT_EQ(last_report().status, domain::run_status::failure) << "nothing at all was backed up";
}

TEST_F(dumping, what_came_of_them_is_told_also_where_the_files_fail)
{
    ends(0);
    m.restic.backup_result = base::fail(fault_code::source_missing, "no source exists");
    EXPECT_EQ(fault_of(m.backup()), "source-missing");
    EXPECT_EQ(last_report().status, domain::run_status::failure);
    EXPECT_EQ(last_report().details->commands->at(0).status, "success");
}

TEST_F(dumping, retention_thins_out_each_dump_by_itself)
{
    ends(0);
    EXPECT_EQ(fault_of(m.backup()), "none");
    m.restic.scopes.clear();
    EXPECT_EQ(fault_of(m.retention()), "none");
    ASSERT_EQ(m.restic.scopes.size(), 2U);
    EXPECT_EQ(m.restic.scopes[0].tag, "xentz-dump");
    EXPECT_EQ(m.restic.scopes[1].tag, "xentz");
    EXPECT_FALSE(m.restic.retentions[0].prune);
    EXPECT_EQ(last_report().metrics->snapshots_kept, 6U);
}

TEST_F(dumping, an_unknown_one_is_said)
{
    m.server.config.dumps = {"nothing"};
    const auto r = m.backup();
    EXPECT_THAT(message_of(r), HasSubstr("this machine knows no command nothing"));
}

} // namespace
} // namespace xentz::agent
