#include "context.hpp"
#include "crypto/recovery_sheet.hpp"
#include "crypto/sealed_box.hpp"
#include "os/terminal.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

using base::fail;
using base::fault_code;
using base::result;

struct keygen_output {
    std::string public_key;
    std::string private_key_file;
};
BOOST_DESCRIBE_STRUCT(keygen_output, (), (public_key, private_key_file))

std::string sheet(const crypto::key_pair& key)
{
    return "Recovery sheet of the private key to " + key.public_key.substr(0, 8) + "...\n\n" +
           crypto::recovery_lines(key.private_key) +
           "\nPrint this and lock it away: whoever has it reads the backups of all machines that enrol with this key,\n"
           "and without it nobody does. The last four digits of each line tell whether it was typed right.\n";
}

// Needs no server: the private key should never have been on one.
result<> make_keys(context& c, const std::string& out)
{
    const auto file = std::filesystem::absolute(out).lexically_normal();
    if (c.files.info(file))
        return fail(fault_code::conflict, file.string() + " exists already",
                    "Name another file; a key that was lost takes backups with it");
    const auto key = crypto::make_key_pair(c.random);
    c.redactor->add(key.private_key);
    if (auto ok = os::write_atomic(c.files, file, key.private_key + "\n"); !ok) return ok;
    if (c.json) {
        print_json(keygen_output{key.public_key, file.string()});
        return {};
    }
    print_line("Private key  " + file.string() + ": it stays with you, off this server. Keep a copy elsewhere.");
    print_line("Public key   " + key.public_key);
    print_line("\nFor machines that enrol from now on:\n  xentz-server tenant set NAME custody-key=" + key.public_key +
               " custody=sealed");
    if (os::is_terminal(os::output::standard)) print_line("\n" + sheet(key));
    return {};
}

} // namespace

void add_custody_command(CLI::App& app, context& c)
{
    auto* custody = app.add_subcommand("custody", "keys of tenants who keep their passwords from the server");
    custody->require_subcommand(1);
    auto* keygen = custody->add_subcommand("keygen", "make a pair of keys: one to seal passwords, one to open them");
    auto out = std::make_shared<std::string>("xentz-custody.key");
    keygen->add_option("--out", *out, "file for the private key, which must not exist")
        ->type_name("FILE")
        ->capture_default_str();
    keygen->callback([&c, out] { c.action = [&c, out] { return make_keys(c, *out); }; });
}

} // namespace xentz::apps
