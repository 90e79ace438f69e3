#include "crypto/sealed_box.hpp"
#include "fakes/fake_random.hpp"

#include <gtest/gtest.h>

namespace xentz::crypto {
namespace {

using base::fault_code;

struct sealed : testing::Test {
    fakes::fake_random random;
    key_pair key = make_key_pair(random);
};

TEST_F(sealed, opens_with_the_private_key)
{
    const auto box = seal_to(key.public_key, "a password");
    ASSERT_TRUE(box);
    EXPECT_TRUE(is_sealed_box(*box));
    EXPECT_EQ(*open_sealed(key, *box), "a password");
    EXPECT_NE(*seal_to(key.public_key, "a password"), *box) << "each box has a key of its own";
}

TEST_F(sealed, keys_are_64_digits_and_the_private_one_gives_the_public_one)
{
    EXPECT_EQ(key.public_key.size(), 64U);
    EXPECT_EQ(key.private_key.size(), 64U);
    EXPECT_TRUE(is_public_key(key.public_key));
    EXPECT_EQ(key_pair_of(key.private_key + "\n")->public_key, key.public_key);
    EXPECT_NE(make_key_pair(random).private_key, key.private_key);
}

TEST_F(sealed, another_key_opens_nothing)
{
    const auto box = *seal_to(key.public_key, "a password");
    EXPECT_EQ(open_sealed(make_key_pair(random), box).error().code, fault_code::wrong_password);
}

TEST_F(sealed, a_changed_box_opens_to_nothing)
{
    const auto box = *seal_to(key.public_key, "a password");
    for (std::size_t i = 0; i < box.size(); ++i) {
        auto changed = box;
        changed[i] = changed[i] == '0' ? '1' : '0';
        EXPECT_EQ(open_sealed(key, changed).error().code, fault_code::wrong_password) << i;
    }
    for (const auto* text : {"", "00", "no hex"}) {
        EXPECT_FALSE(is_sealed_box(text));
        EXPECT_FALSE(open_sealed(key, text));
    }
    EXPECT_FALSE(open_sealed(key, box.substr(0, 96)));
}

TEST_F(sealed, what_is_no_key_is_refused)
{
    for (const auto& text : {std::string{}, std::string(63, '0'), std::string(64, 'g'), std::string(65, '0')}) {
        EXPECT_FALSE(is_public_key(text));
        EXPECT_FALSE(seal_to(text, "x"));
        EXPECT_FALSE(key_pair_of(text));
    }
    EXPECT_FALSE(seal_to(std::string(64, '0'), "x")) << "the point at nought";
}

} // namespace
} // namespace xentz::crypto
