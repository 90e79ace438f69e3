#include "agent/stale_locks.hpp"

#include "agent/preflight.hpp"
#include "agent/repository_pin.hpp"
#include "agent/rest_repository.hpp"

#include <algorithm>

namespace xentz::agent {
namespace {

using base::result;

constexpr std::chrono::minutes longest_unrefreshed{30};
constexpr std::chrono::minutes most_skew{5};
// A process is recorded, and seen in the process table, a moment before or after it writes its lock.
constexpr std::chrono::seconds slack{2};

bool is_own(const engine::lock& l, const lock_facts& facts)
{
    return std::ranges::any_of(facts.own, [&](const engine_process& p) {
        return p.process_id == l.process_id && p.host == l.host && p.started_at <= l.since + slack;
    });
}

bool clock_agrees(const lock_facts& facts)
{
    if (!facts.server_now) return true;
    const auto skew = facts.now - *facts.server_now;
    return skew <= most_skew && skew >= -most_skew;
}

// Whether a process that was there when the lock was written has the lock's id now.
bool is_running(const engine::lock& l, const os::process_table& processes)
{
    const auto started = processes.started_at(l.process_id);
    return started && *started <= l.since + slack;
}

std::string label(const engine::lock& l)
{
    return std::string{l.exclusive ? "exclusive " : ""} + "lock of process " + std::to_string(l.process_id) + " on " +
           l.host + " by " + l.user + " since " + base::to_rfc3339(l.since);
}

// Where the locks of one repository are, and how one of them is taken away.
class lock_place {
public:
    static result<lock_place> of(environment& env, const std::string& address, http::client& client)
    {
        lock_place p{env};
        p.folder_ = local_repository(address);
        if (rest_repository::is_rest(address)) {
            auto rest = rest_repository::at(address, client);
            if (!rest) return base::failed(rest);
            p.rest_.emplace(std::move(*rest));
        }
        return p;
    }

    // False: one lock alone cannot be removed here.
    bool has_single_removal() const { return rest_ || folder_; }

    // Nothing where the lock is gone by now.
    result<std::optional<std::optional<base::time_point>>> stored_at(const std::string& id, std::stop_token stop)
    {
        using answer = std::optional<std::optional<base::time_point>>;
        if (rest_) {
            auto found = rest_->find_lock(id, std::move(stop));
            if (!found) return base::failed(found);
            return *found ? answer{(*found)->stored_at} : answer{};
        }
        if (!folder_) return answer{std::optional<base::time_point>{}};
        const auto info = env_.files.info(*folder_ / "locks" / id);
        return info ? answer{info->modified} : answer{};
    }

    result<> remove(const std::string& id, std::stop_token stop)
    {
        if (rest_) return rest_->remove_lock(id, std::move(stop));
        auto removed = env_.files.remove(*folder_ / "locks" / id);
        if (!removed && removed.error().code != base::fault_code::not_found) return removed;
        return {};
    }

    // For a folder of this machine, whose times are this machine's, its own clock.
    std::optional<base::time_point> server_now() const
    {
        if (rest_) return rest_->server_time();
        return folder_ ? std::optional{env_.clock.now()} : std::nullopt;
    }

private:
    explicit lock_place(environment& env) : env_(env) {}
    environment& env_;
    std::optional<std::filesystem::path> folder_;
    std::optional<rest_repository> rest_;
};

lock_facts facts_of(environment& env)
{
    lock_facts f;
    f.now = env.clock.now();
    f.host = env.host_name;
    f.own = load_engine_record(env.files, env.home);
    f.processes = &env.processes;
    const auto pin = load_pin(env.files, env.home);
    f.same_machine = pin && *pin && !env.machine_id.empty() && (*pin)->machine_id == env.machine_id;
    return f;
}

struct judged {
    engine::lock lock;
    lock_judgement judgement;
};

result<std::vector<judged>> judge_all(const std::vector<engine::lock>& locks, lock_facts facts, lock_place& place,
                                      std::stop_token stop)
{
    std::vector<judged> out;
    for (const auto& l : locks) {
        auto stored = place.stored_at(l.id, stop);
        if (!stored) return base::failed(stored);
        if (!*stored) continue;
        facts.server_now = place.server_now();
        out.push_back({l, judge_lock(l, **stored, facts)});
    }
    return out;
}

std::string sentence_of(std::string_view verb, const judged& j)
{
    return std::string{verb} + " the " + label(j.lock) + ": " + j.judgement.why;
}

} // namespace

lock_judgement judge_lock(const engine::lock& l, const std::optional<base::time_point>& stored_at,
                          const lock_facts& facts)
{
    using enum lock_verdict;
    const bool here = l.host == facts.host;
    if (is_own(l, facts)) return {dead, "this agent's own process wrote it and is gone"};
    const bool sees_all = facts.processes != nullptr && facts.processes->sees_all();
    if (here && sees_all && is_running(l, *facts.processes)) return {alive, "its process is running"};
    if (here && sees_all && facts.same_machine && clock_agrees(facts)) return {dead, "its process is gone"};
    // A server that does not say when it stored the lock leaves what the holder wrote into it, as for restic itself.
    const auto refreshed = stored_at.value_or(l.since);
    if (facts.server_now && *facts.server_now - refreshed > longest_unrefreshed) {
        const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(*facts.server_now - refreshed);
        return {dead, "nobody refreshed it for " + base::to_words(age)};
    }
    return {uncertain, "whoever wrote it may be at work"};
}

result<cleared_locks> clear_dead_locks(environment& env, const std::string& address, http::client& client,
                                       engine::session& session, std::stop_token stop)
{
    auto place = lock_place::of(env, address, client);
    if (!place) return base::failed(place);
    const auto locks = session.locks(stop);
    if (!locks) return std::unexpected(locks.error());
    auto all = judge_all(*locks, facts_of(env), *place, stop);
    if (!all) return base::failed(all);
    const auto is_dead = [](const judged& j) { return j.judgement.verdict == lock_verdict::dead; };

    cleared_locks out;
    // restic's `unlock` takes every lock that it thinks dead, so it may run only where all of them are.
    const bool together = !place->has_single_removal();
    if (together && std::ranges::all_of(*all, is_dead) && !all->empty())
        if (auto ok = session.unlock(stop); !ok) return base::failed(ok);
    for (const auto& j : *all) {
        const bool goes = is_dead(j) && (!together || std::ranges::all_of(*all, is_dead));
        if (goes && !together)
            if (auto ok = place->remove(j.lock.id, stop); !ok) return base::failed(ok);
        (goes ? out.removed : out.kept).push_back(sentence_of(goes ? "removed" : "left", j));
    }
    return out;
}

} // namespace xentz::agent
