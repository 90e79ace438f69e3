#include "agent/custody.hpp"
#include "crypto/sealed_box.hpp"
#include "machine.hpp"

namespace xentz::agent {
namespace {

struct custody : testing::Test {
    machine m;
    crypto::key_pair key = crypto::make_key_pair(m.random);
    std::vector<wire::password_message> received;
    int status = 200; // of POST /v1/password

    custody()
    {
        m.network.serve = [this](const http::client_request& r) -> std::optional<fakes::http_answer> {
            if (!r.url.ends_with("/v1/password")) return m.server.answer(r);
            if (status != 200) return fakes::problem(status, "internal", "internal error");
            received.push_back(*wire::decode<wire::password_message>(r.body));
            return fakes::answer(200, R"({"kept":true})");
        };
    }
    local_config enrolled(const char* who)
    {
        auto c = m.enrolled_config();
        c.custody = who;
        c.custody_key = key.public_key;
        m.set_up(c);
        return c;
    }
    base::result<> begin(const local_config& c)
    {
        return begin_deposit(m.env, c, "repository-password", m.env.home.password());
    }
    std::vector<std::string> warnings() { return load_state(m.env.files, m.env.home, domain::job::backup)->warnings; }
};

TEST_F(custody, a_password_that_could_not_be_handed_over_is_by_the_next_run)
{
    ASSERT_TRUE(begin(enrolled("sealed")));
    status = 500;
    ASSERT_TRUE(m.backup());
    EXPECT_TRUE(received.empty());
    ASSERT_EQ(warnings().size(), 1U);
    EXPECT_TRUE(warnings()[0].starts_with("the repository's password could not be handed over yet: "));
    status = 200;
    ASSERT_TRUE(m.backup());
    ASSERT_EQ(received.size(), 1U);
    EXPECT_TRUE(warnings().empty());
    ASSERT_TRUE(m.backup());
    EXPECT_EQ(received.size(), 1U) << "once";
}

TEST_F(custody, sealed_leaves_the_machine_sealed)
{
    ASSERT_TRUE(begin(enrolled("sealed")));
    ASSERT_TRUE(m.backup());
    ASSERT_EQ(received.size(), 1U);
    EXPECT_FALSE(received[0].password);
    EXPECT_EQ(*crypto::open_sealed(key, received[0].sealed.value_or("")), "repository-password");
}

TEST_F(custody, the_same_box_is_sent_at_each_try)
{
    ASSERT_TRUE(begin(enrolled("sealed")));
    const auto note = m.read(m.env.home.deposit());
    status = 500;
    ASSERT_TRUE(m.backup());
    EXPECT_EQ(m.read(m.env.home.deposit()), note);
    EXPECT_EQ(note.find("repository-password"), std::string::npos);
}

TEST_F(custody, of_the_device_leaves_the_machine_in_no_way)
{
    ASSERT_TRUE(begin(enrolled("device")));
    EXPECT_FALSE(m.env.files.info(m.env.home.deposit()));
    ASSERT_TRUE(m.backup());
    EXPECT_TRUE(received.empty());
}

TEST_F(custody, sealed_to_no_key_is_refused)
{
    auto c = enrolled("sealed");
    c.custody_key = "nothing";
    EXPECT_EQ(code_of(begin(c)), "invalid-value");
    c.custody.reset();
    EXPECT_EQ(code_of(begin(c)), "config-invalid");
}

} // namespace
} // namespace xentz::agent
