#include "base/size_text.hpp"
#include "output.hpp"
#include "repo_context.hpp"
#include "store/scrub_log.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

using base::result;

struct damage_line {
    std::string repository_id;
    std::string device_id;
    std::string type;
    std::string name;
    bool in_trash = false;
    std::string how;
    base::time_point found_at;
    base::time_point seen_at;
};
BOOST_DESCRIBE_STRUCT(damage_line, (), (repository_id, device_id, type, name, in_trash, how, found_at, seen_at))

struct scrub_output {
    std::optional<std::int64_t> round; // absent: none has begun
    std::optional<base::time_point> began_at;
    std::optional<base::time_point> ended_at; // absent while it is under way
    std::int64_t objects = 0;
    std::int64_t bytes = 0;
    std::optional<base::time_point> last_round_at;
    std::vector<damage_line> damaged;
};
BOOST_DESCRIBE_STRUCT(scrub_output, (), (round, began_at, ended_at, objects, bytes, last_round_at, damaged))

scrub_output look(store::fleet_store& store)
{
    auto log = store.scrubs();
    scrub_output out;
    if (const auto at = log.position()) {
        out.round = at->round;
        out.began_at = at->began_at;
        out.ended_at = at->ended_at;
        out.objects = at->objects;
        out.bytes = at->bytes;
        out.last_round_at = at->last_round_at;
    }
    for (const auto& [damage, object] : log.damages()) {
        const auto owner = store.find_repository(damage.repository_id);
        out.damaged.push_back({damage.repository_id.text, owner ? owner->device_id.text : "", object.type, object.name,
                               object.in_trash, damage.how, damage.found_at, damage.seen_at});
    }
    return out;
}

std::string read_text(const scrub_output& s)
{
    return base::counted(static_cast<std::uint64_t>(s.objects), "object") + ", " +
           base::to_size(static_cast<std::uint64_t>(s.bytes));
}

void tell(const scrub_output& s)
{
    if (!s.round)
        print_line("No scrub has begun yet: a serving `xentz-server` does it (serve --scrub-rate).");
    else if (s.ended_at)
        print_line("Round " + std::to_string(*s.round) + " has read everything by " + short_time(s.ended_at) +
                   " UTC: " + read_text(s) + ".");
    else
        print_line("Round " + std::to_string(*s.round) + " began at " + short_time(s.began_at) + " UTC and has read " +
                   read_text(s) + "; everything was last read by " + short_time(s.last_round_at) + ".");
    for (const auto& d : s.damaged)
        print_line(d.repository_id + " of " + d.device_id + ": " + d.type + (d.name.empty() ? "" : "/" + d.name) +
                   (d.in_trash ? " in the trash" : "") + ": " + d.how + " Found " + short_time(d.found_at) + " UTC");
    if (s.damaged.empty() && s.round) print_line("No damage is known.");
}

result<> show_scrub(repo_context& r, const repo_options&)
{
    const auto found = look(*r.home.store);
    if (r.c.json)
        print_json(found);
    else
        tell(found);
    if (found.damaged.empty()) return {};
    return base::fail(
        base::fault_code::repository_damaged,
        base::counted(found.damaged.size(), "object") + (found.damaged.size() == 1 ? " is damaged" : " are damaged"),
        "See to the disk first; then let the device back up again, which stores anew what its files still "
        "hold, and repair the rest by restic's guide (docs/operations.md)");
}

} // namespace

void add_scrub_command(CLI::App& repo, context& c, const std::shared_ptr<repo_options>& o)
{
    auto* command = repo.add_subcommand(
        "scrub", "show how far the scrub of a serving process is, and which objects it found damaged");
    on_repo_call(command, c, o, show_scrub);
}

} // namespace xentz::apps
