#include "base/size_text.hpp"
#include "os/stop.hpp"
#include "output.hpp"
#include "repo_context.hpp"
#include "repository_move.hpp"
#include "storage.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

using base::fail;
using base::failed;
using base::fault_code;
using base::result;

struct storage_line {
    std::string id;
    std::string address;
    std::uint64_t repositories = 0;
    std::string state; // "ready", or why it is not
};
BOOST_DESCRIBE_STRUCT(storage_line, (), (id, address, repositories, state))

struct move_output {
    std::string repository_id;
    std::string storage_id;
    std::uint64_t objects = 0;
    std::uint64_t bytes = 0;
};
BOOST_DESCRIBE_STRUCT(move_output, (), (repository_id, storage_id, objects, bytes))

std::string state_of(repo_context& r, const std::string& id)
{
    auto place = r.places->find(id);
    if (!place) return base::sentence(place.error());
    const auto ready = (*place)->storage->ready();
    return ready ? "ready" : base::sentence(ready.error());
}

result<> list_storages(repo_context& r, const repo_options&)
{
    std::vector<storage_line> out;
    auto places = r.admin.store.places();
    std::uint64_t elsewhere = 0;
    for (const auto& s : places.all()) {
        out.push_back({s.id, s.address, places.on(s.id).size(), state_of(r, s.id)});
        elsewhere += out.back().repositories;
    }
    const auto own = r.places->own_id();
    const auto here = r.admin.store.repositories().size() - elsewhere;
    out.insert(out.begin(), {own, "own (" + storage_address(r.c) + ")", here, state_of(r, own)});
    if (r.c.json) {
        print_json(out);
        return {};
    }
    base::table table{{"STORAGE", "ADDRESS", "REPOSITORIES", "STATE"}};
    for (const auto& s : out) table.add({s.id, s.address, std::to_string(s.repositories), s.state});
    print_table(table, "");
    return {};
}

// The id of the storage with this address, which becomes one where nothing lies on it yet.
result<std::string> storage_for(repo_context& r, const std::string& address)
{
    if (address == "own" || address == storage_address(r.c)) return r.places->own_id();
    auto places = r.admin.store.places();
    std::optional<store::storage_row> known;
    for (const auto& s : places.all())
        if (s.address == address || s.id == address) known = s;
    if (!known) {
        if (auto ok = check_storage_address(r.c, address); !ok) return failed(ok);
        known = store::storage_row{base::make_id_text("storage", r.c.random), address, r.c.clock.now()};
        if (!places.add(*known)) return fail(fault_code::conflict, "another command adds this storage", "Try again");
    }
    if (places.on(known->id).empty())
        if (auto ok = make_storage_at(r.c, known->address, known->id); !ok) return failed(ok);
    return known->id;
}

result<> move_repository_to(repo_context& r, const repo_options& o)
{
    auto to = storage_for(r, o.to);
    if (!to) return failed(to);
    const move_parts parts{*r.places, r.admin.store, r.c.clock,
                           [&r](const std::string& line) {
                               if (!r.c.json) print_line(line);
                           },
                           [](std::chrono::microseconds d) { static_cast<void>(os::wait_for(d, {})); }};
    auto moved = move_repository(parts, r.repository.id, *to);
    if (!moved) return failed(moved);
    const move_output out{r.repository.id.text, *to, moved->objects, moved->bytes};
    if (r.c.json)
        print_json(out);
    else
        print_line("The repository " + out.repository_id + " lies on " + o.to + " now: copied " +
                   base::counted(out.objects, "object") + " (" + base::to_size(out.bytes) + ").");
    return {};
}

result<> set_address(repo_context& r, const repo_options& o)
{
    auto places = r.admin.store.places();
    const auto known = places.find(o.storage);
    if (!known)
        return fail(fault_code::not_found, "no storage has the id " + o.storage,
                    "`xentz-server storage list` shows them; the address of the installation's own is --storage");
    auto there = open_storage_at(r.c, o.to, known->id);
    if (!there) return failed(there);
    if (auto ok = (*there)->ready(); !ok) return ok;
    places.set_address(known->id, o.to);
    print_line("The storage " + known->id + " is at " + o.to + " now. Start the server again.");
    return {};
}

} // namespace

void add_move_command(CLI::App& repo, context& c, const std::shared_ptr<repo_options>& o)
{
    auto* command = repo.add_subcommand("move", "take a repository to another storage while backups go on");
    command->add_option("--device", o->device, "the device whose repository it is")->required();
    command
        ->add_option("--to", o->to,
                     "file:DIR or s3://..., which becomes a storage where it is none; the id of a storage; or `own`, "
                     "the storage that --storage names")
        ->required();
    on_repo_call(command, c, o, move_repository_to);
}

void add_storage_commands(CLI::App& app, context& c)
{
    auto o = std::make_shared<repo_options>();
    auto* storage = app.add_subcommand("storage", "storages: the installation's own, and those that repositories were "
                                                  "moved to");
    storage->require_subcommand(1);
    on_repo_call(storage->add_subcommand("list", "show them, and whether they are there"), c, o, list_storages);
    auto* set = storage->add_subcommand("set-address", "say where a storage is that was moved as a whole");
    set->add_option("--id", o->storage, "its id")->required();
    set->add_option("--to", o->to, "file:DIR or s3://...")->required();
    on_repo_call(set, c, o, set_address);
}

} // namespace xentz::apps
