#include "base/size_text.hpp"
#include "orphans.hpp"
#include "output.hpp"
#include "repo_context.hpp"
#include "storage.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

using base::result;
using control::repository_view;

std::string size_text(std::int64_t bytes)
{
    return base::to_size(static_cast<std::uint64_t>(std::max<std::int64_t>(bytes, 0)));
}

std::string size_text(const std::optional<std::int64_t>& bytes) { return bytes ? size_text(*bytes) : "-"; }

std::string growth_text(const std::optional<std::int64_t>& bytes)
{
    if (!bytes) return "-";
    return (*bytes < 0 ? "-" : "+") + size_text(*bytes < 0 ? -*bytes : *bytes);
}

result<std::vector<repository_view>> views_of(repo_context& r, const repo_options& o)
{
    std::optional<domain::tenant_id> only;
    if (!o.tenant.empty()) {
        auto tenant = control::tenant_named(r.admin, o.tenant);
        if (!tenant) return base::failed(tenant);
        only = tenant->id;
    }
    std::vector<repository_view> out;
    for (const auto& row : r.admin.store.repositories())
        if (!only || row.tenant_id == *only) out.push_back(control::view(r.admin, row));
    return out;
}

result<> list_repositories(repo_context& r, const repo_options& o)
{
    auto views = views_of(r, o);
    if (!views) return base::failed(views);
    if (r.c.json) {
        print_json(*views);
        return {};
    }
    base::table table{
        {"REPOSITORY", "DEVICE", "HOST", "PROTECTION", "SIZE", "TRASH", "NEWEST SNAPSHOT (UTC)", "LAST ACCESS (UTC)"}};
    for (const auto& v : *views)
        table.add({v.repository_id, v.device_id, v.hostname, v.protection, size_text(v.bytes), size_text(v.trash_bytes),
                   short_time(v.newest_snapshot_at), short_time(v.last_access_at)});
    print_table(table, "There is no repository yet: a device gets one when it enrols.");
    return {};
}

result<> show_usage(repo_context& r, const repo_options& o)
{
    auto views = views_of(r, o);
    if (!views) return base::failed(views);
    if (r.c.json) {
        print_json(*views);
        return {};
    }
    base::table table{{"REPOSITORY", "HOST", "SIZE", "TRASH", "QUOTA", "LEVEL", "IN 7 DAYS", "IN 30 DAYS"}};
    for (const auto& v : *views)
        table.add({v.repository_id, v.hostname, size_text(v.bytes), size_text(v.trash_bytes), size_text(v.quota_bytes),
                   v.level, growth_text(v.grown_in_7_days), growth_text(v.grown_in_30_days)});
    print_table(table, "There is no repository yet: a device gets one when it enrols.");
    return {};
}

result<> show_repository(repo_context& r, const repo_options&)
{
    const auto v = control::view(r.admin, r.repository);
    if (r.c.json) {
        print_json(v);
        return {};
    }
    print_line("Repository       " + v.repository_id + (v.initialised ? "" : " (never initialised)"));
    print_line("Device           " + v.device_id + ", " + v.hostname);
    print_line("Protection       " + v.protection + "; the trash keeps " +
               base::counted(static_cast<std::uint64_t>(v.trash_days), "day"));
    print_line("Size             " + size_text(v.bytes) + " in " +
               base::counted(static_cast<std::uint64_t>(v.objects), "object"));
    print_line("Trash            " + size_text(v.trash_bytes) + " in " +
               base::counted(static_cast<std::uint64_t>(v.trash_objects), "object"));
    print_line("Quota            " + size_text(v.quota_bytes) + " (" + v.level + ")");
    print_line("Newest snapshot  " + short_time(v.newest_snapshot_at) + " UTC");
    print_line("Last access      " + short_time(v.last_access_at) + " UTC");
    print_line("Journal          place " + std::to_string(v.place) + ", " +
               base::counted(static_cast<std::uint64_t>(v.holds), "hold"));
    for (const auto& alarm : v.alarms) print_line("ALARM            " + alarm);
    if (v.maintenance_until) print_line("In maintenance until " + short_time(v.maintenance_until) + " UTC");
    base::table table{{"TYPE", "OBJECTS", "SIZE", "IN THE TRASH", "SIZE THERE"}};
    for (const auto& t : v.types)
        table.add({t.type, std::to_string(t.live_objects), size_text(t.live_bytes), std::to_string(t.trash_objects),
                   size_text(t.trash_bytes)});
    print_table(table, "It holds nothing.");
    return {};
}

result<> list_orphans(repo_context& r, const repo_options&)
{
    const auto found = repositories_without_device(r.c, *r.home.store, r.home.storage_id);
    if (!found) return std::unexpected(found.error());
    if (r.c.json) {
        print_json(*found);
        return {};
    }
    base::table table{{"REPOSITORY"}};
    for (const auto& id : *found) table.add({id});
    print_table(table, "Each repository on the storage belongs to a device.");
    return {};
}

} // namespace

result<std::unique_ptr<repo_context>> repo_context::open(context& c, const repo_options& o)
{
    auto home = open_installation(c);
    if (!home) return base::failed(home);
    if (auto ok = check_storage_option(c); !ok) return base::failed(ok);
    auto& store = *home->store;
    auto places = std::make_unique<storages>(c, store, home->storage_id, "");
    auto blobs = std::make_unique<routed_storage>(*places);
    auto objects = store.objects();
    std::unique_ptr<repo_context> out{new repo_context{
        c, std::move(*home), std::move(places), std::move(blobs), {store, c.clock, c.random}, std::move(objects), {}}};
    if (o.device.empty()) return out;
    auto repository = control::repository_of_device(out->admin, o.device);
    if (!repository) return base::failed(repository);
    out->repository = std::move(*repository);
    return out;
}

void on_repo_call(CLI::App* command, context& c, const std::shared_ptr<repo_options>& o, repo_work work)
{
    command->callback([&c, o, work] {
        c.action = [&c, o, work]() -> result<> {
            auto r = repo_context::open(c, *o);
            if (!r) return base::failed(r);
            return work(**r, *o);
        };
    });
}

void add_repo_commands(CLI::App& app, context& c)
{
    auto o = std::make_shared<repo_options>();
    auto* repo = app.add_subcommand("repo", "repositories: what they hold, their trash, and getting things back");
    repo->require_subcommand(1);
    auto* list = repo->add_subcommand("list", "show the repositories");
    list->add_option("--tenant", o->tenant, "only this tenant's");
    on_repo_call(list, c, o, list_repositories);
    auto* usage = repo->add_subcommand("usage", "show sizes, quotas and growth");
    usage->add_option("--tenant", o->tenant, "only this tenant's");
    on_repo_call(usage, c, o, show_usage);
    auto* show = repo->add_subcommand("show", "everything about one repository");
    show->add_option("--device", o->device, "the device whose repository it is")->required();
    on_repo_call(show, c, o, show_repository);
    on_repo_call(repo->add_subcommand("orphans", "show what lies on the storage and belongs to no device"), c, o,
                 list_orphans);
    add_undelete_command(*repo, c, o);
    add_trash_commands(*repo, c, o);
    add_credential_commands(*repo, c, o);
    add_verify_command(*repo, c, o);
    add_adopt_command(*repo, c, o);
    add_move_command(*repo, c, o);
    add_scrub_command(*repo, c, o);
}

} // namespace xentz::apps
