#include "control/passwords.hpp"

#include "control/authentication.hpp"
#include "control/device_api.hpp"
#include "crypto/sealed_box.hpp"

#include <algorithm>

namespace xentz::control {
namespace {

std::string opened(services& s, const store::repository& r, const std::string& box)
{
    auto password = s.key.open(r.id.text, box);
    if (!password) throw std::runtime_error(password.error().message);
    return std::move(*password);
}

// restic reads a password from the first line of a file.
bool is_password(std::string_view text)
{
    constexpr std::size_t longest = 4096;
    return !text.empty() && text.size() <= longest &&
           std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

http::problem other_custody(const store::repository& r)
{
    return {409, "other-custody", "the password is kept in another way",
            r.custody == custody_device ? "The device alone keeps the password of this repository."
            : r.custody == custody_sealed
                ? "The password of this repository is handed over sealed to the tenant's key: send `sealed`."
                : "The server keeps the password of this repository: send `password`."};
}

// The repository as it is to be from now on.
std::expected<store::repository, http::problem> as_wished(store::repository r, const wire::password_message& m)
{
    if (!m.custody) return r;
    const bool known = *m.custody == custody_server || *m.custody == custody_sealed || *m.custody == custody_device;
    if (!known) return std::unexpected(invalid_request("custody must be server, sealed or device."));
    const bool has_key = m.custody_key && crypto::is_public_key(*m.custody_key);
    if ((*m.custody == custody_sealed) != m.custody_key.has_value() || (m.custody_key && !has_key))
        return std::unexpected(invalid_request("custody_key must be a public key, and there with sealed only."));
    r.custody = *m.custody;
    r.custody_key = m.custody_key;
    return r;
}

bool is_newest(services& s, const store::repository& r, const wire::password_message& m)
{
    const auto known = m.password ? kept_passwords(s, r) : sealed_passwords(s, r);
    return !known.empty() && crypto::equal(known.front(), m.password ? *m.password : *m.sealed);
}

std::optional<http::problem> fault_in(const store::repository& r, const wire::password_message& m)
{
    if (r.custody == custody_server && m.password) {
        if (is_password(*m.password)) return std::nullopt;
        return invalid_request("password must be text of 1 to 4096 bytes without control characters.");
    }
    if (r.custody == custody_sealed && m.sealed && !m.password) {
        if (crypto::is_sealed_box(*m.sealed)) return std::nullopt;
        return invalid_request("sealed must be a sealed box in hex.");
    }
    const bool says_only_that = r.custody == custody_device && m.custody && !m.password && !m.sealed;
    return says_only_that ? std::nullopt : std::optional{other_custody(r)};
}

// False where there are too many.
bool keep(services& s, const store::repository& r, const wire::password_message& m)
{
    if (!m.password && !m.sealed) return true;
    // A call that is repeated after a lost answer adds nothing.
    if (is_newest(s, r, m)) return true;
    const auto box = m.password ? s.key.seal(r.id.text, *m.password, s.random) : *m.sealed;
    if (!s.store.add_password(r.id, r.custody, box, s.clock.now(), most_deposited_passwords)) return false;
    s.log.info("the device of repository " + r.id.text + " handed over a new password");
    return true;
}

} // namespace

std::vector<std::string> kept_passwords(services& s, const store::repository& r)
{
    std::vector<std::string> out;
    for (const auto& p : s.store.passwords(r.id))
        if (p.kind == custody_server) out.push_back(opened(s, r, p.box));
    if (r.password_box) out.push_back(opened(s, r, *r.password_box));
    return out;
}

std::vector<std::string> sealed_passwords(services& s, const store::repository& r)
{
    std::vector<std::string> out;
    for (auto& p : s.store.passwords(r.id))
        if (p.kind == custody_sealed) out.push_back(std::move(p.box));
    return out;
}

http::response password_call(services& s, const http::request& request)
{
    const auto device = authenticate_device(s, request.head);
    if (!device) return http::to_response(device.error());
    const auto m = wire::decode<wire::password_message>(request.body);
    if (!m) return http::to_response(invalid_request(m.error().message + "."));
    const auto now = s.store.repository_of(device->id);
    if (!now) throw std::runtime_error("the device " + device->id.text + " has no repository");
    const auto r = as_wished(*now, *m);
    if (!r) return http::to_response(r.error());
    if (const auto fault = fault_in(*r, *m)) return http::to_response(*fault);
    if (!keep(s, *r, *m))
        return http::to_response({409, "too-many-passwords", "too many passwords were handed over",
                                  "Ask an administrator: this device has changed its password " +
                                      std::to_string(most_deposited_passwords) + " times."});
    if (r->custody != now->custody || r->custody_key != now->custody_key) {
        s.store.change_custody(r->id, r->custody, r->custody_key);
        s.log.info("device " + device->id.text + " changed the custody of its password from " + now->custody + " to " +
                   r->custody);
    }
    return http::json_response(200, wire::encode(wire::password_answer{.kept = true}));
}

} // namespace xentz::control
