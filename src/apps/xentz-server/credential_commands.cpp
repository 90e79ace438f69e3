#include "control/repository_credentials.hpp"
#include "output.hpp"
#include "repo_context.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

using base::fail;
using base::fault_code;
using base::result;

struct maintenance_output {
    std::string repository_id;
    std::optional<base::time_point> maintenance_until;
};
BOOST_DESCRIBE_STRUCT(maintenance_output, (), (repository_id, maintenance_until))

result<> maintain(repo_context& r, const repo_options& o)
{
    maintenance_output out{.repository_id = r.repository.id.text, .maintenance_until = {}};
    if (o.end) {
        control::end_maintenance(r.admin, r.repository);
    } else {
        auto duration = control::parse_ttl(o.duration);
        if (!duration) return base::failed(duration);
        auto until = control::begin_maintenance(r.admin, r.repository, *duration);
        if (!until) return base::failed(until);
        out.maintenance_until = *until;
    }
    if (r.c.json) {
        print_json(out);
        return {};
    }
    if (!out.maintenance_until) {
        print_line("The maintenance has ended.");
        return {};
    }
    const auto mode = r.objects.rule_of(r.repository.id).mode;
    print_line("Until " + short_time(out.maintenance_until) +
               " UTC the device may prune and change keys. What it removes moves to the trash.");
    if (mode != "append-only") print_line("The repository is kept in mode " + mode + ", where it always may.");
    return {};
}

result<> create_credential(repo_context& r, const repo_options& o)
{
    auto ttl = control::parse_ttl(o.duration);
    if (!ttl) return base::failed(ttl);
    auto made = control::make_credential(r.admin, r.home.key, r.repository,
                                         {.kind = o.kind, .reason = o.reason, .ttl = *ttl}, o.public_url);
    if (!made) return base::failed(made);
    if (r.c.json) {
        print_json(*made);
        return {};
    }
    print_line("Credential  " + made->id + " (" + made->kind + ")");
    print_line("Expires     " + short_time(made->expires_at) + " UTC");
    if (made->repository) {
        print_line("Repository  " + *made->repository);
    } else {
        print_line("User        " + made->id);
        print_line("Secret      " + made->secret);
        print_line("Path        " + made->path);
    }
    print_line("The secret is not shown again. restic also needs the password of the repository.");
    return {};
}

result<> list_credentials(repo_context& r, const repo_options&)
{
    const auto views = control::credentials_of(r.admin, r.repository);
    if (r.c.json) {
        print_json(views);
        return {};
    }
    base::table table{{"CREDENTIAL", "KIND", "STATE", "CREATED (UTC)", "EXPIRES (UTC)", "REASON"}};
    for (const auto& v : views)
        table.add({v.id, v.kind, v.state, short_time(v.created_at), short_time(v.expires_at), v.reason});
    print_table(table, "Only the device has a credential.");
    return {};
}

result<> revoke_credential(repo_context& r, const repo_options& o)
{
    if (auto ok = control::revoke_credential(r.admin, r.repository, o.credential); !ok) return ok;
    if (!r.c.json) print_line("Credential " + o.credential + " revoked: it opens nothing any more.");
    return {};
}

struct rotate_output {
    std::string repository_id;
    std::int64_t generation = 0;
};
BOOST_DESCRIBE_STRUCT(rotate_output, (), (repository_id, generation))

result<> rotate_credentials(repo_context& r, const repo_options&)
{
    const auto generation = r.admin.store.raise_generation(r.repository.id);
    if (!generation) return fail(fault_code::not_found, "the repository " + r.repository.id.text + " is gone");
    if (r.c.json)
        print_json(rotate_output{r.repository.id.text, *generation});
    else
        print_line("All credentials of " + r.repository.id.text +
                   " are void. The device gets its new one with its next config.");
    return {};
}

} // namespace

void add_credential_commands(CLI::App& repo, context& c, const std::shared_ptr<repo_options>& o)
{
    const auto with_device = [&o](CLI::App* command) {
        command->add_option("--device", o->device, "the device whose repository it is")->required();
        return command;
    };
    auto* command = repo.add_subcommand("maintain", "let the device prune an append-only repository for a while");
    command->add_option("--for", o->duration, "how long: 30m, 1h; at most 7d")->capture_default_str();
    command->add_flag("--end", o->end, "end it now instead");
    on_repo_call(with_device(command), c, o, maintain);

    auto* credential = repo.add_subcommand("credential", "credentials of a repository beside that of its device");
    credential->require_subcommand(1);
    auto* create = credential->add_subcommand("create", "make one, for a limited time");
    create->add_option("--kind", o->kind, "read-only or maintenance")->capture_default_str();
    create->add_option("--for", o->duration, "how long: 1h, 7d; maintenance at most 7d")->required();
    create->add_option("--reason", o->reason, "for those who read the list");
    create->add_option("--public-url", o->public_url, "how this server is reached: to print the whole address")
        ->envname("XENTZ_PUBLIC_URL");
    on_repo_call(with_device(create), c, o, create_credential);
    on_repo_call(with_device(credential->add_subcommand("list", "show them")), c, o, list_credentials);
    auto* revoke = credential->add_subcommand("revoke", "void one at once");
    revoke->add_option("ID", o->credential, "the credential's id")->required();
    on_repo_call(with_device(revoke), c, o, revoke_credential);
    auto* rotate = credential->add_subcommand("rotate", "void all of them, the device's too, which gets a new one");
    on_repo_call(with_device(rotate), c, o, rotate_credentials);
}

} // namespace xentz::apps
