// A session of the engine over scripted runs.
#pragma once

#include "restic/restic_engine.hpp"

#include "fakes/fake_process_runner.hpp"
#include "fakes/scratch_folder.hpp"
#include "unit/restic/captures.hpp"

#include <gmock/gmock.h>

namespace xentz::restic {

inline const std::string address = "rest:http://me:pass4711word@127.0.0.1:8000/r/";
inline const engine::scope ours{"h1", "xentz"};

inline fakes::scripted_run prints(std::string out) { return {.out = std::move(out)}; }

class a_session : public testing::Test {
protected:
    void SetUp() override { start("0.19.1"); }

    void start(const std::string& version)
    {
        runner.commands.clear();
        runner.script.clear();
        redactor = std::make_shared<base::redactor>();
        engine = make_restic_engine({.program = "/opt/xentz-test/no-such-folder/restic",
                                     .cache_directory = "/var/cache/x",
                                     .runtime_directory = scratch.path() / "run",
                                     .base_environment = {{"PATH", "/bin"}, {"RESTIC_PASSWORD", "other"}},
                                     .redactor = redactor,
                                     .limits = {.longest = std::chrono::hours{5}}},
                                    runner);
        auto opened = engine->open({.address = address, .password_file = "/etc/pw"});
        ASSERT_TRUE(opened);
        session = std::move(*opened);
        ASSERT_TRUE(runner.commands.empty()) << "open starts nothing";
        runner.script.push_back(capture(version, "01-version"));
    }

    base::result<engine::backup_outcome> back_up()
    {
        return session->backup({.scope = ours, .include = {"/srv/sample/src"}}, {}, {});
    }

    base::result<engine::retention_outcome> keep_two(bool prune, bool dry_run = false)
    {
        return session->apply({.keep_last = 2, .prune = prune}, ours, dry_run, {});
    }

    fakes::scratch_folder scratch;
    fakes::fake_process_runner runner;
    std::shared_ptr<base::redactor> redactor;
    std::unique_ptr<engine::backup_engine> engine;
    std::unique_ptr<engine::session> session;
};

} // namespace xentz::restic
