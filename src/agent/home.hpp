// The agent's folder (docs/agent-files.md): by default ~/.xentz-agent, moved by XENTZ_AGENT_HOME. The folder is
// 0700, its files are 0600, every write is atomic.
#pragma once

#include "os/files.hpp"

#include <filesystem>

namespace xentz::agent {

struct home {
    std::filesystem::path folder;
    std::filesystem::path config; // may lie elsewhere: --config

    std::filesystem::path cached_config() const { return folder / "config.cached.json"; }
    std::filesystem::path contact() const { return folder / "state" / "contact.json"; }
    std::filesystem::path state(std::string_view job) const { return folder / "state" / (std::string{job} + ".json"); }
    std::filesystem::path running() const { return folder / "state" / "running.json"; }
    std::filesystem::path repository_pin() const { return folder / "state" / "repository.json"; }
    std::filesystem::path engine_record() const { return folder / "state" / "engine.json"; }
    std::filesystem::path restic_version() const { return folder / "state" / "restic.json"; }
    std::filesystem::path delivery() const { return folder / "state" / "delivery.json"; }
    std::filesystem::path epoch() const { return folder / "state" / "epoch.json"; }
    std::filesystem::path schedule_memory() const { return folder / "state" / "schedule.json"; }
    std::filesystem::path invocation() const { return folder / "schedule.json"; }
    std::filesystem::path schedule() const { return folder / "schedule"; }
    std::filesystem::path spool() const { return folder / "spool"; }
    std::filesystem::path rejected() const { return folder / "spool" / "rejected"; }
    std::filesystem::path sent() const { return folder / "spool" / "sent"; }
    std::filesystem::path password() const { return folder / "restic.pw"; }
    std::filesystem::path password_on_trial() const { return folder / "restic.pw.try"; }
    std::filesystem::path deposit() const { return folder / "state" / "deposit.json"; }
    std::filesystem::path password_rotation() const { return folder / "state" / "password.json"; }
    std::filesystem::path enrolment() const { return folder / "enrolment.json"; }
    std::filesystem::path recovery() const { return folder / "recovery.json"; }
    std::filesystem::path lock() const { return folder / "run.lock"; }
    std::filesystem::path config_lock() const { return folder / "config.lock"; }
    std::filesystem::path log() const { return folder / "logs" / "agent.log"; }
    std::filesystem::path cache() const { return folder / "cache"; }
    std::filesystem::path drill() const { return folder / "drill"; }
    std::filesystem::path rotation() const { return folder / "state" / "rotation.json"; }
    std::filesystem::path commands() const { return config.parent_path() / "commands.json"; }
    std::filesystem::path postponed() const { return folder / "state" / "postponed.json"; }
    std::filesystem::path runtime() const { return folder / "run"; }
};

// Makes the folder and what is below it.
base::result<> prepare(os::files& fs, const home& h);

} // namespace xentz::agent
