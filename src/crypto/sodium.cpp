#include "crypto/sodium.hpp"

#include <sodium.h>

#include <stdexcept>

namespace xentz::crypto {

void start_sodium()
{
    if (sodium_init() < 0) throw std::runtime_error("libsodium cannot start: the system gives no randomness");
}

} // namespace xentz::crypto
