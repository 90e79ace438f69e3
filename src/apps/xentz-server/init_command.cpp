#include "context.hpp"
#include "control/administration.hpp"
#include "installation.hpp"
#include "os/service.hpp"
#include "os/terminal.hpp"
#include "output.hpp"
#include "recovery_sheet.hpp"
#include "storage.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

using base::fail;
using base::fault_code;
using base::result;

struct init_options {
    std::string admin_email = "admin@localhost";
    bool with_sheet = false;
};

struct init_output {
    std::string data_dir;
    std::string admin_email;
    std::string admin_password;
    std::string master_key_fingerprint;
};
BOOST_DESCRIBE_STRUCT(init_output, (), (data_dir, admin_email, admin_password, master_key_fingerprint))

// Made once; a key that is there stays, so that an init that was cut short can be run again.
result<crypto::master_key> make_master_key(context& c)
{
    const auto path = master_key_path(c);
    if (c.files.info(path)) {
        auto text = os::read_all(c.files, path, 4096);
        if (!text) return base::failed(text);
        return crypto::master_key::parse(*text);
    }
    auto key = crypto::master_key::generate(c.random);
    if (auto ok = os::write_atomic(c.files, path, key.text() + "\n"); !ok) return base::failed(ok);
    return key;
}

result<> initialise(context& c, const init_options& o)
{
    if (auto ok = check_storage_option(c); !ok) return ok;
    if (auto ok = os::become_owner_of(c.data_path()); !ok) return ok;
    if (auto ok = os::create_directories(c.files, c.data_path()); !ok) return ok;
    auto key = make_master_key(c);
    if (!key) return base::failed(key);
    c.redactor->add(key->text());
    store::fleet_store store{sql::open_database(database_address(c))};
    store.migrate();
    if (store.setting(setting_initialised_at))
        return fail(fault_code::conflict, "there is a xentz server in " + c.data_path().string() + " already",
                    "Start it with `xentz-server serve`");
    store.set_setting_once(setting_key_fingerprint, key->fingerprint());
    if (store.setting(setting_key_fingerprint) != key->fingerprint())
        return fail(fault_code::conflict, "the database belongs to another master key",
                    "Name another database, or put its master key into " + master_key_path(c).string());
    store.set_setting_once(setting_storage_id, base::make_id_text("storage", c.random));
    if (auto ok = make_storage(c, *store.setting(setting_storage_id)); !ok) return ok;

    control::administrator a{store, c.clock, c.random};
    auto admin = control::create_user(a, o.admin_email);
    // An init that was cut short after this point has made the user, but its password was never shown.
    if (!admin && admin.error().code == fault_code::conflict) admin = control::reset_password(a, o.admin_email);
    if (!admin) return base::failed(admin);
    store.set_setting_once(setting_initialised_at, base::to_rfc3339(c.clock.now()));

    if (c.json) {
        print_json(init_output{c.data_path().string(), admin->email, admin->password, key->fingerprint()});
        return {};
    }
    print_line("Made " + c.data_path().string() + " with its database, storage and master key.\n");
    // Where this goes into a log, a key has no business in it.
    if (o.with_sheet || os::is_terminal(os::output::standard))
        print_line(recovery_sheet(*key, c.clock.now()));
    else
        print_line("Print the recovery sheet of the master key and lock it away: xentz-server recovery-sheet\n");
    print_line("Administrator " + admin->email + ", password " + admin->password + " (shown only now).\n");
    print_line(c.of_package ? "Next: systemctl start xentz-server, then: xentz-server tenant create NAME"
                            : "Next: xentz-server serve, and in another terminal: xentz-server tenant create NAME");
    return {};
}

} // namespace

void add_init_command(CLI::App& app, context& c)
{
    auto* init = app.add_subcommand("init", "make the data folder, the master key and the first administrator");
    auto o = std::make_shared<init_options>();
    init->add_option("--admin-email", o->admin_email, "e-mail address of the first administrator")
        ->capture_default_str();
    init->add_flag("--recovery-sheet", o->with_sheet, "print the recovery sheet although the output is no terminal");
    init->callback([&c, o] { c.action = [&c, o] { return initialise(c, *o); }; });
}

} // namespace xentz::apps
