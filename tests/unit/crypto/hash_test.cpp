#include "base/hex.hpp"
#include "crypto/hash.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace xentz::crypto {
namespace {

// FIPS 180-4 examples.
TEST(sha256, known_answers)
{
    EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(sha256, pieces_give_what_the_whole_gives)
{
    EXPECT_TRUE(rc::check([](const std::string& a, const std::string& b) {
        sha256 hash;
        hash.update(a);
        hash.update(b);
        RC_ASSERT(hash.finish() == sha256_of(a + b));
    }));
}

TEST(sha256, can_be_moved_while_it_is_fed)
{
    sha256 first;
    first.update(std::string_view{"ab"});
    auto second = std::move(first);
    second.update(std::string_view{"c"});
    EXPECT_EQ(second.finish(), sha256_of("abc"));
}

std::vector<std::uint8_t> bytes(std::size_t n, std::uint8_t value) { return std::vector<std::uint8_t>(n, value); }

std::string mac(const std::vector<std::uint8_t>& key, const std::string& message)
{
    return base::to_hex(hmac_sha256(key, message));
}

// RFC 4231, test cases 1 to 4, 6 and 7.
TEST(hmac_sha256, known_answers)
{
    EXPECT_EQ(mac(bytes(20, 0x0b), "Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(mac({'J', 'e', 'f', 'e'}, "what do ya want for nothing?"),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(mac(bytes(20, 0xaa), std::string(50, '\xdd')),
              "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    std::vector<std::uint8_t> counting(25);
    for (std::size_t i = 0; i < counting.size(); ++i) counting[i] = static_cast<std::uint8_t>(i + 1);
    EXPECT_EQ(mac(counting, std::string(50, '\xcd')),
              "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
    EXPECT_EQ(mac(bytes(131, 0xaa), "Test Using Larger Than Block-Size Key - Hash Key First"),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    EXPECT_EQ(mac(bytes(131, 0xaa), "This is a test using a larger than block-size key and a larger than block-size "
                                    "data. The key needs to be hashed before being used by the HMAC algorithm."),
              "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST(equal, is_equality)
{
    EXPECT_TRUE(equal("", ""));
    EXPECT_TRUE(equal("secret", "secret"));
    EXPECT_FALSE(equal("secret", "secreT"));
    EXPECT_FALSE(equal("Secret", "secret"));
    EXPECT_FALSE(equal("secret", "secret "));
    EXPECT_FALSE(equal("", "s"));
    EXPECT_FALSE(equal(std::string_view{"a\0b", 3}, std::string_view{"a\0c", 3}));
}

} // namespace
} // namespace xentz::crypto
