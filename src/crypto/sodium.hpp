// For the sources of this module alone.
#pragma once

namespace xentz::crypto {

// libsodium picks its fastest implementations here; calling it again is cheap and safe from any thread. Throws where
// the system gives no randomness.
void start_sodium();

} // namespace xentz::crypto
