#include "agent/repository_pin.hpp"

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::uint64_t most_pin_bytes = std::uint64_t{1} << 16U;

std::string shown(const std::string& id) { return id.substr(0, 8); }

} // namespace

result<std::optional<repository_pin>> load_pin(os::files& fs, const home& h)
{
    const auto text = os::read_all(fs, h.repository_pin(), most_pin_bytes);
    if (!text && text.error().code == fault_code::not_found) return std::optional<repository_pin>{};
    if (!text) return std::unexpected(text.error());
    auto pin = wire::decode<repository_pin>(*text);
    if (!pin)
        return fail(fault_code::config_invalid, h.repository_pin().string() + " cannot be used: " + pin.error().message,
                    "If the repository is the right one, run `xentz-agent backup --accept-repository`");
    return std::optional{std::move(*pin)};
}

result<> forget_pin(os::files& fs, const home& h)
{
    auto removed = fs.remove(h.repository_pin());
    if (!removed && removed.error().code != fault_code::not_found) return removed;
    return {};
}

result<> check_pin(environment& env, const std::optional<repository_pin>& pin, const repository_look& look,
                   const std::string& address, engine::session& session, std::stop_token stop)
{
    if (pin && pin->fingerprint && pin->fingerprint == look.fingerprint) return {};
    auto id = look.id ? result<std::string>{*look.id} : session.repository_id(std::move(stop));
    if (!id) return base::failed(id);
    if (pin && pin->id != *id)
        return fail(fault_code::repository_changed,
                    "the repository at " + without_credential(address) + " is another one (" + shown(*id) +
                        ") than the one that this machine backed up to (" + shown(pin->id) + ")",
                    "Find out what happened to it before anything is written; if it was meant, run `xentz-agent backup "
                    "--accept-repository`");
    if (pin && pin->fingerprint == look.fingerprint) return {};
    const repository_pin fresh{.id = std::move(*id),
                               .fingerprint = look.fingerprint,
                               .address = without_credential(address),
                               .machine_id = env.machine_id,
                               .pinned_at = env.clock.now()};
    return os::write_atomic(env.files, env.home.repository_pin(), wire::pretty_json(wire::to_json(fresh)));
}

} // namespace xentz::agent
