#include "context.hpp"
#include "control/administration.hpp"
#include "installation.hpp"
#include "os/service.hpp"
#include "output.hpp"
#include "repo/storage_identity.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

using base::fail;
using base::fault_code;
using base::result;

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

// In blocks of eight digits, as a person would type it from paper.
std::string recovery_sheet(const crypto::master_key& key)
{
    std::string blocks;
    const auto text = key.text();
    for (std::size_t i = 0; i < text.size(); i += 8)
        blocks += "    " + text.substr(i, 8) + ((i / 8) % 4 == 3 ? "\n" : "");
    return "Recovery sheet of the master key (fingerprint " + key.fingerprint() + ")\n\n" + blocks +
           "\nPrint this and lock it away. Without the master key the repository passwords that this server keeps\n"
           "cannot be read again, and no device can reach its repository.\n";
}

result<> initialise(context& c, const std::string& admin_email)
{
    const auto storage = storage_path(c);
    if (!storage) return std::unexpected(storage.error());
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
    if (auto ok = repo::initialise_storage(c.files, *storage, *store.setting(setting_storage_id)); !ok) return ok;

    control::administrator a{store, c.clock, c.random};
    auto admin = control::create_user(a, admin_email);
    // An init that was cut short after this point has made the user, but its password was never shown.
    if (!admin && admin.error().code == fault_code::conflict) admin = control::reset_password(a, admin_email);
    if (!admin) return base::failed(admin);
    store.set_setting_once(setting_initialised_at, base::to_rfc3339(c.clock.now()));

    if (c.json) {
        print_json(init_output{c.data_path().string(), admin->email, admin->password, key->fingerprint()});
        return {};
    }
    print_line("Made " + c.data_path().string() + " with its database, storage and master key.\n");
    print_line(recovery_sheet(*key));
    print_line("Administrator " + admin->email + ", password " + admin->password + " (shown only now).\n");
    print_line(c.of_package ? "Next: systemctl start xentz-server, then: xentz-server tenant create NAME"
                            : "Next: xentz-server serve, and in another terminal: xentz-server tenant create NAME");
    return {};
}

} // namespace

void add_init_command(CLI::App& app, context& c)
{
    auto* init = app.add_subcommand("init", "make the data folder, the master key and the first administrator");
    auto email = std::make_shared<std::string>("admin@localhost");
    init->add_option("--admin-email", *email, "e-mail address of the first administrator")->capture_default_str();
    init->callback([&c, email] { c.action = [&c, email] { return initialise(c, *email); }; });
}

} // namespace xentz::apps
