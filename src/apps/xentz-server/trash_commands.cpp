#include "base/size_text.hpp"
#include "output.hpp"
#include "repo_context.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

using base::fail;
using base::fault_code;
using base::result;

struct trash_line {
    std::string type;
    std::string name;
    std::int64_t bytes = 0;
    std::int64_t place = 0;
    std::optional<base::time_point> deleted_at;
    std::optional<base::time_point> kept_until;
    bool held = false;
};
BOOST_DESCRIBE_STRUCT(trash_line, (), (type, name, bytes, place, deleted_at, kept_until, held))

std::int64_t highest_hold(repo_context& r)
{
    std::int64_t out = 0;
    for (const auto& h : r.objects.holds(r.repository.id))
        if (!h.released_at) out = std::max(out, h.place);
    return out;
}

std::vector<trash_line> lines_of(repo_context& r)
{
    const auto held = highest_hold(r);
    const auto days = std::chrono::days{r.objects.rule_of(r.repository.id).trash_days};
    std::vector<trash_line> out;
    for (const auto& l : r.objects.in_trash(r.repository.id)) {
        trash_line line{.type = l.type,
                        .name = l.name.empty() ? l.hash : l.name,
                        .bytes = l.bytes,
                        .place = l.left_place.value_or(0),
                        .deleted_at = l.left_at,
                        .held = l.first_place <= held};
        if (l.left_at && !line.held) line.kept_until = *l.left_at + days;
        out.push_back(std::move(line));
    }
    return out;
}

result<> list_trash(repo_context& r, const repo_options&)
{
    const auto lines = lines_of(r);
    if (r.c.json) {
        print_json(lines);
        return {};
    }
    base::table table{{"TYPE", "NAME", "SIZE", "DELETED (UTC)", "PLACE", "KEPT UNTIL (UTC)"}};
    for (const auto& l : lines)
        table.add({l.type, l.name.substr(0, 16), base::to_size(static_cast<std::uint64_t>(l.bytes)),
                   short_time(l.deleted_at), std::to_string(l.place), l.held ? "held" : short_time(l.kept_until)});
    print_table(table, "The trash is empty.");
    return {};
}

struct purge_output {
    std::uint64_t objects = 0;
    std::uint64_t bytes = 0;
    std::uint64_t held = 0;
};
BOOST_DESCRIBE_STRUCT(purge_output, (), (objects, bytes, held))

result<> purge_trash(repo_context& r, const repo_options& o)
{
    if (auto ok = r.blobs->ready(); !ok) return ok;
    auto age = std::chrono::seconds{0};
    if (o.older_than != "0") {
        const auto parsed = control::parse_ttl(o.older_than);
        if (!parsed) return std::unexpected(parsed.error());
        age = *parsed;
    }
    const auto before = r.c.clock.now() - age;
    purge_output out;
    for (const auto& l : r.objects.in_trash(r.repository.id)) {
        if (!l.left_at || *l.left_at > before) continue;
        if (!r.objects.purged(l.repository_id, l.place)) {
            ++out.held;
            continue;
        }
        if (auto ok = r.blobs->destroy(slot_of(l)); !ok) return ok;
        ++out.objects;
        out.bytes += static_cast<std::uint64_t>(l.bytes);
    }
    if (r.c.json)
        print_json(out);
    else
        print_line("Removed " + base::counted(out.objects, "object") + " (" + base::to_size(out.bytes) +
                   ") from the trash for good" +
                   (out.held > 0 ? "; " + base::counted(out.held, "object") + " stay: a hold keeps them" : "") + ".");
    return {};
}

struct hold_view {
    std::int64_t place = 0;
    base::time_point held_at;
    std::string reason;
    std::optional<base::time_point> released_at;
};
BOOST_DESCRIBE_STRUCT(hold_view, (), (place, held_at, reason, released_at))

result<> list_holds(repo_context& r)
{
    std::vector<hold_view> views;
    for (const auto& h : r.objects.holds(r.repository.id))
        views.push_back({h.place, h.held_at, h.reason, h.released_at});
    if (r.c.json) {
        print_json(views);
        return {};
    }
    base::table table{{"PLACE", "HELD SINCE (UTC)", "RELEASED (UTC)", "REASON"}};
    for (const auto& v : views)
        table.add({std::to_string(v.place), short_time(v.held_at), short_time(v.released_at), v.reason});
    print_table(table, "There is no hold.");
    return {};
}

result<> hold(repo_context& r, const repo_options& o)
{
    if (o.show) return list_holds(r);
    const auto now = r.c.clock.now();
    if (o.release > 0) {
        if (!r.objects.release(r.repository.id, o.release, now))
            return fail(fault_code::not_found, "there is no hold at place " + std::to_string(o.release),
                        "See `xentz-server repo hold --device ID --list`");
        if (!r.c.json) print_line("Released. The sweep may now empty the trash as the tenant's trash-days say.");
        return {};
    }
    const auto made = r.objects.hold(r.repository.id, o.reason, now);
    if (r.c.json)
        print_json(hold_view{made.place, made.held_at, made.reason, {}});
    else
        print_line("Held at place " + std::to_string(made.place) +
                   ": nothing that is there now leaves the trash until the hold is released.");
    return {};
}

} // namespace

void add_trash_commands(CLI::App& repo, context& c, const std::shared_ptr<repo_options>& o)
{
    auto* trash = repo.add_subcommand("trash", "what was deleted and is still there");
    trash->require_subcommand(1);
    auto* list = trash->add_subcommand("list", "show the trash, oldest deletion first");
    list->add_option("--device", o->device, "the device whose repository it is")->required();
    on_repo_call(list, c, o, list_trash);
    auto* purge = trash->add_subcommand("purge", "remove from the trash for good");
    purge->add_option("--device", o->device, "the device whose repository it is")->required();
    purge->add_option("--older-than", o->older_than, "deleted longer ago than this: 10d, 12h; 0 for everything")
        ->required();
    on_repo_call(purge, c, o, purge_trash);
    auto* command = repo.add_subcommand("hold", "keep everything that is there now until the hold is released");
    command->add_option("--device", o->device, "the device whose repository it is")->required();
    command->add_option("--reason", o->reason, "for those who read the list of holds");
    command->add_option("--release", o->release, "end the hold at this place instead");
    command->add_flag("--list", o->show, "show the holds instead");
    on_repo_call(command, c, o, hold);
}

} // namespace xentz::apps
