#include "base/size_text.hpp"
#include "context.hpp"
#include "control/administration.hpp"
#include "installation.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

using base::result;

// Opens the database, runs `f` with an administrator.
template <class F>
std::function<result<>()> with_administrator(context& c, const F& f)
{
    return [&c, f]() -> result<> {
        auto store = open_store(c);
        if (!store) return base::failed(store);
        control::administrator a{**store, c.clock, c.random};
        return f(a);
    };
}

result<> list_tenants(control::administrator& a, bool json)
{
    std::vector<control::tenant_view> views;
    for (const auto& t : a.store.tenants()) views.push_back(control::view(t, a.store));
    if (json) {
        print_json(views);
        return {};
    }
    base::table table{{"NAME", "TENANT", "CUSTODY", "PROTECTION", "TRASH", "QUOTA", "CREATED (UTC)"}};
    for (const auto& v : views)
        table.add({v.name, v.tenant_id, v.custody, v.protection, std::to_string(v.trash_days) + " days",
                   v.quota_bytes ? base::to_size(static_cast<std::uint64_t>(*v.quota_bytes)) : "-",
                   short_time(v.created_at)});
    print_table(table, "There is no tenant yet. Create one with `xentz-server tenant create NAME`.");
    return {};
}

void add_tenant(CLI::App& app, context& c)
{
    auto* tenant = app.add_subcommand("tenant", "tenants: who owns devices and repositories");
    tenant->require_subcommand(1);
    auto name = std::make_shared<std::string>();
    auto* create = tenant->add_subcommand("create", "make a tenant with its default policy");
    create->add_option("NAME", *name, "a-z 0-9 . _ -")->required();
    create->callback([&c, name] {
        c.action = with_administrator(c, [&c, name](control::administrator& a) -> result<> {
            auto made = control::create_tenant(a, *name);
            if (!made) return base::failed(made);
            if (c.json)
                print_json(*made);
            else
                print_line("Tenant " + made->name + " made, with the policy \"default\".");
            return {};
        });
    });
    tenant->add_subcommand("list", "show all tenants")->callback([&c] {
        c.action = with_administrator(c, [&c](control::administrator& a) { return list_tenants(a, c.json); });
    });
    auto* set = tenant->add_subcommand("set", "change a setting of a tenant");
    auto settings = std::make_shared<std::vector<std::string>>();
    set->add_option("NAME", *name, "the tenant")->required();
    set->add_option("KEY=VALUE", *settings,
                    "custody=server|sealed|device, custody-key=PUBLIC, protection=full|append-only|guarded, "
                    "trash-days=N, quota=SIZE, "
                    "repository-quota=SIZE, trash-factor=N; \"default\" takes one back")
        ->required();
    set->callback([&c, name, settings] {
        c.action = with_administrator(c, [name, settings](control::administrator& a) -> result<> {
            auto t = control::tenant_named(a, *name);
            if (!t) return base::failed(t);
            for (const auto& setting : *settings)
                if (auto ok = control::set_tenant(a, *t, setting); !ok) return ok;
            return {};
        });
    });
}

struct token_options {
    std::string tenant;
    std::string ttl = "24h";
    std::string policy = "default";
    std::string id;
    std::int64_t uses = 1;
    bool recovery = false;
    std::string device;
    bool allow_take_over = false;
};

result<> create_recovery_token(control::administrator& a, const token_options& o, bool json)
{
    if (o.device.empty())
        return base::fail(base::fault_code::usage, "--recovery is given without the device that was lost",
                          "Add --device ID; `xentz-server device list` shows them");
    const auto lost = control::device_with_id(a, o.device);
    if (!lost) return std::unexpected(lost.error());
    const auto ttl = control::parse_ttl(o.ttl);
    if (!ttl) return std::unexpected(ttl.error());
    const auto made = control::create_recovery_token(a, *lost, {.ttl = *ttl, .allow_take_over = o.allow_take_over});
    if (!made) return std::unexpected(made.error());
    if (json) {
        print_json(*made);
        return {};
    }
    print_line(made->token);
    print_line("\nShown only now; valid until " + short_time(made->expires_at) +
               " UTC, once. It reads all backups of " + lost->hostname + " (" + lost->id.text +
               ").\nOn the new machine: xentz-agent recover --server URL " + "--token-file FILE --target FOLDER" +
               (o.allow_take_over ? " --take-over" : ""));
    return {};
}

result<> create_token(control::administrator& a, const token_options& o, bool json)
{
    if (o.recovery) return create_recovery_token(a, o, json);
    if (o.tenant.empty())
        return base::fail(base::fault_code::usage, "--tenant is not given",
                          "Name the tenant whose machines may enrol; `xentz-server tenant list` shows them");
    auto tenant = control::tenant_named(a, o.tenant);
    if (!tenant) return base::failed(tenant);
    const auto ttl = control::parse_ttl(o.ttl);
    if (!ttl) return std::unexpected(ttl.error());
    auto made = control::create_token(a, *tenant, {.uses = o.uses, .ttl = *ttl, .policy = o.policy});
    if (!made) return base::failed(made);
    if (json) {
        print_json(*made);
        return {};
    }
    print_line(made->token);
    print_line("\nShown only now; valid until " + short_time(made->expires_at) + " UTC" +
               (o.uses == 1 ? ", once." : ", " + std::to_string(o.uses) + " times.") +
               "\nOn the machine: xentz-agent install --server URL --token-file FILE");
    return {};
}

result<> list_tokens(control::administrator& a, const token_options& o, bool json)
{
    std::optional<domain::tenant_id> only;
    if (!o.tenant.empty()) {
        auto tenant = control::tenant_named(a, o.tenant);
        if (!tenant) return base::failed(tenant);
        only = tenant->id;
    }
    std::vector<control::token_view> views;
    for (const auto& t : a.store.tokens(only)) views.push_back(control::view(t, a.clock.now()));
    for (const auto& t : a.store.recovery_tokens(only))
        if (const auto lost = a.store.find_device(t.device_id))
            views.push_back(control::view(t, lost->tenant_id, a.clock.now()));
    if (json) {
        print_json(views);
        return {};
    }
    base::table table{{"TOKEN", "KIND", "STATE", "USES LEFT", "FOR", "EXPIRES (UTC)", "TENANT"}};
    for (const auto& v : views)
        table.add({v.id, v.kind, v.state, std::to_string(v.uses_left) + " of " + std::to_string(v.uses_total),
                   v.policy ? "policy " + *v.policy : v.device_id.value_or(""), short_time(v.expires_at), v.tenant_id});
    print_table(table, "There is no token.");
    return {};
}

void add_token(CLI::App& app, context& c)
{
    auto* token = app.add_subcommand("token", "tokens: what lets a machine enrol, or read the backups of a lost one");
    token->require_subcommand(1);
    auto o = std::make_shared<token_options>();
    auto* create = token->add_subcommand("create", "make a token and print it, once");
    auto* tenant = create->add_option("--tenant", o->tenant, "the tenant whose machines may enrol");
    create->add_option("--uses", o->uses, "how many machines may enrol with it")->capture_default_str();
    create->add_option("--ttl", o->ttl, "how long it is valid: 90s, 30m, 24h, 7d")->capture_default_str();
    create->add_option("--policy", o->policy, "policy of the machines that enrol with it")->capture_default_str();
    auto* recovery = create->add_flag("--recovery", o->recovery,
                                      "let another machine read the backups of a lost one for 7 days, once");
    recovery->excludes(tenant);
    create->add_option("--device", o->device, "with --recovery: the lost machine")->needs(recovery);
    create->add_flag("--allow-take-over", o->allow_take_over, "with --recovery: the other machine may take its place")
        ->needs(recovery);
    create->callback([&c, o] {
        c.action = with_administrator(c, [&c, o](control::administrator& a) { return create_token(a, *o, c.json); });
    });
    auto* list = token->add_subcommand("list", "show the tokens, without their secret part");
    list->add_option("--tenant", o->tenant, "only this tenant's");
    list->callback([&c, o] {
        c.action = with_administrator(c, [&c, o](control::administrator& a) { return list_tokens(a, *o, c.json); });
    });
    auto* revoke = token->add_subcommand("revoke", "make a token useless");
    revoke->add_option("ID", o->id, "its id, as `token list` shows it")->required();
    revoke->callback([&c, o] {
        c.action = with_administrator(c, [o](control::administrator& a) -> result<> {
            if (a.store.revoke_token(domain::token_id{o->id}, a.clock.now())) return {};
            return base::fail(base::fault_code::not_found, "there is no token " + o->id,
                              "See `xentz-server token list`");
        });
    });
}

} // namespace

void add_tenant_commands(CLI::App& app, context& c)
{
    add_tenant(app, c);
    add_token(app, c);
}

} // namespace xentz::apps
