#include "copy_parts.hpp"

#include "crypto/recovery_sheet.hpp"
#include "passphrase.hpp"

namespace xentz::apps {
namespace {

using base::fault_code;
using base::result;

constexpr auto settings_name = "server.conf.restored";

// The config file, where one was named or the package's holds.
result<std::optional<recovery::settings_file>> read_settings(context& c)
{
    if (c.config_file.empty()) return std::optional<recovery::settings_file>{};
    const auto path = std::filesystem::absolute(c.config_file);
    auto text = read_small_file(c, c.config_file);
    if (!text && text.error().code == fault_code::not_found) return std::optional<recovery::settings_file>{};
    if (!text) return base::failed(text);
    return recovery::settings_file{path.string(), std::move(*text)};
}

} // namespace

result<copy_input> read_copy_input(context& c, const std::string& passphrase_file)
{
    auto passphrase = read_passphrase(c, passphrase_file, true);
    if (!passphrase) return base::failed(passphrase);
    auto settings = read_settings(c);
    if (!settings) return base::failed(settings);
    return copy_input{std::move(*passphrase), std::move(*settings)};
}

recovery::copy_parts make_copy_parts(context& c, installation& home, copy_input input)
{
    const auto epoch = home.store->current_epoch();
    return {.files = c.files,
            .clock = c.clock,
            .random = c.random,
            .rows = home.store->rows(),
            .key = home.key,
            .passphrase = std::move(input.passphrase),
            .version = c.version,
            .storage_id = home.storage_id,
            .epoch = epoch ? epoch->number : 0,
            .settings = std::move(input.settings)};
}

std::filesystem::path folder_path(const std::string& folder)
{
    return std::filesystem::absolute(folder).lexically_normal();
}

result<recovery::unlocking> read_unlocking(context& c, const std::string& passphrase_file,
                                           const std::string& sheet_file)
{
    if (sheet_file.empty()) {
        auto passphrase = read_passphrase(c, passphrase_file, false);
        if (!passphrase) return base::failed(passphrase);
        return recovery::unlocking{.passphrase = std::move(*passphrase), .key = {}};
    }
    const auto text = read_small_file(c, sheet_file);
    if (!text) return std::unexpected(text.error());
    auto key = crypto::read_recovery_sheet(*text);
    if (!key) return base::failed(key);
    c.redactor->add(key->text());
    return recovery::unlocking{.passphrase = {}, .key = *key};
}

base::fault installed_already(const context& c)
{
    return {fault_code::conflict, "there is a xentz server in " + c.data_path().string() + " already",
            "Nothing was changed. Name an empty folder with --data-dir, and a database of its own"};
}

result<bool> has_master_key(context& c, const crypto::master_key& key)
{
    const auto there = read_master_key(c);
    if (!there) return std::unexpected(there.error());
    if (!*there) return false;
    if ((*there)->text() == key.text()) return true;
    return std::unexpected(installed_already(c));
}

result<> put_master_key(context& c, const crypto::master_key& key)
{
    return os::write_atomic(c.files, master_key_path(c), key.text() + "\n");
}

result<std::optional<std::string>> put_settings(context& c, const recovery::opened_copy& copy)
{
    if (!copy.settings) return std::optional<std::string>{};
    const auto path = c.data_path() / settings_name;
    if (auto ok = os::write_atomic(c.files, path, copy.settings->text); !ok) return base::failed(ok);
    return path.string();
}

} // namespace xentz::apps
