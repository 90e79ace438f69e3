// A secret for the holder of a private key alone: whoever has the public key can seal, only the private key opens
// (libsodium's sealed boxes: X25519, XSalsa20-Poly1305, with an ephemeral key that libsodium draws itself). For the
// passwords of repositories whose tenant keeps the key (docs/custody.md).
//
// Keys and boxes are hex. Threads: pure functions.
#pragma once

#include "base/fault.hpp"
#include "base/random.hpp"

#include <string>
#include <string_view>

namespace xentz::crypto {

struct key_pair {
    std::string public_key;  // 64 digits
    std::string private_key; // 64 digits
};
key_pair make_key_pair(base::random_source& random);

// invalid_value where it is no private key.
base::result<key_pair> key_pair_of(std::string_view private_key);
bool is_public_key(std::string_view text);

// invalid_value where the key is none.
base::result<std::string> seal_to(std::string_view public_key, std::string_view plain);
// wrong_password where the box was made for another key, or is damaged.
base::result<std::string> open_sealed(const key_pair& key, std::string_view box);
bool is_sealed_box(std::string_view box);

} // namespace xentz::crypto
