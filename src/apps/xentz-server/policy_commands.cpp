#include "context.hpp"
#include "control/administration.hpp"
#include "installation.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace xentz::apps {
namespace {

using base::result;

constexpr std::uint64_t most_policy_bytes = std::uint64_t{8} << 20U;

struct policy_options {
    std::string file;
    std::string tenant;
    std::string name = "default";
    std::string device;
    std::string text; // what the file holds
};

using work = result<> (*)(context&, control::administrator&, const policy_options&);

result<> with_store(context& c, const policy_options& o, work f)
{
    auto store = open_store(c);
    if (!store) return base::failed(store);
    control::administrator a{**store, c.clock, c.random};
    return f(c, a, o);
}

void on_call(CLI::App* command, context& c, const std::shared_ptr<policy_options>& o, work f)
{
    command->callback([&c, o, f] { c.action = [&c, o, f] { return with_store(c, *o, f); }; });
}

result<> apply(context& c, control::administrator& a, const policy_options& o)
{
    auto tenant = control::tenant_or_only(a, o.tenant);
    if (!tenant) return base::failed(tenant);
    if (auto ok = control::apply_policy(a, *tenant, o.name, o.text); !ok)
        return base::fail(ok.error().code, o.file + ": " + ok.error().message, ok.error().remedy);
    if (!c.json)
        print_line("Policy " + o.name + " of tenant " + tenant->name + " stored; devices get it at their next run.");
    return {};
}

result<> list(context& c, control::administrator& a, const policy_options& o)
{
    std::optional<domain::tenant_id> only;
    if (!o.tenant.empty()) {
        auto tenant = control::tenant_named(a, o.tenant);
        if (!tenant) return base::failed(tenant);
        only = tenant->id;
    }
    std::vector<control::policy_view> views;
    for (const auto& p : a.store.policies(only)) views.push_back(control::view(p));
    if (c.json) {
        print_json(views);
        return {};
    }
    base::table table{{"POLICY", "TENANT", "UPDATED (UTC)"}};
    for (const auto& v : views) table.add({v.name, v.tenant_id, short_time(v.updated_at)});
    print_table(table, "There is no policy: there is no tenant yet.");
    return {};
}

result<> show(context& c, control::administrator& a, const policy_options& o)
{
    auto tenant = control::tenant_or_only(a, o.tenant);
    if (!tenant) return base::failed(tenant);
    const auto policy = a.store.find_policy(tenant->id, o.name);
    if (!policy)
        return base::fail(base::fault_code::not_found, "tenant " + tenant->name + " has no policy named " + o.name,
                          "See `xentz-server policy list`");
    const auto document = control::view(*policy).policy;
    if (c.json)
        print_line(wire::print_json(document));
    else
        std::cout << wire::pretty_json(document) << std::flush;
    return {};
}

result<> assign(context& c, control::administrator& a, const policy_options& o)
{
    if (auto ok = control::assign_policy(a, o.name, domain::device_id{o.device}); !ok) return ok;
    if (!c.json) print_line("Device " + o.device + " follows policy " + o.name + " from its next run on.");
    return {};
}

} // namespace

void add_policy_commands(CLI::App& app, context& c)
{
    auto* policy = app.add_subcommand("policy", "policies: what devices are told to do");
    policy->require_subcommand(1);
    auto o = std::make_shared<policy_options>();
    constexpr auto whose = "the tenant (may be left out where there is only one)";

    auto* apply_command =
        policy->add_subcommand("apply", "store a policy from a JSON file, replacing one of that name");
    apply_command->add_option("FILE", o->file, "keys: schedule, include, exclude, restic, retention, check")
        ->required();
    apply_command->add_option("--tenant", o->tenant, whose);
    apply_command->add_option("--name", o->name, "name of the policy")->capture_default_str();
    // Read before the database is opened: the user that it belongs to may not be able to read the caller's file.
    apply_command->callback([&c, o] {
        c.action = [&c, o]() -> result<> {
            auto text = os::read_all(c.files, std::filesystem::absolute(o->file), most_policy_bytes);
            if (!text) return base::failed(text);
            o->text = std::move(*text);
            return with_store(c, *o, apply);
        };
    });

    auto* list_command = policy->add_subcommand("list", "show the policies");
    list_command->add_option("--tenant", o->tenant, "only this tenant's");
    on_call(list_command, c, o, list);

    auto* show_command = policy->add_subcommand("show", "print a policy as it can be applied");
    show_command->add_option("NAME", o->name, "name of the policy")->capture_default_str();
    show_command->add_option("--tenant", o->tenant, whose);
    on_call(show_command, c, o, show);

    auto* assign_command = policy->add_subcommand("assign", "give a device another policy");
    assign_command->add_option("NAME", o->name, "name of the policy")->required();
    assign_command->add_option("--device", o->device, "the device's id")->required();
    on_call(assign_command, c, o, assign);
}

} // namespace xentz::apps
