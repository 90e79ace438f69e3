#include "schedule/spec.hpp"

namespace xentz::schedule {
namespace {

using base::result;
using domain::job;

// FNV-1a, and the finaliser of MurmurHash3 over it: neighbouring ids land far from each other. Not for secrets.
std::uint64_t scatter(std::string_view text)
{
    std::uint64_t h = 0xCBF29CE484222325ULL;
    for (const auto c : text) {
        h ^= static_cast<unsigned char>(c);
        h *= 0x100000001B3ULL;
    }
    h ^= h >> 33U;
    h *= 0xFF51AFD7ED558CCDULL;
    h ^= h >> 33U;
    h *= 0xC4CEB9FE1A85EC53ULL;
    return h ^ (h >> 33U);
}

int first_minute(const domain::calendar& c)
{
    int hour = 0;
    while (!c.hours[static_cast<std::size_t>(hour)]) ++hour;
    return hour * 60 + c.minute;
}

} // namespace

std::chrono::seconds place_in(std::chrono::seconds window, const identity& who, std::string_view purpose)
{
    if (window.count() <= 0) return std::chrono::seconds{0};
    // A line break is in none of the three.
    const auto text = who.device_id + '\n' + who.machine_id + '\n' + std::string{purpose};
    return std::chrono::seconds{static_cast<std::int64_t>(scatter(text) % static_cast<std::uint64_t>(window.count()))};
}

result<spec> spec_of(const domain::schedule& s, const identity& who)
{
    if (auto ok = domain::validate(s); !ok) return base::failed(ok);
    spec out;
    auto backup = domain::parse_calendar("schedule.daily_at", s.daily_at);
    if (!backup) return base::failed(backup);
    auto retention = s.retention_at ? domain::parse_calendar("schedule.retention_at", *s.retention_at)
                                    : domain::daily((first_minute(*backup) + 60) % (24 * 60));
    if (!retention) return base::failed(retention);
    out.jobs = {{job::backup, *backup}, {job::retention, *retention}};
    if (s.check_at) {
        auto check = domain::parse_calendar("schedule.check_at", *s.check_at);
        if (!check) return base::failed(check);
        out.jobs.push_back({job::check, *check});
    }
    const auto window = std::chrono::minutes{s.jitter_minutes.value_or(0)};
    out.jitter = place_in(window, who, "start");
    out.tick = place_in(std::chrono::hours{1}, who, "tick");
    out.catch_up = s.catch_up.value_or(true);
    out.fingerprint = s.daily_at + "; " + s.retention_at.value_or("") + "; " + s.check_at.value_or("") + "; " +
                      std::to_string(out.jitter.count()) + (out.catch_up ? "" : "; no catch-up");
    return out;
}

} // namespace xentz::schedule
