// The promise of agent/password_rotation.hpp: wherever a rotation is killed, what lies in restic.pw opens the
// repository, and so does what the server keeps; the next call goes on, and in the end there is one key.
#include "agent/password_rotation.hpp"
#include "crypto/sealed_box.hpp"
#include "fakes/crashing_files.hpp"
#include "machine.hpp"

#include <map>
#include <set>

namespace xentz::agent {
namespace {

struct repository_with_keys {
    fakes::memory_files disk;
    fakes::crashing_files files{disk};
    machine m{&files};
    std::map<std::string, std::string> keys{{"key-1", "repository-password"}}; // of the repository: id, password
    std::vector<std::string> deposited{"repository-password"};
    std::vector<wire::password_message> messages; // of POST /v1/password, taken
    int status = 200;                             // of its answer
    std::optional<wished_custody> wish;
    std::size_t made = 1;

    repository_with_keys()
    {
        auto c = m.enrolled_config();
        c.custody = "server";
        m.set_up(c);
        m.network.serve = [this](const http::client_request& r) { return serve(r); };
        m.restic.on_keys = [this](const engine::repository& r) { return listed(r); };
        m.restic.on_call = [this](std::string_view call) { change(call); };
    }
    std::optional<fakes::http_answer> serve(const http::client_request& r)
    {
        if (!r.url.ends_with("/v1/password")) return m.server.answer(r);
        if (status == 0) return fakes::no_network();
        if (status != 200) return fakes::problem(status, "other-custody", "the password is kept in another way");
        messages.push_back(*wire::decode<wire::password_message>(r.body));
        if (messages.back().password) deposited.push_back(*messages.back().password);
        return fakes::answer(200, R"({"kept":true})");
    }
    std::string password_in(const std::filesystem::path& file)
    {
        auto text = os::read_all(disk, file, 1000).value_or("");
        while (text.ends_with('\n')) text.pop_back();
        return text;
    }
    base::result<std::vector<engine::key>> listed(const engine::repository& r)
    {
        std::vector<engine::key> out;
        bool opens = false;
        for (const auto& [id, password] : keys) {
            out.push_back({.id = id, .current = password == password_in(r.password_file), .host = "web1"});
            opens = opens || out.back().current;
        }
        if (!opens) return base::fail(fault_code::wrong_password, "wrong password");
        return out;
    }
    void change(std::string_view call)
    {
        if (call == "add_key" && m.restic.add_key_result)
            keys["key-" + std::to_string(++made)] = password_in(m.env.home.password().string() + ".next");
    }
    // restic's answers, as they are in the fake after the call.
    void take_removals()
    {
        for (const auto& id : m.restic.removed_keys) keys.erase(id);
        m.restic.removed_keys.clear();
    }
    base::result<rotated_password> rotate()
    {
        auto done = rotate_password(m.env, wish, {});
        take_removals();
        return done;
    }
    std::set<std::string> passwords() const
    {
        std::set<std::string> out;
        for (const auto& [id, password] : keys) out.insert(password);
        return out;
    }
};

struct rotating : testing::Test, repository_with_keys {};

TEST_F(rotating, leaves_one_key_and_the_old_password_beside_the_new)
{
    const auto done = rotate();
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_FALSE(done->went_on);
    EXPECT_EQ(keys.size(), 1U);
    EXPECT_EQ(keys.begin()->second, password_in(m.env.home.password()));
    EXPECT_NE(password_in(m.env.home.password()), "repository-password");
    EXPECT_EQ(password_in(done->old_password), "repository-password");
    EXPECT_EQ(deposited.back(), password_in(m.env.home.password()));
    EXPECT_FALSE(disk.info(m.env.home.password_rotation()));
    EXPECT_FALSE(disk.info(m.env.home.deposit()));
    EXPECT_EQ(m.env.secrets->clean(deposited.back()), "***");
}

// Killed at every call to the disk and gone on with; `kept_elsewhere` says whether what the server has opens it then.
void kill_at_every_point(const std::optional<wished_custody>& wish, const std::string& custody, bool kept_elsewhere)
{
    bool ended = false;
    for (std::uint64_t n = 1; !ended; ++n) {
        SCOPED_TRACE("killed at call " + std::to_string(n));
        repository_with_keys w;
        w.wish = wish;
        w.files.kill_at(n);
        try {
            ended = w.rotate().has_value();
        } catch (const fakes::killed&) {
            w.take_removals();
        }
        w.files.spare();
        EXPECT_TRUE(w.passwords().contains(w.password_in(w.m.env.home.password()))) << "what the machine has opens it";
        const bool opened = w.passwords().contains(w.deposited.back());
        EXPECT_TRUE(opened || !kept_elsewhere) << "what the server keeps opens it";
        ASSERT_TRUE(w.rotate());
        EXPECT_EQ(w.keys.size(), 1U);
        EXPECT_EQ(w.keys.begin()->second, w.password_in(w.m.env.home.password()));
        EXPECT_TRUE(!kept_elsewhere || w.keys.begin()->second == w.deposited.back());
        EXPECT_EQ(w.messages.back().custody, custody);
        EXPECT_EQ(load_local_config(w.disk, w.m.env.home.config, *w.m.env.secrets)->custody, custody);
        EXPECT_FALSE(w.disk.info(w.m.env.home.password_rotation()));
    }
}

TEST(rotation, killed_at_any_point_is_gone_on_with) { kill_at_every_point({}, "server", true); }

TEST(rotation, with_another_custody_killed_at_any_point_is_gone_on_with)
{
    kill_at_every_point(wished_custody{.custody = "device", .custody_key = {}}, "device", false);
}

TEST_F(rotating, may_take_the_password_away_from_the_server)
{
    wish = wished_custody{.custody = "device", .custody_key = {}};
    const auto done = rotate();
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(done->only_password, password_in(m.env.home.password())) << "for the recovery sheet";
    EXPECT_EQ(deposited.size(), 1U) << "the server never saw it";
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(messages[0].custody, "device");
    EXPECT_FALSE(messages[0].password || messages[0].sealed);
    EXPECT_EQ(load_local_config(m.env.files, m.env.home.config, *m.env.secrets)->custody, "device");
    wish.reset();
    ASSERT_TRUE(rotate());
    EXPECT_EQ(messages.back().custody, "device") << "it stays so";
    EXPECT_FALSE(messages.back().password || messages.back().sealed);
}

TEST_F(rotating, may_seal_it_to_a_key)
{
    const auto pair = crypto::make_key_pair(m.random);
    wish = wished_custody{.custody = "sealed", .custody_key = pair.public_key};
    const auto done = rotate();
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_FALSE(done->only_password);
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(messages[0].custody_key, pair.public_key);
    EXPECT_EQ(*crypto::open_sealed(pair, *messages[0].sealed), password_in(m.env.home.password()));
    const auto c = *load_local_config(m.env.files, m.env.home.config, *m.env.secrets);
    EXPECT_EQ(c.custody, "sealed");
    EXPECT_EQ(c.custody_key, pair.public_key);
}

TEST_F(rotating, changes_no_custody_to_what_makes_no_sense)
{
    const auto pair = crypto::make_key_pair(m.random);
    for (const auto& bad : {wished_custody{"nobody", {}}, wished_custody{"sealed", {}}, wished_custody{"sealed", "abc"},
                            wished_custody{"server", pair.public_key}}) {
        wish = bad;
        EXPECT_EQ(code_of(rotate()), "usage") << bad.custody;
    }
    EXPECT_TRUE(keys.contains("key-1"));
}

TEST_F(rotating, goes_on_with_the_custody_that_it_began_with)
{
    status = 0;
    wish = wished_custody{.custody = "device", .custody_key = {}};
    EXPECT_FALSE(rotate());
    status = 200;
    wish = wished_custody{.custody = "server", .custody_key = {}};
    EXPECT_EQ(code_of(rotate()), "conflict");
    wish.reset();
    const auto done = rotate();
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_TRUE(done->went_on);
    EXPECT_EQ(done->config.custody, "device");
    EXPECT_EQ(messages.back().custody, "device");
}

TEST_F(rotating, a_server_that_does_not_take_it_leaves_the_old_one_in_place)
{
    for (const int answer : {0, 409}) {
        status = answer;
        EXPECT_FALSE(rotate());
        EXPECT_EQ(password_in(m.env.home.password()), "repository-password");
        EXPECT_TRUE(keys.contains("key-1"));
    }
    status = 200;
    const auto done = rotate();
    ASSERT_TRUE(done);
    EXPECT_TRUE(done->went_on);
    EXPECT_EQ(keys.size(), 1U) << "the key that was added first served";
}

TEST_F(rotating, begins_nothing_while_the_server_is_away)
{
    ASSERT_TRUE(m.backup()); // there is a cached config
    m.server.how = plane::away;
    EXPECT_EQ(code_of(rotate()), "network-unreachable");
    EXPECT_FALSE(m.restic.called("keys"));
    EXPECT_EQ(keys.size(), 1U);
}

TEST_F(rotating, a_repository_whose_keys_must_stay_keeps_its_password)
{
    m.restic.add_key_result = base::fail(fault_code::repository_append_only, "append-only");
    EXPECT_EQ(code_of(rotate()), "repository-append-only");
    EXPECT_EQ(password_in(m.env.home.password()), "repository-password");
    EXPECT_EQ(deposited.size(), 1U);
    EXPECT_EQ(code_of(m.backup()), "done");
}

TEST_F(rotating, a_machine_that_does_not_know_its_custody_is_not_touched)
{
    m.set_up(m.enrolled_config());
    EXPECT_EQ(code_of(rotate()), "config-invalid");
    EXPECT_EQ(keys.size(), 1U);
}

TEST_F(rotating, a_machine_that_alone_has_it_tells_nobody)
{
    auto c = m.enrolled_config();
    c.custody = "device";
    m.set_up(c);
    ASSERT_TRUE(rotate());
    EXPECT_EQ(deposited.size(), 1U);
    EXPECT_EQ(keys.begin()->second, password_in(m.env.home.password()));
}

} // namespace
} // namespace xentz::agent
