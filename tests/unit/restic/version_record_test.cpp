#include "restic/version_record.hpp"

#include "os/files.hpp"
#include "support/golden.hpp"
#include "unit/restic/session_fixture.hpp"

#include <sys/stat.h>

namespace xentz::restic {
namespace {

using base::fault_code;

void write(const std::filesystem::path& p, std::string_view text) { std::ofstream{p, std::ios::binary} << text; }

// Sessions of several runs of the agent, each with an engine of its own, on one program that is a file.
class a_remembered_version : public a_session {
protected:
    void SetUp() override
    {
        write(program, "\x7f"
                       "ELF 1");
        next_run();
    }

    void next_run()
    {
        engine = make_restic_engine(
            {.program = program, .redactor = redactor, .versions = version_record{*files, record}}, runner);
        runner.commands.clear();
        runner.script.clear();
    }

    std::string asked(std::string_view answer)
    {
        next_run();
        runner.script.push_back(prints(std::string{answer}));
        auto v = engine->version();
        return v ? *v : std::string{base::name(v.error().code)};
    }

    bool was_asked() const { return !runner.commands.empty(); }

    std::filesystem::path program = scratch.path() / "restic";
    std::filesystem::path record = scratch.path() / "restic.json";
    std::unique_ptr<os::files> files = os::make_files();
};

TEST_F(a_remembered_version, spares_the_next_run_the_question)
{
    EXPECT_EQ(asked("restic 0.18.0 compiled with go\n"), "0.18.0");
    EXPECT_TRUE(was_asked());
    EXPECT_EQ(asked("restic 0.19.1 compiled with go\n"), "0.18.0");
    EXPECT_FALSE(was_asked());
}

TEST_F(a_remembered_version, holds_for_one_file_only)
{
    asked("restic 0.18.0 compiled with go\n");
    const auto replaced = scratch.path() / "newer";
    write(replaced, "\x7f"
                    "ELF 2");
    std::filesystem::rename(replaced, program);
    EXPECT_EQ(asked("restic 0.19.1 compiled with go\n"), "0.19.1");
    EXPECT_EQ(asked(""), "0.19.1");
    write(program, "\x7f"
                   "ELF of another size");
    EXPECT_EQ(asked("restic 0.16.0 compiled with go\n"), "0.16.0");
    const auto other = scratch.path() / "other";
    std::filesystem::rename(program, other);
    program = other;
    EXPECT_EQ(asked("restic 0.17.0 compiled with go\n"), "0.17.0");
}

TEST_F(a_remembered_version, follows_a_link_to_the_program)
{
    const auto link = scratch.path() / "link";
    const auto newer = scratch.path() / "newer";
    write(newer, "\x7f"
                 "ELF 2");
    std::filesystem::create_symlink(program, link);
    program = link;
    EXPECT_EQ(asked("restic 0.18.0 compiled with go\n"), "0.18.0");
    std::filesystem::remove(link);
    std::filesystem::create_symlink(newer, link);
    EXPECT_EQ(asked("restic 0.19.1 compiled with go\n"), "0.19.1");
}

TEST_F(a_remembered_version, is_none_of_a_script_or_of_a_program_that_failed)
{
    write(program, "#!/bin/sh\nexec /opt/restic/current \"$@\"\n");
    EXPECT_EQ(asked("restic 0.18.0 compiled with go\n"), "0.18.0");
    EXPECT_EQ(asked("restic 0.19.1 compiled with go\n"), "0.19.1");
    write(program, "\x7f"
                   "ELF");
    EXPECT_EQ(asked("what is this?\n"), base::name(fault_code::restic_missing));
    EXPECT_EQ(asked("restic 0.12.1 compiled with go\n"), base::name(fault_code::restic_missing)) << "too old";
    EXPECT_EQ(asked("restic 0.19.1 compiled with go\n"), "0.19.1");
    EXPECT_FALSE(identity_of(scratch.path() / "missing"));
    EXPECT_FALSE(identity_of(scratch.path()));
}

TEST_F(a_remembered_version, is_asked_anew_where_the_record_is_damaged_or_cannot_be_kept)
{
    for (const auto* damage : {"", "{", "[]", "{\"format\":1}", "{\"program\":7,\"version\":\"0.18.0\"}"}) {
        write(record, damage);
        EXPECT_EQ(asked("restic 0.19.1 compiled with go\n"), "0.19.1");
        EXPECT_TRUE(was_asked()) << damage;
    }
    write(record, R"({"format":1,"program":")" + identity_of(program).value_or("") + R"(","version":"0.12.1"})");
    EXPECT_EQ(asked("restic 0.19.1 compiled with go\n"), "0.19.1") << "what an older agent could use, or a lie";
    record = scratch.path() / "no folder" / "restic.json";
    EXPECT_EQ(asked("restic 0.19.1 compiled with go\n"), "0.19.1");
    EXPECT_FALSE(std::filesystem::exists(record));
}

TEST_F(a_remembered_version, is_kept_in_a_documented_form_that_others_cannot_read)
{
    version_record{*files, record}.keep("/usr/bin/restic 65024 1234 22000000 1700000000.000000001 1700000001.5",
                                        version{0, 14, 0});
    test::expect_golden("agent/restic.json", test::read_text(record));
    struct ::stat info{};
    ASSERT_EQ(::stat(record.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

} // namespace
} // namespace xentz::restic
