#include "agent/repository_access.hpp"

#include "agent/repository_pin.hpp"
#include "agent/rest_repository.hpp"
#include "agent/stale_locks.hpp"

#include <algorithm>

namespace xentz::agent {

using base::fail;
using base::fault_code;
using base::result;

result<repository_look> look(run_context& c, engine::session& session)
{
    auto seen = look_at_repository(c.env.files, c.effective.config.restic.repository, c.client, session, c.stop);
    if (seen && seen->server_time && !c.clock_skew)
        c.clock_skew = std::chrono::duration_cast<std::chrono::seconds>(c.env.clock.now() - *seen->server_time);
    return seen;
}

result<> require_pinned_repository(run_context& c, engine::session& session)
{
    const auto& address = c.effective.config.restic.repository;
    const auto pin = load_pin(c.env.files, c.env.home);
    if (!pin) return std::unexpected(pin.error());
    const auto seen = look(c, session);
    if (!seen) return std::unexpected(seen.error());
    if (!seen->present)
        return fail(*pin ? fault_code::repository_changed : fault_code::repository_missing,
                    "there is no repository at " + without_credential(address),
                    *pin ? "Find out what happened to it: its storage may be missing or another one"
                         : "Run `xentz-agent backup` first");
    return check_pin(c.env, *pin, *seen, address, session, c.stop);
}

// restic has said that the snapshot is there; the server is asked, too, before a person is told.
result<std::string> confirmed_snapshot(run_context& c, const std::string& id)
{
    const auto& address = c.effective.config.restic.repository;
    if (!rest_repository::is_rest(address)) return id;
    auto repository = rest_repository::at(address, c.client);
    if (!repository) return base::failed(repository);
    const auto listed = repository->snapshots(c.stop);
    if (!listed)
        return fail(fault_code::snapshot_unconfirmed,
                    "restic made snapshot " + id.substr(0, 8) +
                        ", but whether the server has it is not known: " + listed.error().message,
                    "Run it again once the repository can be reached");
    const auto found = std::ranges::find_if(*listed, [&](const auto& name) { return name.starts_with(id); });
    if (found != listed->end() && !id.empty()) return *found;
    return fail(fault_code::snapshot_unconfirmed,
                "restic made snapshot " + id.substr(0, 8) + ", but the server does not list it",
                "Check the repository and the server's storage before you rely on this backup");
}

bool cleared_dead_locks(run_context& c, engine::session& session, std::vector<std::string>& warnings)
{
    const auto cleared = clear_dead_locks(c.env, c.effective.config.restic.repository, c.client, session, c.stop);
    if (!cleared) {
        c.env.log.warn("the locks of the repository could not be judged: " + base::sentence(cleared.error()));
        return false;
    }
    for (const auto& text : cleared->kept) c.env.log.info(text);
    for (const auto& text : cleared->removed) {
        c.env.log.warn(text);
        warnings.push_back(text);
    }
    return !cleared->removed.empty();
}

} // namespace xentz::agent
