#include "crypto/sealed_box.hpp"

#include "base/hex.hpp"
#include "crypto/sodium.hpp"

#include <sodium.h>

#include <array>
#include <optional>
#include <vector>

namespace xentz::crypto {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::size_t digits = 2 * crypto_box_PUBLICKEYBYTES;
static_assert(crypto_box_PUBLICKEYBYTES == crypto_box_SECRETKEYBYTES);

std::optional<std::vector<std::uint8_t>> key_bytes(std::string_view text)
{
    if (text.size() != digits) return std::nullopt;
    return base::from_hex(text);
}

} // namespace

key_pair make_key_pair(base::random_source& random)
{
    start_sodium();
    std::array<std::uint8_t, crypto_box_SECRETKEYBYTES> secret{};
    random.fill(secret);
    return *key_pair_of(base::to_hex(secret));
}

result<key_pair> key_pair_of(std::string_view private_key)
{
    start_sodium();
    while (private_key.ends_with('\n') || private_key.ends_with('\r') || private_key.ends_with(' '))
        private_key.remove_suffix(1);
    const auto secret = key_bytes(private_key);
    if (!secret) return fail(fault_code::invalid_value, "a private key has 64 hex digits", "Name the file of the key");
    std::array<std::uint8_t, crypto_box_PUBLICKEYBYTES> open{};
    crypto_scalarmult_base(open.data(), secret->data());
    return key_pair{.public_key = base::to_hex(open), .private_key = base::to_hex(*secret)};
}

bool is_public_key(std::string_view text) { return key_bytes(text).has_value(); }

result<std::string> seal_to(std::string_view public_key, std::string_view plain)
{
    start_sodium();
    const auto key = key_bytes(public_key);
    if (!key) return fail(fault_code::invalid_value, "a public key has 64 hex digits");
    std::vector<std::uint8_t> box(plain.size() + crypto_box_SEALBYTES);
    const std::vector<std::uint8_t> bytes{plain.begin(), plain.end()};
    if (crypto_box_seal(box.data(), bytes.data(), bytes.size(), key->data()) != 0)
        return fail(fault_code::invalid_value, "the public key is none that can be sealed to",
                    "Make a new one with `xentz-server custody keygen`");
    return base::to_hex(box);
}

bool is_sealed_box(std::string_view box)
{
    const auto bytes = base::from_hex(box);
    return bytes && bytes->size() > crypto_box_SEALBYTES;
}

result<std::string> open_sealed(const key_pair& key, std::string_view box)
{
    start_sodium();
    const auto wrong = [] {
        return fail(fault_code::wrong_password, "the private key does not open what the server keeps",
                    "Use the key that belonged to the tenant when the machine enrolled");
    };
    const auto bytes = base::from_hex(box);
    const auto open = key_bytes(key.public_key);
    const auto secret = key_bytes(key.private_key);
    if (!bytes || bytes->size() <= crypto_box_SEALBYTES || !open || !secret) return wrong();
    std::vector<std::uint8_t> plain(bytes->size() - crypto_box_SEALBYTES);
    if (crypto_box_seal_open(plain.data(), bytes->data(), bytes->size(), open->data(), secret->data()) != 0)
        return wrong();
    return std::string{plain.begin(), plain.end()};
}

} // namespace xentz::crypto
