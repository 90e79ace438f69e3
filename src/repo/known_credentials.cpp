#include "repo/known_credentials.hpp"

#include "crypto/hash.hpp"

namespace xentz::repo {

known_credentials::known_credentials(ledger& inner, const base::clock& clock, base::random_source& random,
                                     std::chrono::microseconds lifetime, std::size_t most_entries)
    : inner_(inner), clock_(clock), lifetime_(lifetime), most_(most_entries)
{
    random.fill(key_);
}

// Under a key that nobody else has, a hash says nothing about the secret, however long it takes to look it up.
known_credentials::digest known_credentials::mark(const address& a, std::string_view user,
                                                  std::string_view secret) const
{
    std::string text;
    text.reserve(256);
    for (const std::string_view part :
         {std::string_view{a.tenant}, std::string_view{a.device}, std::string_view{a.user}, user, secret})
        text.append(std::to_string(part.size())).append(":").append(part);
    return crypto::hmac_sha256(key_, text);
}

std::optional<access> known_credentials::open(const address& a, std::string_view user, std::string_view secret)
{
    const auto which = mark(a, user, secret);
    const auto now = clock_.elapsed();
    std::uint64_t before = 0;
    {
        const std::lock_guard guard{mutex_};
        const auto at = known_.find(which);
        if (at != known_.end() && at->second.until > now) return at->second.what;
        before = changes_;
    }
    auto found = inner_.open(a, user, secret);
    const std::lock_guard guard{mutex_};
    if (!found) {
        known_.erase(which);
        return found;
    }
    // What was read before a change must not be remembered after it. Counted from before the question, so that an
    // answer that took long is not older than it may be.
    if (before != changes_) return found;
    make_room(now);
    known_.insert_or_assign(which, entry{*found, now + lifetime_});
    return found;
}

void known_credentials::make_room(std::chrono::microseconds now)
{
    if (known_.size() < most_) return;
    std::erase_if(known_, [&](const auto& e) { return e.second.until <= now; });
    if (known_.size() >= most_) known_.clear();
}

void known_credentials::set_initialised(std::string_view repository_id, bool initialised)
{
    inner_.set_initialised(repository_id, initialised);
    forget(repository_id);
}

void known_credentials::forget(std::string_view repository_id)
{
    const std::lock_guard guard{mutex_};
    ++changes_;
    std::erase_if(known_, [&](const auto& e) { return e.second.what.repository_id == repository_id; });
}

} // namespace xentz::repo
