#include "agent/local_additions.hpp"
#include "machine.hpp"
#include "os/lock.hpp"

namespace xentz::agent {
namespace {

using list = std::vector<std::string>;

struct adding : testing::Test {
    machine m;
    adding()
    {
        auto c = m.enrolled_config();
        c.include = {"/srv", "/etc"};
        c.exclude = {"*.iso"};
        m.set_up(c);
    }
    base::result<local_additions> change(local_list which, list_change how, const list& entries)
    {
        return change_additions(m.env, which, how, entries);
    }
    local_config stored() { return *load_local_config(m.env.files, m.env.home.config, *m.env.secrets); }
};

TEST_F(adding, sets_adds_and_removes)
{
    EXPECT_EQ(change(local_list::include, list_change::add, {"/home", "/srv", "/home"})->include,
              (list{"/srv", "/etc", "/home"}));
    EXPECT_EQ(change(local_list::include, list_change::remove, {"/etc"})->include, (list{"/srv", "/home"}));
    EXPECT_EQ(change(local_list::exclude, list_change::set, {"*.tmp"})->exclude, list{"*.tmp"});
    const auto all = change(local_list::include, list_change::set, {});
    ASSERT_TRUE(all);
    EXPECT_EQ(*all, (local_additions{{}, {"*.tmp"}}));
    EXPECT_TRUE(stored().include.empty());
    EXPECT_EQ(stored().exclude, list{"*.tmp"});
    EXPECT_EQ(stored().device_api_key, "xdk_device-key-1");
}

TEST_F(adding, the_next_run_has_it)
{
    ASSERT_TRUE(change(local_list::include, list_change::set, {"/home"}));
    ASSERT_TRUE(m.backup());
    EXPECT_EQ(m.restic.backups.back().include, (list{"/srv", "/home"})); // the policy's, then its own
}

TEST_F(adding, what_breaks_a_rule_changes_nothing)
{
    const auto before = m.read(m.env.home.config);
    EXPECT_EQ(change(local_list::include, list_change::add, {"home"}).error().message,
              "include[2] must be an absolute path, not \"home\"");
    EXPECT_EQ(code_of(change(local_list::exclude, list_change::set, {""})), "usage");
    EXPECT_EQ(code_of(change(local_list::include, list_change::set, list(1, std::string(5000, '/')))), "usage");
    const auto gone = change(local_list::include, list_change::remove, {"/etc", "/opt"});
    EXPECT_EQ(code_of(gone), "usage");
    EXPECT_NE(gone.error().message.find("/opt"), std::string::npos);
    EXPECT_NE(gone.error().remedy.find("server"), std::string::npos);
    EXPECT_EQ(m.read(m.env.home.config), before);
}

TEST_F(adding, works_beside_a_run_but_not_beside_another_writer)
{
    const auto run = os::try_lock(m.env.home.lock(), "backup, process 1");
    ASSERT_TRUE(run);
    EXPECT_EQ(code_of(change(local_list::include, list_change::add, {"/home"})), "done");
    const auto writer = os::try_lock(m.env.home.config_lock(), "install, process 2");
    ASSERT_TRUE(writer);
    const auto r = change(local_list::include, list_change::add, {"/opt"});
    EXPECT_EQ(code_of(r), "run-locked");
    EXPECT_NE(r.error().message.find("install, process 2"), std::string::npos);
}

TEST(not_enrolled_yet, nothing_can_be_added_and_nothing_is_made)
{
    machine m;
    EXPECT_EQ(code_of(change_additions(m.env, local_list::include, list_change::add, {"/home"})), "config-missing");
    EXPECT_TRUE(m.memory.tree().empty());
}

} // namespace
} // namespace xentz::agent
