#include "crypto/secrets.hpp"

#include "base/hex.hpp"
#include "crypto/sodium.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

namespace xentz::crypto {
namespace {

using base::fail;
using base::fault_code;
using base::result;

std::string random_hex(base::random_source& random)
{
    digest bytes{};
    random.fill(bytes);
    return base::to_hex(bytes);
}

} // namespace

std::string make_token(std::string_view prefix, base::random_source& random)
{
    return std::string{prefix} + random_hex(random);
}

std::string token_hash(std::string_view token) { return sha256_hex(token); }

std::string make_password(base::random_source& random) { return random_hex(random); }

master_key master_key::generate(base::random_source& random)
{
    digest key{};
    random.fill(key);
    return master_key{key};
}

result<master_key> master_key::parse(std::string_view text)
{
    std::string digits;
    std::ranges::copy_if(text, std::back_inserter(digits), [](char c) { return c != ' ' && c != '\n' && c != '\r'; });
    const auto bytes = base::from_hex(digits);
    digest key{};
    if (!bytes || bytes->size() != key.size())
        return fail(fault_code::invalid_value, "the master key is not 64 lower-case hexadecimal digits",
                    "Put back the key from its recovery sheet or from a backup of the control plane");
    std::ranges::copy(*bytes, key.begin());
    return master_key{key};
}

std::string master_key::text() const { return base::to_hex(key_); }

std::string master_key::fingerprint() const { return base::to_hex(hmac_sha256(key_, "fingerprint")).substr(0, 8); }

std::string master_key::repository_secret(std::string_view repository_id, std::uint32_t generation) const
{
    const auto message = "repository-secret\n" + std::string{repository_id} + "\n" + std::to_string(generation);
    return base::to_hex(hmac_sha256(key_, message));
}

std::string master_key::credential_secret(std::string_view repository_id, std::uint32_t generation,
                                          std::string_view credential_id, std::string_view kind) const
{
    const auto number = std::to_string(generation);
    std::string message = "repository-credential";
    for (const auto part : {repository_id, std::string_view{number}, credential_id, kind})
        message.append("\n").append(part);
    return base::to_hex(hmac_sha256(key_, message));
}

digest master_key::box_key(std::string_view purpose) const { return hmac_sha256(key_, "box\n" + std::string{purpose}); }

std::string master_key::seal(std::string_view purpose, std::string_view plain, base::random_source& random) const
{
    start_sodium();
    const auto key = box_key(purpose);
    std::array<std::uint8_t, crypto_secretbox_NONCEBYTES> nonce{};
    random.fill(nonce);
    const std::vector<std::uint8_t> input(plain.begin(), plain.end());
    std::vector<std::uint8_t> box(nonce.begin(), nonce.end());
    box.resize(nonce.size() + crypto_secretbox_MACBYTES + input.size());
    crypto_secretbox_easy(box.data() + nonce.size(), input.data(), input.size(), nonce.data(), key.data());
    return base::to_hex(box);
}

result<std::string> master_key::open(std::string_view purpose, std::string_view box) const
{
    start_sodium();
    constexpr std::size_t overhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
    const auto bytes = base::from_hex(box);
    if (!bytes || bytes->size() < overhead)
        return fail(fault_code::invalid_value, "a stored password is damaged", "Restore the control plane's database");
    const auto key = box_key(purpose);
    std::vector<std::uint8_t> plain(bytes->size() - overhead);
    const auto* sealed = bytes->data() + crypto_secretbox_NONCEBYTES;
    if (crypto_secretbox_open_easy(plain.data(), sealed, bytes->size() - crypto_secretbox_NONCEBYTES, bytes->data(),
                                   key.data()) != 0)
        return fail(fault_code::invalid_value, "a stored password does not open with this master key",
                    "Put back the master key that belongs to this database");
    return std::string{plain.begin(), plain.end()};
}

std::string master_key::mac(std::string_view purpose, std::string_view text) const
{
    return base::to_hex(hmac_sha256(hmac_sha256(key_, "mac\n" + std::string{purpose}), text));
}

std::string hash_login_password(std::string_view password)
{
    start_sodium();
    std::array<char, crypto_pwhash_STRBYTES> text{};
    if (crypto_pwhash_str_alg(text.data(), password.data(), password.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                              crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13) != 0)
        throw std::bad_alloc{};
    return text.data();
}

bool check_login_password(std::string_view password, std::string_view hash)
{
    start_sodium();
    return crypto_pwhash_str_verify(std::string{hash}.c_str(), password.data(), password.size()) == 0;
}

} // namespace xentz::crypto
