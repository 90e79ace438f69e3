#include "context.hpp"
#include "crypto/recovery_sheet.hpp"
#include "installation.hpp"
#include "output.hpp"
#include "recovery_sheet.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {

std::string recovery_sheet(const crypto::master_key& key, base::time_point now)
{
    return "Recovery sheet of the master key (fingerprint " + key.fingerprint() + "), printed " +
           base::to_rfc3339(now).substr(0, 10) + "\n\n" + crypto::recovery_lines(key) +
           "\nPrint this and lock it away. Without the master key the repository passwords that this server keeps\n"
           "cannot be read again, and no device can reach its repository. The last four digits of each line tell\n"
           "whether it was typed right. With it `xentz-server restore DIR --recovery-sheet-file FILE` opens a copy\n"
           "whose passphrase is lost.\n";
}

void add_recovery_sheet_command(CLI::App& app, context& c)
{
    app.add_subcommand("recovery-sheet", "print the master key for the safe")->callback([&c] {
        c.action = [&c]() -> base::result<> {
            const auto home = open_installation(c);
            if (!home) return std::unexpected(home.error());
            print_line(recovery_sheet(home->key, c.clock.now()));
            return {};
        };
    });
}

} // namespace xentz::apps
