#include "crypto/passphrase.hpp"

#include "base/hex.hpp"
#include "crypto/sodium.hpp"

#include <sodium.h>

#include <array>
#include <optional>
#include <stdexcept>
#include <vector>

namespace xentz::crypto {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::uint64_t most_memory = std::uint64_t{1} << 30U;
constexpr std::uint64_t most_operations = 32;

using box_key = std::array<std::uint8_t, crypto_secretbox_KEYBYTES>;
using salt_bytes = std::array<std::uint8_t, crypto_pwhash_SALTBYTES>;

result<box_key> stretch(std::string_view passphrase, const std::uint8_t* salt, const stretching& cost)
{
    box_key key{};
    if (crypto_pwhash(key.data(), key.size(), passphrase.data(), passphrase.size(), salt, cost.operations,
                      cost.memory_bytes, crypto_pwhash_ALG_ARGON2ID13) == 0)
        return key;
    return fail(fault_code::out_of_memory,
                "a key cannot be made of the passphrase: it takes " + std::to_string(cost.memory_bytes >> 20U) +
                    " MiB of memory",
                "Make room: more memory or swap, or fewer programs");
}

std::unexpected<base::fault> no_box()
{
    return fail(fault_code::invalid_value, "what should hold a secret under a passphrase does not",
                "Use another copy: this one is damaged");
}

} // namespace

result<> check_passphrase(std::string_view passphrase)
{
    if (passphrase.size() >= shortest_passphrase) return {};
    return fail(fault_code::invalid_value,
                "the passphrase has fewer than " + std::to_string(shortest_passphrase) + " characters",
                "Take a longer one, for example five words at random");
}

result<passphrase_box> seal_with_passphrase(std::string_view passphrase, std::string_view plain,
                                            base::random_source& random, const stretching& cost)
{
    start_sodium();
    if (auto ok = check_passphrase(passphrase); !ok) return base::failed(ok);
    salt_bytes salt{};
    random.fill(salt);
    const auto key = stretch(passphrase, salt.data(), cost);
    if (!key) return std::unexpected(key.error());
    std::array<std::uint8_t, crypto_secretbox_NONCEBYTES> nonce{};
    random.fill(nonce);
    const std::vector<std::uint8_t> input(plain.begin(), plain.end());
    std::vector<std::uint8_t> box(nonce.begin(), nonce.end());
    box.resize(nonce.size() + crypto_secretbox_MACBYTES + input.size());
    crypto_secretbox_easy(box.data() + nonce.size(), input.data(), input.size(), nonce.data(), key->data());
    return passphrase_box{.cost = cost, .salt = base::to_hex(salt), .box = base::to_hex(box)};
}

result<std::string> open_with_passphrase(std::string_view passphrase, const passphrase_box& box)
{
    start_sodium();
    constexpr std::size_t overhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
    const auto salt = base::from_hex(box.salt);
    const auto bytes = base::from_hex(box.box);
    const bool affordable = box.cost.operations >= crypto_pwhash_OPSLIMIT_MIN &&
                            box.cost.operations <= most_operations &&
                            box.cost.memory_bytes >= crypto_pwhash_MEMLIMIT_MIN && box.cost.memory_bytes <= most_memory;
    if (!salt || salt->size() != crypto_pwhash_SALTBYTES || !bytes || bytes->size() < overhead || !affordable)
        return no_box();
    const auto key = stretch(passphrase, salt->data(), box.cost);
    if (!key) return std::unexpected(key.error());
    std::vector<std::uint8_t> plain(bytes->size() - overhead);
    const auto* sealed = bytes->data() + crypto_secretbox_NONCEBYTES;
    if (crypto_secretbox_open_easy(plain.data(), sealed, bytes->size() - crypto_secretbox_NONCEBYTES, bytes->data(),
                                   key->data()) != 0)
        return fail(fault_code::wrong_password, "the passphrase does not open it",
                    "Try another passphrase; where it is lost, the recovery sheet opens the copy, too");
    return std::string{plain.begin(), plain.end()};
}

} // namespace xentz::crypto
