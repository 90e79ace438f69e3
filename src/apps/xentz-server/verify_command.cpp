#include "base/size_text.hpp"
#include "output.hpp"
#include "repo/guarded_store.hpp"
#include "repo_context.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

using base::fail;
using base::fault_code;
using base::result;

struct damaged_object {
    std::string type;
    std::string name;
    std::string how;
    bool in_trash = false;
};
BOOST_DESCRIBE_STRUCT(damaged_object, (), (type, name, how, in_trash))

struct verify_output {
    std::uint64_t objects = 0;
    std::uint64_t bytes = 0;
    std::vector<damaged_object> damaged;
};
BOOST_DESCRIBE_STRUCT(verify_output, (), (objects, bytes, damaged))

// Empty where the bytes have the hash.
std::string fault_in(result<std::unique_ptr<repo::object_reader>> reader, const std::string& hash)
{
    if (!reader) return base::sentence(reader.error());
    auto found = repo::hash_of(**reader);
    if (!found) return base::sentence(found.error());
    return *found == hash ? std::string{} : "the bytes have another hash";
}

void verify_type(repo_context& r, repo::object_type type, verify_output& out)
{
    for (const auto& l : r.objects.present(r.repository.id, name(type), "", "g")) {
        ++out.objects;
        out.bytes += static_cast<std::uint64_t>(l.bytes);
        auto how = fault_in(r.blobs->open(key_of(l)), l.hash);
        // It may have been deleted while the others were read.
        const auto still = how.empty() ? std::optional<store::object_life>{} : r.objects.life(l.repository_id, l.place);
        if (still && !still->left_place) out.damaged.push_back({l.type, l.name, std::move(how), false});
    }
}

void verify_trash(repo_context& r, verify_output& out)
{
    for (const auto& l : r.objects.in_trash(r.repository.id)) {
        ++out.objects;
        out.bytes += static_cast<std::uint64_t>(l.bytes);
        auto how = fault_in(r.blobs->open_buried(slot_of(l)), l.hash);
        const auto still = how.empty() ? std::optional<store::object_life>{} : r.objects.life(l.repository_id, l.place);
        if (still && still->in_trash) out.damaged.push_back({l.type, l.name, std::move(how), true});
    }
}

result<> verify(repo_context& r, const repo_options& o)
{
    using enum repo::object_type;
    if (auto ok = r.blobs->ready(); !ok) return ok;
    verify_output out;
    for (const auto type : {config, keys, snapshots, index, data}) verify_type(r, type, out);
    if (o.with_trash) verify_trash(r, out);
    if (r.c.json)
        print_json(out);
    else {
        for (const auto& d : out.damaged)
            print_line(d.type + "/" + d.name + (d.in_trash ? " in the trash: " : ": ") + d.how);
        print_line("Read " + base::counted(out.objects, "object") + " (" + base::to_size(out.bytes) + ").");
    }
    if (out.damaged.empty()) return {};
    return fail(fault_code::repository_damaged,
                base::counted(out.damaged.size(), "object") + " of " + r.repository.id.text + " are damaged or missing",
                "Leave the repository as it is, see to the disk, and repair it by restic's guide");
}

} // namespace

void add_verify_command(CLI::App& repo, context& c, const std::shared_ptr<repo_options>& o)
{
    auto* command = repo.add_subcommand("verify", "read every object again and compare it with its name");
    command->add_option("--device", o->device, "the device whose repository it is")->required();
    command->add_flag("--trash", o->with_trash, "the trash as well");
    on_repo_call(command, c, o, verify);
}

} // namespace xentz::apps
