#include "context.hpp"
#include "control/administration.hpp"
#include "control/deletion_alarm.hpp"
#include "control/repository_views.hpp"
#include "copies.hpp"
#include "domain/report.hpp"
#include "installation.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

using base::result;

struct device_options {
    std::string tenant;
    std::string id;
    std::string job;
    std::int64_t limit = 50;
    std::vector<std::string> settings;
};

using work = result<> (*)(context&, control::administrator&, const device_options&);

void on_call(CLI::App* command, context& c, const std::shared_ptr<device_options>& o, work f)
{
    command->callback([&c, o, f] {
        c.action = [&c, o, f]() -> result<> {
            auto store = open_store(c);
            if (!store) return base::failed(store);
            control::administrator a{**store, c.clock, c.random};
            return f(c, a, *o);
        };
    });
}

// What a person calls it: a run that waits for better circumstances has not failed.
std::string word_of(const control::report_view& r) { return r.outcome == "postponed" ? *r.outcome : r.status; }

std::string newest_backup(const control::device_view& v)
{
    for (const auto& r : v.latest)
        if (r.job == "backup") return word_of(r);
    return "none yet";
}

control::device_view full_view(control::administrator& a, const store::device& d)
{
    auto v = control::view(d, a.store);
    if (const auto r = a.store.repository_of(d.id)) v.alarms = control::repository_alarms(a.store, *r, a.clock.now());
    return v;
}

result<> list_devices(context& c, control::administrator& a, const device_options& o)
{
    std::optional<domain::tenant_id> only;
    if (!o.tenant.empty()) {
        auto tenant = control::tenant_named(a, o.tenant);
        if (!tenant) return base::failed(tenant);
        only = tenant->id;
    }
    std::vector<control::device_view> views;
    for (const auto& d : a.store.devices(only)) views.push_back(full_view(a, d));
    if (c.json) {
        print_json(views);
        return {};
    }
    base::table table{
        {"DEVICE", "HOST", "STATE", "LAST BACKUP", "LAST GOOD BACKUP (UTC)", "LAST SEEN (UTC)", "POLICY"}};
    for (const auto& v : views)
        table.add({v.device_id, v.hostname, v.state, newest_backup(v), short_time(v.last_good_backup_at),
                   short_time(v.last_seen_at), v.policy});
    print_table(table, "No device is enrolled yet. Make a token with `xentz-server token create --tenant NAME`.");
    if (is_unconfirmed(a.store))
        print_line("\nRestored from a copy: a device that was revoked or disabled since is not so here. Revoke it "
                   "again, then\n"
                   "say `xentz-server device confirm`.");
    return {};
}

result<> show_device(context& c, control::administrator& a, const device_options& o)
{
    auto device = control::device_with_id(a, o.id);
    if (!device) return base::failed(device);
    const auto v = full_view(a, *device);
    if (c.json) {
        print_json(v);
        return {};
    }
    print_line("Device            " + v.device_id + " (" + v.state + ")");
    print_line("Host              " + v.hostname + ", " + v.os + " " + v.arch);
    print_line("Versions          agent " + v.agent_version + ", restic " + v.restic_version);
    print_line("Tenant, user      " + v.tenant_id + ", " + v.user_id);
    print_line("Policy            " + v.policy + "; asked to include " + wire::print_json(v.include));
    print_line("Enrolled          " + short_time(v.enrolled_at) + " UTC");
    if (v.predecessor_id) print_line("Took the place of " + *v.predecessor_id);
    if (v.successor_id) print_line("Its place took    " + *v.successor_id);
    print_line("Last seen         " + short_time(v.last_seen_at));
    print_line("Last good backup  " + short_time(v.last_good_backup_at));
    print_line("Last proved       " + (v.last_proved_at
                                           ? short_time(v.last_proved_at) + " UTC, by a check without a flaw"
                                           : "never: no check without a flaw yet"));
    for (const auto& alarm : v.alarms) print_line("ALARM             " + alarm);
    for (const auto& r : v.latest)
        print_line("Last " + r.job + ": " + word_of(r) + " at " + short_time(r.finished_at) +
                   (r.error ? ": " + *r.error : std::string{}));
    return {};
}

result<> set_enabled(context& c, control::administrator& a, const device_options& o, bool enabled)
{
    auto device = control::device_with_id(a, o.id);
    if (!device) return base::failed(device);
    a.store.set_device_enabled(device->id, enabled);
    if (!c.json)
        print_line("Device " + o.id + (enabled ? " enabled." : " disabled: it stops backing up at its next run."));
    return {};
}

result<> set(context&, control::administrator& a, const device_options& o)
{
    auto repository = control::repository_of_device(a, o.id);
    if (!repository) return base::failed(repository);
    for (const auto& setting : o.settings)
        if (auto ok = control::set_rule(a, repository->id.text, false, setting); !ok) return ok;
    return {};
}

result<> enable(context& c, control::administrator& a, const device_options& o) { return set_enabled(c, a, o, true); }

result<> disable(context& c, control::administrator& a, const device_options& o) { return set_enabled(c, a, o, false); }

result<> back_up_now(context& c, control::administrator& a, const device_options& o)
{
    auto device = control::device_with_id(a, o.id);
    if (!device) return base::failed(device);
    if (device->revoked_at || !device->enabled)
        return base::fail(base::fault_code::conflict, "device " + o.id + " is " + control::view(*device, a.store).state,
                          "It makes no backups until that changes");
    a.store.request_backup({device->id, base::make_id_text("req", a.random), a.clock.now()});
    if (!c.json)
        print_line("Device " + o.id +
                   " backs up when it next asks for its config: within four hours, or the next time that it is on.");
    return {};
}

result<> revoke(context& c, control::administrator& a, const device_options& o)
{
    auto device = control::device_with_id(a, o.id);
    if (!device) return base::failed(device);
    a.store.revoke_device(device->id, a.clock.now());
    if (!c.json)
        print_line("Device " + o.id +
                   " revoked: its key and its repository credential no longer open anything. Its "
                   "backups stay.");
    return {};
}

result<> confirm(context& c, control::administrator& a, const device_options&)
{
    if (!a.store.confirm_epoch(a.clock.now()))
        return base::fail(base::fault_code::conflict, "there is nothing to confirm",
                          "It is asked for after `xentz-server restore` only");
    if (!c.json) print_line("Confirmed: the devices that are in force are meant to be.");
    return {};
}

result<> list_reports(context& c, control::administrator& a, const device_options& o)
{
    store::report_filter filter{.limit = o.limit};
    if (!o.id.empty()) {
        auto device = control::device_with_id(a, o.id);
        if (!device) return base::failed(device);
        filter.device = device->id;
    }
    if (!o.job.empty()) {
        if (!domain::parse_job(o.job))
            return base::fail(base::fault_code::usage, "\"" + o.job + "\" is no job",
                              "Use backup, retention, check or restore");
        filter.job = o.job;
    }
    std::vector<control::report_view> views;
    for (const auto& r : a.store.reports(filter)) views.push_back(control::view(r));
    if (c.json) {
        print_json(views);
        return {};
    }
    base::table table{{"STARTED (UTC)", "DEVICE", "JOB", "STATUS", "TOOK", "ERROR"}};
    for (const auto& v : views)
        table.add({short_time(v.started_at), v.device_id, v.job, v.status,
                   base::to_words(std::chrono::milliseconds{v.duration_ms}), v.error.value_or("")});
    print_table(table, "There is no report.");
    return {};
}

} // namespace

void add_device_commands(CLI::App& app, context& c)
{
    auto o = std::make_shared<device_options>();
    auto* device = app.add_subcommand("device", "devices: the machines that are enrolled");
    device->require_subcommand(1);
    auto* list = device->add_subcommand("list", "show the devices and their last backups");
    list->add_option("--tenant", o->tenant, "only this tenant's");
    on_call(list, c, o, list_devices);
    struct command {
        const char* name;
        const char* help;
        work run;
    };
    for (const auto& [name, help, run] :
         {command{"show", "everything about one device", show_device},
          command{"enable", "let a disabled device back up again", enable},
          command{"disable", "tell a device to stop backing up", disable},
          command{"backup-now", "ask a device for a backup besides its schedule", back_up_now},
          command{"revoke", "void a device's key and repository credential, for good", revoke}}) {
        auto* one = device->add_subcommand(name, help);
        one->add_option("ID", o->id, "the device's id")->required();
        on_call(one, c, o, run);
    }
    on_call(device->add_subcommand("confirm", "after a restore: whatever was revoked since the copy is so again"), c, o,
            confirm);
    auto* settings = device->add_subcommand("set", "change a setting of a device's repository");
    settings->add_option("ID", o->id, "the device's id")->required();
    settings
        ->add_option("KEY=VALUE", o->settings,
                     "protection=full|append-only|guarded, trash-days=N, quota=SIZE, trash-factor=N; \"default\" takes "
                     "one back: the tenant's holds then")
        ->required();
    on_call(settings, c, o, set);
    auto* report = app.add_subcommand("report", "reports: what the runs of the devices came to");
    report->require_subcommand(1);
    auto* reports = report->add_subcommand("list", "show reports, newest first");
    reports->add_option("--device", o->id, "only this device's");
    reports->add_option("--job", o->job, "only backup, retention, check or restore");
    reports->add_option("--limit", o->limit, "how many")->capture_default_str()->check(CLI::Range(1, 100000));
    on_call(reports, c, o, list_reports);
}

} // namespace xentz::apps
