#include "schedule/plan.hpp"

#include "schedule/local_time.hpp"

#include <algorithm>

namespace xentz::schedule {
namespace {

using base::time_point;
using domain::job;
using std::chrono::hours;
using std::chrono::minutes;

constexpr minutes first_delay{20};
constexpr hours longest_delay{6};
constexpr minutes still_on_time{70}; // the hourly run comes once in it
constexpr std::size_t most_remembered = 8;
// A clock is set back by hours where somebody corrects it: what it said before still counts. What lies further ahead
// was written by a clock that was wrong.
constexpr hours believed_ahead{6};

std::optional<time_point> latest_time(const spec& s, const domain::calendar& when, const os::time_zone& zone,
                                      time_point t)
{
    const auto at = latest(when, zone, std::chrono::floor<std::chrono::seconds>(t) - s.jitter);
    if (!at) return std::nullopt;
    return time_point{*at + s.jitter};
}

bool met(const std::vector<time_point>& times, time_point t) { return std::ranges::find(times, t) != times.end(); }

bool believed(const std::optional<time_point>& t, time_point now) { return t && *t <= now + believed_ahead; }

// Writes down what the last good run has met.
void remember(std::vector<time_point>& times, const std::optional<time_point>& time, time_point now)
{
    std::erase_if(times, [&](time_point t) { return !believed(t, now); });
    if (time && !met(times, *time)) times.push_back(*time);
    if (times.size() > most_remembered) times.erase(times.begin());
}

time_point next_try(const identity& who, job j, time_point time, time_point started)
{
    const auto lasted = std::chrono::duration_cast<std::chrono::seconds>(started - time);
    const auto delay = std::clamp<std::chrono::seconds>(lasted, first_delay, longest_delay);
    const auto purpose = std::string{domain::name(j)} + std::to_string(started.time_since_epoch().count());
    return started + delay + place_in(delay / 2, who, purpose);
}

bool may_try(const record& last, const identity& who, job j, time_point time, time_point now)
{
    const bool tried = last.failed && believed(last.started_at, now) && *last.started_at >= time;
    return !tried || (last.may_pass && now >= next_try(who, j, time, *last.started_at));
}

std::optional<due_job> judge(const spec& s, const identity& who, const job_times& j, const situation& now,
                             const memory& known, time_point time)
{
    const auto at = now.records.find(j.job);
    const auto last = at == now.records.end() ? record{} : at->second;
    const auto good = believed(last.last_good, now.now) ? last.last_good : std::nullopt;
    if (good && *good >= time) return std::nullopt;
    if (const auto times = known.met.find(j.job); times != known.met.end() && met(times->second, time))
        return std::nullopt;
    if (time < known.since && good && now.now - *good < hours{24}) return std::nullopt;
    const bool tried = last.failed && believed(last.started_at, now.now) && *last.started_at >= time;
    if (tried) {
        if (!may_try(last, who, j.job, time, now.now)) return std::nullopt;
        return due_job{j.job, time, reason::retry};
    }
    const bool late = now.now - time > still_on_time;
    if (late && !s.catch_up && !now.postponed.contains(j.job)) return std::nullopt;
    return due_job{j.job, time, late ? reason::missed : reason::on_time};
}

void follow_wish(memory& m, const situation& now)
{
    if (m.wish != now.wish) {
        m.wish = now.wish;
        m.wished = now.now;
        m.wish_done = false;
    }
    m.wished = std::min(m.wished, now.now);
    const auto last = now.records.find(job::backup);
    if (last == now.records.end() || last->second.failed) return;
    const bool began_after = believed(last->second.started_at, now.now) && *last->second.started_at >= m.wished;
    if (began_after || last->second.knew_wish) m.wish_done = true;
}

std::optional<due_job> judge_wish(const identity& who, const situation& now, const memory& known)
{
    if (known.wish.empty() || known.wish_done || !now.enabled) return std::nullopt;
    const auto last = now.records.find(job::backup);
    if (last != now.records.end() && !may_try(last->second, who, job::backup, known.wished, now.now))
        return std::nullopt;
    return due_job{job::backup, known.wished, reason::wished};
}

memory follow(const spec& s, const os::time_zone& zone, const situation& now)
{
    auto m = now.memory;
    if (m.fingerprint != s.fingerprint) {
        m.fingerprint = s.fingerprint;
        m.since = now.now;
    }
    m.since = std::min(m.since, now.now);
    follow_wish(m, now);
    for (const auto& j : s.jobs) {
        const auto last = now.records.find(j.job);
        std::optional<time_point> time;
        if (last != now.records.end() && believed(last->second.last_good, now.now))
            time = latest_time(s, j.when, zone, *last->second.last_good);
        remember(m.met[j.job], time, now.now);
    }
    return m;
}

} // namespace

plan make_plan(const spec& s, const identity& who, const os::time_zone& zone, const situation& now)
{
    plan p;
    p.memory = follow(s, zone, now);
    p.send_reports = now.managed && now.reports_pending > 0;
    p.contact = now.managed &&
                (!now.last_contact || *now.last_contact > now.now || now.now - *now.last_contact >= longest_silence);
    const auto backup = now.records.find(job::backup);
    const bool has_backup = backup != now.records.end() && backup->second.last_good;
    for (const auto& j : s.jobs) {
        const auto from = std::chrono::floor<std::chrono::seconds>(now.now) - s.jitter;
        if (const auto at = next(j.when, zone, from)) p.next[j.job] = time_point{*at + s.jitter};
        const auto time = latest_time(s, j.when, zone, now.now);
        // Before the first backup there is nothing to thin out and nothing to check.
        if (!time || !now.enabled || (j.job != job::backup && !has_backup)) continue;
        if (const auto due = judge(s, who, j, now, p.memory, *time)) p.due.push_back(*due);
    }
    const auto wish = judge_wish(who, now, p.memory);
    const auto due = std::ranges::find(p.due, job::backup, &due_job::job);
    if (wish && due != p.due.end())
        due->reason = reason::wished; // one run does both
    else if (wish)
        p.due.insert(p.due.begin(), *wish);
    return p;
}

} // namespace xentz::schedule
