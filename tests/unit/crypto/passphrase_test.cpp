#include "crypto/passphrase.hpp"

#include "fakes/fake_random.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace xentz::crypto {
namespace {

using base::fault_code;
using testing::HasSubstr;

// As little as libsodium allows: what is dear in the program is cheap here.
constexpr stretching cheap{.operations = 1, .memory_bytes = 8192};
constexpr auto phrase = "correct horse battery staple";

struct sealing : testing::Test {
    fakes::fake_random random;
    passphrase_box box = *seal_with_passphrase(phrase, "the secret", random, cheap);
};

TEST_F(sealing, opens_with_the_passphrase_and_with_nothing_else)
{
    EXPECT_EQ(*open_with_passphrase(phrase, box), "the secret");
    for (const auto* wrong : {"", "correct horse battery stapl", "Correct horse battery staple"})
        EXPECT_EQ(open_with_passphrase(wrong, box).error().code, fault_code::wrong_password) << wrong;
}

TEST_F(sealing, is_another_box_each_time)
{
    const auto again = *seal_with_passphrase(phrase, "the secret", random, cheap);
    EXPECT_NE(again.salt, box.salt);
    EXPECT_NE(again.box, box.box);
}

TEST_F(sealing, refuses_a_short_passphrase)
{
    EXPECT_EQ(seal_with_passphrase("elevenchars", "x", random, cheap).error().code, fault_code::invalid_value);
    EXPECT_TRUE(seal_with_passphrase("twelve chars", "x", random, cheap));
}

TEST_F(sealing, one_altered_digit_does_not_open)
{
    for (std::size_t i = 0; i < box.box.size(); i += 7) {
        auto altered = box;
        altered.box[i] = altered.box[i] == '0' ? '1' : '0';
        EXPECT_EQ(open_with_passphrase(phrase, altered).error().code, fault_code::wrong_password) << i;
    }
}

// A damaged file must not make a restore ask for all the memory of the host.
TEST_F(sealing, a_box_that_asks_for_too_much_is_none)
{
    for (const auto& cost :
         {stretching{1, std::uint64_t{2} << 30U}, stretching{1'000'000, 8192}, stretching{0, 8192}, stretching{1, 0}}) {
        auto odd = box;
        odd.cost = cost;
        EXPECT_EQ(open_with_passphrase(phrase, odd).error().code, fault_code::invalid_value);
    }
    for (auto field : {&passphrase_box::salt, &passphrase_box::box})
        for (const auto* text : {"", "zz", "00"}) {
            auto odd = box;
            odd.*field = text;
            EXPECT_EQ(open_with_passphrase(phrase, odd).error().code, fault_code::invalid_value);
        }
}

// What guards the key of a whole fleet must not become cheap by an oversight.
TEST(stretching, is_argon2id_at_256_mib_unless_told_otherwise)
{
    EXPECT_EQ(stretching{}.memory_bytes, std::uint64_t{256} * 1024 * 1024);
    EXPECT_EQ(stretching{}.operations, 3U);
}

} // namespace
} // namespace xentz::crypto
