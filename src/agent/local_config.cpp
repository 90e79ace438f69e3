#include "agent/local_config.hpp"

#include "http/client.hpp"

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;
namespace json = wire::json;

constexpr std::uint64_t most_config_bytes = std::uint64_t{4} << 20U;

// What is in `old` under keys that T does not have. A key that T has and `fresh` lacks was taken away.
template <class T>
void keep_unknown(json::object& fresh, json::object old)
{
    boost::mp11::mp_for_each<wire::detail::members<T>>([&](auto member) {
        using type = std::remove_cvref_t<decltype(std::declval<T>().*member.pointer)>;
        if constexpr (wire::detail::described_struct<type>) {
            const auto* mine = old.if_contains(member.name);
            if (mine != nullptr && mine->is_object())
                keep_unknown<type>(fresh[member.name].get_object(), mine->get_object());
        }
        old.erase(member.name);
    });
    for (const auto& [key, value] : old) fresh[key] = value;
}

result<> validate(const local_config& c)
{
    if (c.format > local_config_format)
        return fail(fault_code::config_invalid,
                    "it was written by a newer agent (format " + std::to_string(c.format) + ")",
                    "Install that agent's version again");
    if (c.managed() && (!c.device_api_key || !c.device_id))
        return fail(fault_code::config_invalid, "it names a server but no device key",
                    "Enrol the machine again with `xentz-agent install --again`");
    if (!c.managed() && c.restic.repository.empty())
        return fail(fault_code::config_invalid, "it names neither a server nor a repository",
                    "Set the machine up again with `xentz-agent install --again`");
    if (auto ok = domain::validate(c.restic); !ok) return ok;
    if (auto ok = domain::validate_include(c.include); !ok) return ok;
    if (auto ok = domain::validate_exclude(c.exclude); !ok) return ok;
    if (auto ok = domain::validate(c.conditions.value_or(domain::conditions{})); !ok) return ok;
    if (auto ok = domain::validate_hooks(c.hooks); !ok) return ok;
    return domain::validate_dumps(c.dumps);
}

} // namespace

result<local_config> load_local_config(os::files& fs, const std::filesystem::path& p, base::redactor& secrets)
{
    auto text = os::read_all(fs, p, most_config_bytes);
    if (!text && text.error().code == fault_code::not_found)
        return fail(fault_code::config_missing, "this machine is not enrolled: there is no " + p.string(),
                    "Run `xentz-agent install --token TOKEN --server URL`");
    if (!text) return base::failed(text);
    auto config = wire::decode<local_config>(*text);
    if (!config)
        return fail(fault_code::config_invalid, p.string() + " cannot be used: " + config.error().message,
                    "Mend the file, or enrol again with `xentz-agent install --again`");
    learn_secrets(*config, fs, secrets);
    if (const auto ok = validate(*config); !ok)
        return fail(fault_code::config_invalid, p.string() + " cannot be used: " + ok.error().message,
                    ok.error().remedy);
    return config;
}

result<> require_own_repository(const local_config& c)
{
    if (!c.recovering) return {};
    return fail(fault_code::config_missing, "this machine only reads the backups of " + *c.recovering,
                "Take its place with `xentz-agent recover --take-over`, or enrol with `xentz-agent install`");
}

result<> save_local_config(os::files& fs, const std::filesystem::path& p, const local_config& c)
{
    auto fresh = wire::to_json(c);
    if (const auto old = os::read_all(fs, p, most_config_bytes))
        if (const auto value = wire::parse_json(*old); value && value->is_object())
            keep_unknown<local_config>(fresh.get_object(), value->get_object());
    return os::write_atomic(fs, p, wire::pretty_json(fresh));
}

void learn_secrets(const local_config& c, os::files& fs, base::redactor& secrets)
{
    if (c.device_api_key) secrets.add(*c.device_api_key);
    auto address = std::string_view{c.restic.repository};
    if (address.starts_with("rest:")) address.remove_prefix(5);
    if (const auto parts = http::parse_url(address); parts && parts->basic) secrets.add(parts->basic->password);
    if (c.restic.password_file.empty()) return;
    if (auto password = os::read_all(fs, c.restic.password_file, 4096)) {
        while (!password->empty() && (password->back() == '\n' || password->back() == '\r')) password->pop_back();
        secrets.add(*password);
    }
}

} // namespace xentz::agent
