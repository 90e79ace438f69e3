#include "crypto/secrets.hpp"
#include "fakes/fake_random.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <regex>

namespace xentz::crypto {
namespace {

const std::string key_text = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

master_key key() { return *master_key::parse(key_text); }

TEST(tokens, are_a_prefix_and_256_random_bits)
{
    fakes::fake_random random;
    const auto token = make_token("xit_", random);
    EXPECT_TRUE(std::regex_match(token, std::regex{"xit_[0-9a-f]{64}"})) << token;
    EXPECT_NE(make_token("xit_", random), token);
    const auto password = make_password(random);
    EXPECT_TRUE(std::regex_match(password, std::regex{"[0-9a-f]{64}"})) << password;
    EXPECT_NE(make_password(random), password);
}

TEST(tokens, are_stored_as_their_hash)
{
    EXPECT_EQ(token_hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(master_key, text_comes_back)
{
    EXPECT_EQ(key().text(), key_text);
    fakes::fake_random random;
    const auto fresh = master_key::generate(random);
    EXPECT_EQ(master_key::parse(fresh.text())->text(), fresh.text());
    EXPECT_NE(master_key::generate(random).text(), fresh.text());
}

TEST(master_key, may_be_typed_in_groups_with_line_breaks)
{
    std::string grouped;
    for (std::size_t i = 0; i < key_text.size(); i += 8)
        grouped += key_text.substr(i, 8) + (i % 32 == 24 ? "\r\n" : " ");
    const auto k = master_key::parse(grouped);
    ASSERT_TRUE(k);
    EXPECT_EQ(k->text(), key_text);
}

TEST(master_key, anything_else_is_refused_without_being_repeated)
{
    auto upper = key_text;
    upper.back() = 'F';
    for (const auto& text : {std::string{}, key_text.substr(2), key_text + "00", upper, std::string(64, 'x')}) {
        const auto k = master_key::parse(text);
        ASSERT_FALSE(k) << text;
        EXPECT_EQ(k.error().code, base::fault_code::invalid_value);
        EXPECT_EQ(k.error().message.find("00112233"), std::string::npos);
        EXPECT_FALSE(k.error().remedy.empty());
    }
}

TEST(master_key, the_fingerprint_tells_keys_apart_and_is_no_part_of_them)
{
    const auto print = key().fingerprint();
    EXPECT_TRUE(std::regex_match(print, std::regex{"[0-9a-f]{8}"})) << print;
    EXPECT_EQ(key().fingerprint(), print);
    EXPECT_EQ(key_text.find(print), std::string::npos);
    auto other = key_text;
    other.back() = '0';
    EXPECT_NE(master_key::parse(other)->fingerprint(), print);
}

// The derivation is a promise: an installation must find its repositories again after an upgrade. Computed with
// `openssl dgst -sha256 -mac HMAC`.
TEST(master_key, the_repository_secret_stays_what_it_is)
{
    EXPECT_EQ(key().repository_secret("repo_0123456789abcdef0123", 1),
              "bae6075a778a9731fe7bb43839a93922a4a1ac5087c9e0ad0034c8c925292706");
}

TEST(master_key, the_repository_secret_depends_on_everything)
{
    const auto secret = key().repository_secret("repo_a", 1);
    EXPECT_TRUE(std::regex_match(secret, std::regex{"[0-9a-f]{64}"})) << secret;
    EXPECT_EQ(key().repository_secret("repo_a", 1), secret);
    EXPECT_NE(key().repository_secret("repo_b", 1), secret);
    EXPECT_NE(key().repository_secret("repo_a", 2), secret);
    EXPECT_NE(key().repository_secret("repo_a\n1", 1), key().repository_secret("repo_a", 11));
    fakes::fake_random random;
    EXPECT_NE(master_key::generate(random).repository_secret("repo_a", 1), secret);
}

TEST(master_key, the_credential_secret_stays_what_it_is_and_depends_on_everything)
{
    const auto secret = [](std::string_view repository, std::uint32_t generation, std::string_view id,
                           std::string_view kind) { return key().credential_secret(repository, generation, id, kind); };
    EXPECT_EQ(secret("repo_0123456789abcdef0123", 1, "cred_0123456789abcdef0123", "read-only"),
              "8bb94d889092590fc5ac9bcd233f87b0bcfb881464c3d11d39faf57d6c939c17");
    const auto one = secret("repo_a", 1, "cred_a", "read-only");
    EXPECT_NE(secret("repo_b", 1, "cred_a", "read-only"), one);
    EXPECT_NE(secret("repo_a", 2, "cred_a", "read-only"), one);
    EXPECT_NE(secret("repo_a", 1, "cred_b", "read-only"), one);
    EXPECT_NE(secret("repo_a", 1, "cred_a", "maintenance"), one);
    EXPECT_NE(key().repository_secret("repo_a", 1), one);
}

TEST(seal, opens_again)
{
    EXPECT_TRUE(rc::check([](const std::string& plain, const std::string& purpose, std::uint64_t seed) {
        fakes::fake_random random{seed};
        const auto box = key().seal(purpose, plain, random);
        const auto opened = key().open(purpose, box);
        RC_ASSERT(opened.has_value());
        RC_ASSERT(*opened == plain);
    }));
}

TEST(seal, hides_the_text_and_never_makes_the_same_box_twice)
{
    fakes::fake_random random;
    const auto box = key().seal("repo_a", "password", random);
    EXPECT_TRUE(std::regex_match(box, std::regex{"[0-9a-f]+"}));
    EXPECT_EQ(box.find("70617373"), std::string::npos); // "pass"
    EXPECT_NE(key().seal("repo_a", "password", random), box);
}

TEST(seal, does_not_open_elsewhere_or_with_another_key)
{
    fakes::fake_random random;
    const auto box = key().seal("repo_a", "password", random);
    const auto elsewhere = key().open("repo_b", box);
    ASSERT_FALSE(elsewhere);
    EXPECT_EQ(elsewhere.error().message, "a stored password does not open with this master key");
    EXPECT_FALSE(master_key::generate(random).open("repo_a", box));
}

TEST(seal, a_damaged_box_does_not_open)
{
    fakes::fake_random random;
    const auto box = key().seal("repo_a", "password", random);
    for (std::size_t i = 0; i < box.size(); ++i) {
        auto damaged = box;
        damaged[i] = damaged[i] == '0' ? '1' : '0';
        EXPECT_FALSE(key().open("repo_a", damaged)) << i;
    }
    for (const auto& broken : {std::string{}, std::string{"zz"}, box.substr(0, 78), box + "0", box + "00"})
        EXPECT_FALSE(key().open("repo_a", broken)) << broken.size();
}

TEST(login_password, only_the_right_one_passes)
{
    const auto hash = hash_login_password("correct horse");
    EXPECT_TRUE(hash.starts_with("$argon2id$")) << hash;
    EXPECT_EQ(hash.find("horse"), std::string::npos);
    EXPECT_TRUE(check_login_password("correct horse", hash));
    EXPECT_FALSE(check_login_password("correct Horse", hash));
    EXPECT_FALSE(check_login_password("", hash));
    EXPECT_NE(hash_login_password("correct horse"), hash); // salted
}

TEST(login_password, a_hash_that_is_none_lets_nobody_in)
{
    EXPECT_FALSE(check_login_password("x", ""));
    EXPECT_FALSE(check_login_password("x", "x"));
    EXPECT_FALSE(check_login_password("x", std::string(500, '$')));
}

} // namespace
} // namespace xentz::crypto
