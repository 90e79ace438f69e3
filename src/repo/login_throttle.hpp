// Slows down whoever guesses a credential, and nobody else: failures are counted for a source and an account together.
// From the fifth on, further attempts of that pair are turned away unseen for 1, 2, 4 ... 60 seconds. The same wrong
// secret again is no further guess, so a device with an old credential is told so each time. The secret that last
// opened the account always gets through, so a guesser behind the same address does not lock the device out
// (docs/adr/0014-login-throttle.md).
//
// Keeps hashes of secrets only. Bounded: beyond `most_entries` the pair that failed longest ago is forgotten.
// Threads: any. The clock must outlive it.
#pragma once

#include "base/clock.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace xentz::repo {

class login_throttle {
public:
    explicit login_throttle(const base::clock& clock, std::size_t most_entries = 10'000)
        : clock_(clock), most_(most_entries)
    {
    }

    struct attempt {
        std::string_view source;  // an address: IPv4, or IPv6, of which the network (/64) counts
        std::string_view account; // what is to be opened, and as whom
        std::string_view secret;
    };
    // Zero: the attempt may be looked at. Otherwise how long to wait.
    std::chrono::seconds wait_for(const attempt& a);
    // The secret was wrong; how long the pair has to wait from now on, zero for the first few.
    std::chrono::seconds failed(const attempt& a);
    void passed(const attempt& a);

private:
    using digest = std::array<std::uint8_t, 32>;
    struct entry {
        std::uint32_t failures = 0;
        digest last{}; // of the last secret that failed
        std::chrono::microseconds failed_at{};
        std::chrono::microseconds blocked_until{};
        std::list<std::string>::iterator age;
    };
    entry& entry_of(const std::string& pair);
    void forget(std::map<std::string, entry>::iterator at);

    const base::clock& clock_;
    std::size_t most_;
    std::mutex mutex_;
    std::map<std::string, entry> pairs_;
    std::list<std::string> by_age_;                    // newest failure first
    std::map<std::string, digest, std::less<>> known_; // account -> hash of the secret that opened it last
};

} // namespace xentz::repo
