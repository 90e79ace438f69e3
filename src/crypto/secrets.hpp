// Tokens, keys, and what is derived from or sealed under the server's master key (libsodium).
//
// The master key is a file of 32 random bytes in hex, mode 0600. Repository secrets are not stored but derived:
// HMAC-SHA-256(master key, "repository-secret\n<repository id>\n<generation>"), hex; the secrets of further credentials
// likewise, from "repository-credential\n<repository id>\n<generation>\n<credential id>\n<kind>". Passwords are stored
// sealed: XSalsa20-Poly1305 with a random nonce, under a key derived from the master key, bound to a purpose.
#pragma once

#include "base/fault.hpp"
#include "base/random.hpp"
#include "crypto/hash.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace xentz::crypto {

// "xit_" (install token) or "xdk_" (device key) followed by 256 random bits in hex.
std::string make_token(std::string_view prefix, base::random_source& random);

// What is stored of a token or key: SHA-256 in hex. They are random, so no salt and no stretching.
std::string token_hash(std::string_view token);

// 256 random bits in hex: a restic repository password.
std::string make_password(base::random_source& random);

class master_key {
public:
    static master_key generate(base::random_source& random);
    // The text form: 64 lower-case hex digits, blanks and a final line break allowed.
    static base::result<master_key> parse(std::string_view text);
    std::string text() const;
    // Eight hex digits that tell one key from another without saying anything about it.
    std::string fingerprint() const;

    std::string repository_secret(std::string_view repository_id, std::uint32_t generation) const;
    // The secret of a credential beside the device's own; another one for each id and each kind.
    std::string credential_secret(std::string_view repository_id, std::uint32_t generation,
                                  std::string_view credential_id, std::string_view kind) const;

    // `purpose` binds a box to its place, for example the repository's id: a box moved elsewhere does not open.
    std::string seal(std::string_view purpose, std::string_view plain, base::random_source& random) const;
    base::result<std::string> open(std::string_view purpose, std::string_view box) const;

    // Says of a text that whoever wrote it had this key, and that it is as it was; hex.
    std::string mac(std::string_view purpose, std::string_view text) const;

private:
    explicit master_key(const digest& key) : key_(key) {}
    digest box_key(std::string_view purpose) const;
    digest key_;
};

// A person's password as an argon2id text, and its check; each takes 64 MiB and some 100 ms.
std::string hash_login_password(std::string_view password);
bool check_login_password(std::string_view password, std::string_view hash);

} // namespace xentz::crypto
