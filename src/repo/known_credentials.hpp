// A ledger that remembers for half a second what another one said, so that the requests of one restic do not ask the
// database each. Only what opened is remembered, under a keyed hash of address, user and secret; so a revocation, a
// change of the protection and the end of a maintenance hold within that time, whichever process made them and
// whichever database keeps them (docs/adr/0013-known-credentials.md).
//
// Threads: any. Errors: as the ledger behind it, which must outlive it, as must the clock.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "repo/ledger.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace xentz::repo {

class known_credentials final : public ledger {
public:
    // `most_entries`: where more credentials are in use at once, the database is asked more often.
    known_credentials(ledger& inner, const base::clock& clock, base::random_source& random,
                      std::chrono::microseconds lifetime = std::chrono::milliseconds{500},
                      std::size_t most_entries = 10'000);

    std::optional<access> open(const address& a, std::string_view user, std::string_view secret) override;
    void set_initialised(std::string_view repository_id, bool initialised) override;
    void forget(std::string_view repository_id) override;

private:
    using digest = std::array<std::uint8_t, 32>;
    struct entry {
        access what;
        std::chrono::microseconds until{};
    };
    digest mark(const address& a, std::string_view user, std::string_view secret) const;
    void make_room(std::chrono::microseconds now);

    ledger& inner_;
    const base::clock& clock_;
    std::chrono::microseconds lifetime_;
    std::size_t most_;
    digest key_{}; // of this process alone
    std::mutex mutex_;
    std::uint64_t changes_ = 0;
    std::map<digest, entry> known_;
};

} // namespace xentz::repo
