// A secret under a passphrase: argon2id makes a key of the passphrase, XSalsa20-Poly1305 seals the secret under it
// (libsodium). For the master key in a copy of the control plane (docs/control-copy.md).
//
// Threads: pure functions. Each takes as much memory as the stretching says, and about a second.
#pragma once

#include "base/fault.hpp"
#include "base/random.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace xentz::crypto {

// How dear each guess of a passphrase is made.
struct stretching {
    std::uint64_t operations = 3;
    std::uint64_t memory_bytes = std::uint64_t{256} << 20U;
};

// The salt and the box are hex; the rest says how to make the key again.
struct passphrase_box {
    stretching cost;
    std::string salt;
    std::string box;
};

constexpr std::size_t shortest_passphrase = 12;

// invalid_value where it is shorter than 12 bytes.
base::result<> check_passphrase(std::string_view passphrase);

// invalid_value where the passphrase is shorter than 12 bytes, out_of_memory where the stretching does not fit.
base::result<passphrase_box> seal_with_passphrase(std::string_view passphrase, std::string_view plain,
                                                  base::random_source& random, const stretching& cost = {});

// wrong_password where it does not open, which a damaged box looks like, too; invalid_value where the box is none, or
// asks for more than 1 GiB.
base::result<std::string> open_with_passphrase(std::string_view passphrase, const passphrase_box& box);

} // namespace xentz::crypto
