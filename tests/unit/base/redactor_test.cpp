#include "base/redactor.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace xentz::base {
namespace {

std::string cleaned(std::string_view text, const std::vector<std::string>& secrets = {})
{
    redactor r;
    for (const auto& s : secrets) r.add(s);
    return r.clean(text);
}

TEST(redactor, hides_every_secret_wherever_it_stands)
{
    EXPECT_EQ(cleaned("key topsecret, again topsecret!", {"topsecret"}), "key ***, again ***!");
    EXPECT_EQ(cleaned("topsecret", {"topsecret"}), "***");
    EXPECT_EQ(cleaned("nothing here", {"topsecret"}), "nothing here");
    EXPECT_EQ(cleaned("", {"topsecret"}), "");
}

TEST(redactor, a_secret_within_another_leaves_nothing_of_either)
{
    EXPECT_EQ(cleaned("abcdefgh", {"abcdef", "abcdefgh"}), "***");
    EXPECT_EQ(cleaned("abcdefgh", {"abcdefgh", "abcdef"}), "***");
    EXPECT_EQ(cleaned("abcdefgh", {"cdefgh", "abcdefgh"}), "***");
}

TEST(redactor, overlapping_secrets_leave_no_rest)
{
    EXPECT_EQ(cleaned("<abcdefghijkl>", {"abcdefgh", "efghijkl"}), "<***>");
    EXPECT_EQ(cleaned("<abcdefghijkl>", {"efghijkl", "abcdefgh"}), "<***>");
    EXPECT_EQ(cleaned("aaaaaaaa", {"aaaaaa"}), "***");
}

TEST(redactor, neighbours_are_hidden_one_by_one) { EXPECT_EQ(cleaned("abcdefghijkl", {"abcdef", "ghijkl"}), "******"); }

TEST(redactor, short_texts_are_no_secrets)
{
    EXPECT_EQ(cleaned("the root password", {"root", "", "word"}), "the root password");
    EXPECT_EQ(cleaned("12345 123456", {"123456"}), "12345 ***");
}

TEST(redactor, a_secret_may_look_like_the_mask) { EXPECT_EQ(cleaned("*******", {"******"}), "***"); }

TEST(redactor, passwords_of_addresses_are_hidden_without_being_known)
{
    EXPECT_EQ(cleaned("rest:http://u:p@h/repo"), "rest:http://u:***@h/repo");
    EXPECT_EQ(cleaned("Fatal: unable to open https://dev_1:abc@host:8000/x/: EOF"),
              "Fatal: unable to open https://dev_1:***@host:8000/x/: EOF");
    EXPECT_EQ(cleaned("postgresql://xentz:pw@/fleet"), "postgresql://xentz:***@/fleet");
    EXPECT_EQ(cleaned("http://a:1@x http://b:2@y"), "http://a:***@x http://b:***@y");
    EXPECT_EQ(cleaned("\"http://u:p@h\""), "\"http://u:***@h\"");
}

TEST(redactor, malformed_addresses_do_not_show_it_either)
{
    EXPECT_EQ(cleaned("rest:http://u:p@ss@h/"), "rest:http://u:***@h/");              // an '@' in it
    EXPECT_EQ(cleaned("http://u:a:b@h/"), "http://u:***@h/");                         // a colon in it
    EXPECT_EQ(cleaned("http://u:p@h:99999/"), "http://u:***@h:99999/");               // no port
    EXPECT_EQ(cleaned("http://u:p%ZZ@h/"), "http://u:***@h/");                        // no percent-encoding
    EXPECT_EQ(cleaned("parse \"http://u:p@ h\": x"), "parse \"http://u:***@ h\": x"); // a blank in the host
    EXPECT_EQ(cleaned("http://u:p@"), "http://u:***@");
    EXPECT_EQ(cleaned("http://:p@h"), "http://:***@h");
}

TEST(redactor, addresses_without_a_password_stay)
{
    for (const auto* text : {"http://host/path", "http://host:8080/a@b:c", "http://user@host:1/x", "https://[::1]:80/a",
                             "a://", "://", "mail me: a@b"})
        EXPECT_EQ(cleaned(text), text);
}

TEST(redactor, no_secret_survives_in_any_text)
{
    EXPECT_TRUE(rc::check([] {
        const auto letters = rc::gen::elementOf(std::string{"ab"});
        const auto secret = *rc::gen::suchThat(rc::gen::container<std::string>(letters),
                                               [](const std::string& s) { return s.size() >= 6; });
        const auto text =
            *rc::gen::container<std::string>(letters) + secret + *rc::gen::container<std::string>(letters);
        RC_ASSERT(cleaned(text, {secret}).find(secret) == std::string::npos);
    }));
}

} // namespace
} // namespace xentz::base
