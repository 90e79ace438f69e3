#include "agent/custody.hpp"

#include "agent/machine_setup.hpp"
#include "crypto/sealed_box.hpp"
#include "wire/json.hpp"

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::uint64_t most_note_bytes = 65536;

struct deposit_note {
    std::uint32_t format = 1;
    std::string password_file;
    std::optional<std::string> sealed; // the same bytes at each try, so that the server knows a repeated one
    // Who is to keep it from now on.
    std::optional<std::string> custody;
    std::optional<std::string> custody_key;
};
BOOST_DESCRIBE_STRUCT(deposit_note, (), (format, password_file, sealed, custody, custody_key))

result<wire::password_message> message_of(environment& env, const deposit_note& note)
{
    wire::password_message m{
        .password = {}, .sealed = note.sealed, .custody = note.custody, .custody_key = note.custody_key};
    if (note.sealed || note.custody == custody_device) return m;
    auto password = read_password(env, note.password_file);
    if (!password) return base::failed(password);
    m.password = std::move(*password);
    return m;
}

} // namespace

result<> require_custody(const environment& env, const local_config& local)
{
    if (!local.managed() || local.custody) return {};
    return fail(fault_code::config_invalid,
                env.home.config.string() + " does not say who keeps the repository's password",
                "Add \"custody\": \"server\" there, or \"device\" where this machine alone has it");
}

result<> begin_deposit(environment& env, const local_config& local, const std::string& password,
                       const std::filesystem::path& password_file, bool says_custody)
{
    if (!local.managed() || (local.custody == custody_device && !says_custody)) return {};
    if (auto ok = require_custody(env, local); !ok) return ok;
    deposit_note note{.password_file = password_file.string(), .sealed = {}, .custody = {}, .custody_key = {}};
    if (says_custody) {
        note.custody = local.custody;
        note.custody_key = local.custody_key;
    }
    if (local.custody == custody_sealed) {
        auto box = crypto::seal_to(local.custody_key.value_or(""), password);
        if (!box) return base::failed(box);
        note.sealed = std::move(*box);
    }
    return os::write_atomic(env.files, env.home.deposit(), wire::pretty_json(wire::to_json(note)));
}

result<> finish_deposit(environment& env, const local_config& local, control_plane& server, std::stop_token stop)
{
    const auto text = os::read_all(env.files, env.home.deposit(), most_note_bytes);
    if (!text && text.error().code == fault_code::not_found) return {};
    if (!text) return std::unexpected(text.error());
    const auto note = wire::decode<deposit_note>(*text);
    if (!note)
        return fail(fault_code::config_invalid, env.home.deposit().string() + " is damaged",
                    "Run `xentz-agent rotate-password`: it hands over a new password");
    const auto message = message_of(env, *note);
    if (!message) return std::unexpected(message.error());
    if (auto ok = server.hand_over(*local.device_api_key, *message, std::move(stop)); !ok) return ok;
    return env.files.remove(env.home.deposit());
}

} // namespace xentz::agent
