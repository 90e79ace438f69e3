// The answer to "is this machine's data safe?" from what lies on it, without asking anybody.
#pragma once

#include "agent/config_source.hpp"
#include "agent/environment.hpp"
#include "agent/postponement.hpp"
#include "agent/state.hpp"

#include <optional>
#include <string>
#include <vector>

namespace xentz::agent {

// Without the control plane's word for longer than that, a config may no longer be what is wanted.
constexpr std::chrono::days config_grows_old{7};
constexpr std::chrono::days retention_grows_old{14};
constexpr std::chrono::days check_grows_old{60};

struct config_status {
    std::string origin; // server (the cached answer of the server), local, none
    std::optional<std::string> version;
    std::optional<base::time_point> fetched_at;
};
BOOST_DESCRIBE_STRUCT(config_status, (), (origin, version, fetched_at))

// `xentz-agent status --json` (docs/status.md). A job that never ran is absent.
struct status {
    std::uint32_t format = 1;
    bool enrolled = false;
    std::optional<std::string> server_url;
    std::optional<std::string> device_id;
    std::string state; // not-enrolled, active, disabled, revoked
    bool running = false;
    std::optional<job_state> backup;
    std::optional<job_state> retention;
    std::optional<job_state> check;
    std::optional<job_state> restore;
    std::vector<postponement> postponed; // scheduled runs that wait for better circumstances
    std::uint64_t reports_pending = 0;
    std::uint64_t reports_rejected = 0; // set aside: the server refused them for good
    config_status config;
    std::vector<base::time_point> next_runs;     // empty: nothing is scheduled
    std::optional<std::string> scheduler;        // that starts them; absent: none does
    std::optional<std::string> schedule_problem; // why runs may not come
    std::optional<std::string> schedule_caveat;  // what to know about them
    std::string verdict;                         // one sentence
    std::string remedy;                          // what to do; empty where nothing is to be done
    std::vector<std::string> notes;              // further sentences that somebody should read
};
BOOST_DESCRIBE_STRUCT(status, (),
                      (format, enrolled, server_url, device_id, state, running, backup, retention, check, restore,
                       postponed, reports_pending, reports_rejected, config, next_runs, scheduler, schedule_problem,
                       schedule_caveat, verdict, remedy, notes))

status read_status(environment& env);

// As a person reads it.
std::string describe(const status& s, base::time_point now);

} // namespace xentz::agent
