#include "base/size_text.hpp"
#include "control/undelete.hpp"
#include "output.hpp"
#include "repo_context.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

using base::fault_code;
using base::result;
using store::object_life;

struct moved_object {
    std::string type;
    std::string name;
    std::int64_t bytes = 0;
    std::optional<base::time_point> deleted_at;
};
BOOST_DESCRIBE_STRUCT(moved_object, (), (type, name, bytes, deleted_at))

struct undelete_output {
    std::string repository_id;
    std::int64_t place = 0;      // what it goes back to
    std::int64_t undo_place = 0; // `--exact --keys --before` this takes it back
    bool dry_run = false;
    std::vector<moved_object> restored;
    std::vector<moved_object> buried; // moved to the trash
    std::vector<moved_object> lost;   // no longer in the trash
    std::uint64_t keys_left_out = 0;
};
BOOST_DESCRIBE_STRUCT(undelete_output, (),
                      (repository_id, place, undo_place, dry_run, restored, buried, lost, keys_left_out))

std::vector<moved_object> shown(const std::vector<object_life>& lives)
{
    std::vector<moved_object> out;
    out.reserve(lives.size());
    for (const auto& l : lives) out.push_back({l.type, l.name.empty() ? l.hash : l.name, l.bytes, l.left_at});
    return out;
}

result<> restore_one(repo_context& r, const object_life& l)
{
    const auto place = r.objects.returned(l.repository_id, l.place, r.c.clock.now());
    if (!place) return {};
    auto moved = r.blobs->unbury(slot_of(l));
    // A server that compares rows and files may have moved it already.
    if (moved || (moved.error().code == fault_code::not_found && r.blobs->size(key_of(l)))) return {};
    r.objects.not_returned(l.repository_id, *place, l.place);
    return moved;
}

result<> bury_one(repo_context& r, const object_life& l)
{
    const store::object_identity o{l.type, l.name, l.hash, l.bytes};
    const auto place = r.objects.departing(l.repository_id, o, r.c.clock.now(), true);
    if (!place) return {};
    const repo::trash_entry slot{key_of(l), l.hash, *place};
    auto moved = r.blobs->bury(slot);
    if (moved || (moved.error().code == fault_code::not_found && r.blobs->open_buried(slot))) return {};
    r.objects.stayed(l.repository_id, *place);
    return moved;
}

// The config changes places in between: whole snapshots before it, and never two configs.
result<> carry_out(repo_context& r, const control::undelete_plan& plan)
{
    const auto is_config = [](const object_life& l) { return l.type == "config"; };
    for (const auto& l : plan.bury)
        if (is_config(l))
            if (auto ok = bury_one(r, l); !ok) return ok;
    for (const auto& l : plan.restore)
        if (auto ok = restore_one(r, l); !ok) return ok;
    for (const auto& l : plan.bury)
        if (!is_config(l))
            if (auto ok = bury_one(r, l); !ok) return ok;
    if (r.blobs->size({r.repository.id.text, repo::object_type::config, {}}))
        r.admin.store.set_initialised(r.repository.id, true);
    return {};
}

std::string sum_text(const std::vector<moved_object>& objects)
{
    std::uint64_t bytes = 0;
    for (const auto& o : objects) bytes += static_cast<std::uint64_t>(o.bytes);
    return base::counted(objects.size(), "object") + " (" + base::to_size(bytes) + ")";
}

void print_moves(const std::string& heading, const std::vector<moved_object>& objects)
{
    if (objects.empty()) return;
    print_line(heading);
    base::table table{{"TYPE", "NAME", "SIZE", "DELETED (UTC)"}};
    for (const auto& o : objects)
        table.add({o.type, o.name.substr(0, 16), base::to_size(static_cast<std::uint64_t>(o.bytes)),
                   short_time(o.deleted_at)});
    print_table(table, "");
}

void print_outcome(const undelete_output& out, const control::undelete_plan& plan)
{
    if (out.dry_run) {
        print_moves("Would come back:", out.restored);
        print_moves("Would move to the trash:", out.buried);
    }
    print_line((out.dry_run ? "Would restore " : "Restored ") + sum_text(out.restored) +
               (out.buried.empty()
                    ? ""
                    : (out.dry_run ? "; would move " : "; moved ") + sum_text(out.buried) + " to the trash") +
               ".");
    if (!out.lost.empty())
        print_line("Not in the trash any more: " + sum_text(out.lost) + ". Let restic check the repository.");
    if (out.keys_left_out > 0)
        print_line(base::counted(out.keys_left_out, "removed key") + " stay in the trash; --keys brings them back.");
    if (plan.config_changes)
        print_line("The config changes: what was stored under the other one does not belong to this repository. "
                   "--exact moves it to the trash.");
    if (!out.dry_run && !(out.restored.empty() && out.buried.empty()))
        print_line("To undo: xentz-server repo undelete --device ID --exact --keys --before " +
                   std::to_string(out.undo_place) + "\nNext: let restic check the repository.");
}

result<> undelete(repo_context& r, const repo_options& o)
{
    if (auto ok = r.blobs->ready(); !ok) return ok;
    auto place = control::place_of(r.admin, r.repository, o.before);
    if (!place) return base::failed(place);
    const auto& id = r.repository.id;
    const auto plan = control::plan_undelete(r.objects.changes_since(id, *place),
                                             {.place = *place, .exact = o.exact, .keys = o.keys});
    std::int64_t keys = 0;
    for (const auto& t : r.objects.usage_by_type(id))
        if (t.type == "keys") keys = t.live_objects;
    if (auto ok = control::check_undelete(plan, keys); !ok) return ok;
    undelete_output out{.repository_id = id.text,
                        .place = *place,
                        .undo_place = r.objects.state(id).place,
                        .dry_run = o.dry_run,
                        .restored = shown(plan.restore),
                        .buried = shown(plan.bury),
                        .lost = shown(plan.lost),
                        .keys_left_out = plan.keys_left_out};
    if (!o.dry_run)
        if (auto ok = carry_out(r, plan); !ok) return ok;
    if (r.c.json)
        print_json(out);
    else
        print_outcome(out, plan);
    return {};
}

} // namespace

void add_undelete_command(CLI::App& repo, context& c, const std::shared_ptr<repo_options>& o)
{
    auto* command = repo.add_subcommand("undelete", "put back what was deleted");
    command->add_option("--device", o->device, "the device whose repository it is")->required();
    command
        ->add_option("--before", o->before,
                     "put back what was deleted since then: an instant such as "
                     "2026-11-23T18:30:00Z, or a place of the journal")
        ->required();
    command->add_flag("--exact", o->exact, "also move to the trash what came after it");
    command->add_flag("--keys", o->keys, "also put back keys that were removed");
    command->add_flag("--dry-run", o->dry_run, "show what it would do");
    on_repo_call(command, c, o, undelete);
}

} // namespace xentz::apps
