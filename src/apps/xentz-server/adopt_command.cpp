#include "base/size_text.hpp"
#include "output.hpp"
#include "repo/guarded_store.hpp"
#include "repo_context.hpp"
#include "restic_folder.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

using base::fail;
using base::failed;
using base::fault_code;
using base::result;

constexpr auto lock_is_old_after = std::chrono::minutes{30}; // restic's own bound for a lock that nobody refreshes
constexpr auto closed_for = std::chrono::minutes{5};
constexpr std::size_t batch = 500;

struct adopt_output {
    std::string repository_id;
    std::uint64_t objects = 0;
    std::uint64_t bytes = 0;
    bool copied = false;
    bool dry_run = false;
    std::vector<std::string> left; // files that stay behind
};
BOOST_DESCRIBE_STRUCT(adopt_output, (), (repository_id, objects, bytes, copied, dry_run, left))

// The config comes last: with one, and never used, it was adopted by a call that was killed before it could say so.
bool is_adopted_but_for_the_word(repo_context& r)
{
    return !r.repository.initialised && r.blobs->size({r.repository.id.text, repo::object_type::config, {}});
}

result<> check_unused(repo_context& r)
{
    if (!r.repository.initialised) return {};
    return fail(fault_code::conflict, "The device has a repository already, which was written to",
                "Adopt before its first backup; a machine that enrols again gets an empty one");
}

result<> check_locks(repo_context& r, const restic_folder& folder)
{
    for (const auto& l : folder.locks) {
        auto info = r.c.files.info(l.where);
        if (info && r.c.clock.now() - info->modified < lock_is_old_after)
            return fail(fault_code::conflict,
                        "A client may be at work on the folder: " + l.where.string() + " was written a short while ago",
                        "Stop the old server, wait for its clients, and try again; `restic unlock` removes a lock that "
                        "nobody holds");
    }
    return {};
}

// Takes the objects in, each batch with its rows. The config comes last, so that it is a repository only when it is
// whole; until then, killed at any moment, the same call goes on.
class adoption {
public:
    adoption(repo_context& r, const restic_folder& folder, bool copy) : r_(r), folder_(folder), copy_(copy) {}

    result<> run()
    {
        if (auto ok = r_.blobs->create_repository(r_.repository.id.text); !ok) return ok;
        if (auto ok = take_up(); !ok) return ok;
        std::vector<store::object_journal::arrival> rows;
        for (const auto& o : folder_.objects) {
            keep_closed();
            if (o.type == repo::object_type::config || rows.size() == batch) note(rows);
            if (auto ok = take(o); !ok) return ok;
            rows.push_back(row_of(o.type, o.name, o.hash, o.bytes));
        }
        note(rows);
        say_so();
        return {};
    }

    // After a call that was killed when all files were there.
    result<> finish()
    {
        if (auto ok = take_up(); !ok) return ok;
        auto config = r_.blobs->open({r_.repository.id.text, repo::object_type::config, {}});
        if (!config) return failed(config);
        auto hash = repo::hash_of(**config);
        if (!hash) return failed(hash);
        std::vector<store::object_journal::arrival> rows{
            row_of(repo::object_type::config, {}, *hash, (*config)->size())};
        note(rows);
        say_so();
        return {};
    }

private:
    // What a call that was killed has brought there and not written down.
    result<> take_up()
    {
        using enum repo::object_type;
        std::vector<store::object_journal::arrival> rows;
        for (const auto type : {keys, data, index, snapshots}) {
            auto list = r_.blobs->list(r_.repository.id.text, type);
            if (!list) return failed(list);
            for (;;) {
                keep_closed();
                auto object = (*list)->next();
                if (!object) return failed(object);
                if (!*object) break;
                if (r_.objects.present(r_.repository.id, name(type), (*object)->name)) continue;
                auto reader = r_.blobs->open({r_.repository.id.text, type, (*object)->name});
                auto hash = reader ? repo::hash_of(**reader) : result<std::string>{failed(reader)};
                if (!hash) return failed(hash);
                if (*hash != (*object)->name)
                    return fail(fault_code::repository_damaged,
                                std::string{name(type)} + "/" + (*object)->name + " is damaged on the storage",
                                "Remove it there, and adopt again");
                rows.push_back(row_of(type, (*object)->name, *hash, (*object)->size));
                if (rows.size() == batch) note(rows);
            }
        }
        note(rows);
        return {};
    }

    store::object_journal::arrival row_of(repo::object_type type, const std::string& object_name,
                                          const std::string& hash, std::uint64_t bytes) const
    {
        return {r_.repository.id,
                {std::string{name(type)}, object_name, hash, static_cast<std::int64_t>(bytes)},
                r_.c.clock.now(),
                {}};
    }

    // Clients wait until the repository is whole.
    void keep_closed()
    {
        const auto now = r_.c.clock.now();
        if (closed_until_ - now > closed_for / 2) return;
        closed_until_ = now + closed_for;
        r_.admin.store.places().close(r_.repository.id, closed_until_);
    }

    // It is whole. Opened first: killed between the two, the same call says the rest; the other way round it would find
    // nothing left to do, and a repository that nobody opens.
    void say_so()
    {
        r_.admin.store.places().open(r_.repository.id);
        r_.admin.store.set_initialised(r_.repository.id, true);
    }

    void note(std::vector<store::object_journal::arrival>& rows)
    {
        r_.objects.arrived_together(std::exchange(rows, {}));
    }

    result<> take(const folder_object& o)
    {
        const repo::object_key key{r_.repository.id.text, o.type, o.name};
        if (!copy_) return r_.blobs->take_file(key, o.where);
        auto in = r_.blobs->receive(key, o.bytes);
        if (!in) return failed(in);
        auto read = read_object(r_.c.files, o, [&](std::span<const char> bytes) { return (*in)->write(bytes); });
        return read ? (*in)->commit() : read;
    }

    repo_context& r_;
    const restic_folder& folder_;
    bool copy_;
    base::time_point closed_until_{};
};

void print_outcome(const adopt_output& out, const repo_options& o)
{
    print_line(std::string{out.dry_run ? "Would adopt " : "Adopted "} + base::counted(out.objects, "object") + " (" +
               base::to_size(out.bytes) + ") as the repository " + out.repository_id + ".");
    for (const auto& file : out.left) print_line("Left behind, since it is no object: " + file);
    if (out.dry_run) return;
    if (out.copied) print_line(o.from + " is as it was; nothing will look at it again.");
    print_line(
        "Next, on the machine: write the repository's old password into its restic.pw, then: xentz-agent backup\n"
        "After that `xentz-agent rotate-password` gives it a new one, which the server keeps where it should.");
}

result<> adopt_into(repo_context& r, const repo_options& o, const restic_folder& folder)
{
    const auto alone = r.admin.store.lock_of(r.repository.id);
    if (!alone)
        return fail(fault_code::conflict, "another command works on this repository", "Wait until it has ended");
    if (auto ok = check_unused(r); !ok) return ok;
    adoption a{r, folder, o.copy};
    auto done = is_adopted_but_for_the_word(r) ? a.finish() : a.run();
    r.admin.store.places().open(r.repository.id);
    return done;
}

result<> adopt(repo_context& r, const repo_options& o)
{
    if (auto ok = r.blobs->ready(); !ok) return ok;
    if (auto ok = check_unused(r); !ok) return ok;
    const auto root = std::filesystem::absolute(o.from).lexically_normal();
    auto folder = is_adopted_but_for_the_word(r) ? result<restic_folder>{} : list_restic_folder(r.c.files, root);
    if (!folder) return failed(folder);
    if (auto ok = check_locks(r, *folder); !ok) return ok;
    adopt_output out{.repository_id = r.repository.id.text, .copied = o.copy, .dry_run = o.dry_run};
    for (const auto& f : folder->others) out.left.push_back(f.string());
    for (const auto& object : folder->objects) {
        if (auto ok = check_object(r.c.files, object); !ok) return ok;
        ++out.objects;
        out.bytes += object.bytes;
    }
    if (!o.dry_run)
        if (auto ok = adopt_into(r, o, *folder); !ok) return ok;
    if (r.c.json)
        print_json(out);
    else
        print_outcome(out, o);
    return {};
}

} // namespace

void add_adopt_command(CLI::App& repo, context& c, const std::shared_ptr<repo_options>& o)
{
    auto* command = repo.add_subcommand("adopt", "take over a folder that rest-server or restic wrote");
    command->add_option("--device", o->device, "the device whose repository it becomes")->required();
    command->add_option("--from", o->from, "the folder with config, data, keys, index and snapshots")->required();
    command->add_flag(
        "--copy", o->copy,
        "copy it and leave the folder as it is; without it, files are moved, which takes no room but works "
        "only on the storage's own file system");
    command->add_flag("--dry-run", o->dry_run, "read and check everything, change nothing");
    on_repo_call(command, c, o, adopt);
}

} // namespace xentz::apps
