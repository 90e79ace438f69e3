#include "agent/enrolment.hpp"
#include "machine.hpp"

namespace xentz::agent {
namespace {

// ---- the server's address

TEST(server_url, is_made_uniform)
{
    EXPECT_EQ(*normal_server_url("https://h", false), "https://h");
    EXPECT_EQ(*normal_server_url("https://h/control//", false), "https://h/control");
    EXPECT_EQ(*normal_server_url("http://127.0.0.1:8080", false), "http://127.0.0.1:8080");
    EXPECT_EQ(*normal_server_url("http://[::1]:8080/", false), "http://[::1]:8080");
}

TEST(server_url, anything_else_is_refused_without_repeating_a_credential)
{
    for (const auto* bad : {"", "h", "h:8080", "ftp://h", "rest:https://h", "https://", "https://u:password@h",
                            "https://u@h", "https://h/?a=b", "https://h/#x", "https://h:99999", "https://h h"}) {
        const auto r = normal_server_url(bad, true);
        EXPECT_EQ(code_of(r), "usage") << bad;
        EXPECT_EQ(r.error().message.find("password"), std::string::npos);
    }
}

TEST(server_url, plain_http_needs_a_loopback_address_or_to_be_allowed)
{
    for (const auto* url : {"http://192.168.1.5:8080", "http://localhost:8080", "http://backup.example.com"}) {
        EXPECT_EQ(code_of(normal_server_url(url, false)), "insecure-transport") << url;
        EXPECT_EQ(*normal_server_url(url, true), url);
    }
}

// ---- without a control plane

struct legacy_installing : testing::Test {
    machine m;
    legacy_options options{.repository = "/mnt/disk/repository", .include = {"/srv"}};
    legacy_installing() { m.write("/root/password", "my own\n"); }
    base::result<enrolment_result> install() { return install_legacy(m.env, options); }
};

TEST_F(legacy_installing, uses_a_password_file_where_it_lies)
{
    options.password_file = "/root/password";
    options.daily_at = "04:30";
    const auto r = install();
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_EQ(r->folders, 1U);
    const auto c = load_local_config(m.env.files, m.env.home.config, *m.env.secrets);
    ASSERT_TRUE(c);
    EXPECT_FALSE(c->managed());
    EXPECT_EQ(c->restic.repository, "/mnt/disk/repository");
    EXPECT_EQ(c->restic.password_file, "/root/password");
    EXPECT_EQ(c->schedule.daily_at, "04:30");
    EXPECT_EQ(c->retention, domain::default_policy().retention);
    EXPECT_EQ(m.read("/root/password"), "my own\n");
    EXPECT_EQ(c->exclude, domain::default_policy().exclude);
    EXPECT_EQ(code_of(m.backup()), "done");
}

TEST_F(legacy_installing, excludes_what_it_is_told_instead_of_the_usual)
{
    options.password_file = "/root/password";
    options.exclude = {"*.iso"};
    ASSERT_TRUE(install());
    EXPECT_EQ(load_local_config(m.env.files, m.env.home.config, *m.env.secrets)->exclude,
              std::vector<std::string>{"*.iso"});
    options = {.repository = "/r", .password_file = "/root/password", .exclude = {""}, .enrol_again = true};
    EXPECT_EQ(code_of(install()), "invalid-value");
}

TEST_F(legacy_installing, keeps_a_given_password_in_the_home)
{
    m.write(m.env.home.password(), "older\n");
    options.password = "given-password";
    const auto r = install();
    ASSERT_TRUE(r);
    EXPECT_EQ(m.read(m.env.home.password()), "given-password\n");
    EXPECT_EQ(m.read(r->older_password.value()), "older\n");
    EXPECT_EQ(r->config.restic.password_file, m.env.home.password());
}

TEST_F(legacy_installing, needs_a_password)
{
    EXPECT_EQ(code_of(install()), "password-missing");
    options.password_file = "/root/none";
    const auto r = install();
    EXPECT_EQ(code_of(r), "password-missing");
    EXPECT_NE(r.error().message.find("/root/none"), std::string::npos);
    m.write("/root/empty", "");
    options.password_file = "/root/empty";
    EXPECT_EQ(code_of(install()), "password-missing");
    EXPECT_FALSE(m.exists(m.env.home.config));
}

TEST_F(legacy_installing, checks_what_it_is_told)
{
    options.password_file = "/root/password";
    options.daily_at = "25:00";
    EXPECT_EQ(code_of(install()), "invalid-value");
    options.daily_at.reset();
    options.include = {"srv"};
    EXPECT_EQ(code_of(install()), "invalid-value");
    EXPECT_FALSE(m.exists(m.env.home.config));
}

TEST_F(legacy_installing, replaces_an_enrolment_only_when_told_so)
{
    m.enrol();
    options.password_file = "/root/password";
    EXPECT_EQ(code_of(install()), "already-enrolled");
    options.enrol_again = true;
    ASSERT_TRUE(install());
    const auto c = load_local_config(m.env.files, m.env.home.config, *m.env.secrets);
    ASSERT_TRUE(c);
    EXPECT_FALSE(c->managed()); // nothing of the control plane is left
    EXPECT_EQ(code_of(m.backup()), "done");
    EXPECT_TRUE(m.network.requests.empty());
}

} // namespace
} // namespace xentz::agent
