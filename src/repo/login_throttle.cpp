#include "repo/login_throttle.hpp"

#include "crypto/hash.hpp"
#include "http/client_address.hpp"

#include <algorithm>

namespace xentz::repo {
namespace {

using std::chrono::seconds;

constexpr std::uint32_t free_failures = 4;
constexpr std::uint32_t most_doublings = 6;
constexpr seconds longest_wait{60};
// A pair that was quiet for so long starts anew.
constexpr std::chrono::hours forgotten_after{1};

std::string pair_of(const login_throttle::attempt& a)
{
    return http::network_of(a.source).append("\n").append(a.account);
}

} // namespace

login_throttle::entry& login_throttle::entry_of(const std::string& pair)
{
    const auto now = clock_.elapsed();
    if (const auto at = pairs_.find(pair); at != pairs_.end()) {
        auto& e = at->second;
        if (now - e.failed_at >= forgotten_after) e.failures = 0;
        by_age_.splice(by_age_.begin(), by_age_, e.age);
        return e;
    }
    if (pairs_.size() >= most_) forget(pairs_.find(by_age_.back()));
    by_age_.push_front(pair);
    entry fresh;
    fresh.age = by_age_.begin();
    return pairs_.emplace(pair, fresh).first->second;
}

void login_throttle::forget(std::map<std::string, entry>::iterator at)
{
    by_age_.erase(at->second.age);
    pairs_.erase(at);
}

seconds login_throttle::wait_for(const attempt& a)
{
    const std::lock_guard guard{mutex_};
    if (pairs_.empty()) return seconds{0};
    const auto at = pairs_.find(pair_of(a));
    if (at == pairs_.end()) return seconds{0};
    const auto left = at->second.blocked_until - clock_.elapsed();
    if (left <= std::chrono::microseconds{0}) return seconds{0};
    const auto hash = crypto::sha256_of(a.secret);
    if (at->second.last == hash) return seconds{0};
    const auto known = known_.find(a.account);
    if (known != known_.end() && known->second == hash) return seconds{0};
    return std::chrono::ceil<seconds>(left);
}

seconds login_throttle::failed(const attempt& a)
{
    const auto hash = crypto::sha256_of(a.secret);
    const std::lock_guard guard{mutex_};
    auto& e = entry_of(pair_of(a));
    if (e.failures > 0 && e.last == hash) return seconds{0};
    e.last = hash;
    e.failed_at = clock_.elapsed();
    if (++e.failures <= free_failures) return seconds{0};
    const auto doublings = std::min(e.failures - free_failures - 1, most_doublings);
    const auto wait = std::min(seconds{std::int64_t{1} << doublings}, longest_wait);
    e.blocked_until = e.failed_at + wait;
    return wait;
}

void login_throttle::passed(const attempt& a)
{
    const auto hash = crypto::sha256_of(a.secret);
    const std::lock_guard guard{mutex_};
    if (const auto at = known_.find(a.account); at != known_.end()) {
        at->second = hash;
    } else {
        if (known_.size() >= most_) known_.clear();
        known_.emplace(a.account, hash);
    }
    if (pairs_.empty()) return;
    // A device that has found its credential again is not to be slowed; a guesser beside it goes on waiting.
    const auto at = pairs_.find(pair_of(a));
    if (at != pairs_.end() && at->second.blocked_until <= clock_.elapsed()) forget(at);
}

} // namespace xentz::repo
