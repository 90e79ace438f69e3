#include "control/addresses.hpp"
#include "control/device_api.hpp"
#include "control/passwords.hpp"
#include "domain/names.hpp"

#include <algorithm>

namespace xentz::control {
namespace {

constexpr std::size_t longest_metadata = 255;
constexpr std::size_t longest_idempotency_key = 128;

http::problem refusal(store::token_state state)
{
    constexpr std::string_view ask = " Ask an administrator for a new token.";
    const auto problem = [&](std::string type, const std::string& title) {
        return http::problem{401, std::move(type), title, "The " + title + "." + std::string{ask}};
    };
    switch (state) {
    case store::token_state::used:
        return problem("token-used", "install token has been used already");
    case store::token_state::expired:
        return problem("token-expired", "install token has expired");
    case store::token_state::revoked:
        return problem("token-revoked", "install token was revoked");
    case store::token_state::unknown:
    case store::token_state::usable:
        break;
    }
    return problem("token-unknown", "install token is not known to this server");
}

bool is_plain_text(std::string_view text)
{
    return text.size() <= longest_metadata &&
           std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

bool is_idempotency_key(std::string_view text)
{
    return !text.empty() && text.size() <= longest_idempotency_key &&
           std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c < 0x7F; });
}

std::optional<std::string> fault_in_install(const wire::install_request& r)
{
    if (r.user_id)
        if (const auto ok = domain::check_name("user_id", *r.user_id); !ok) return ok.error().message;
    if (const auto fault = fault_in(r.metadata)) return fault;
    if (r.include)
        if (const auto ok = domain::validate_include(*r.include); !ok) return ok.error().message;
    return std::nullopt;
}

store::device fresh_device(services& s, const wire::install_request& r)
{
    store::device d;
    d.id = base::make_id<domain::device_id>("dev", s.random);
    d.user_id = r.user_id.value_or("default");
    d.hostname = r.metadata.hostname;
    d.os = r.metadata.os;
    d.arch = r.metadata.arch;
    d.agent_version = r.metadata.agent_version.value_or("");
    d.restic_version = r.metadata.restic_version.value_or("");
    d.include = wire::encode(r.include.value_or(std::vector<std::string>{}));
    d.enrolled_at = s.clock.now();
    return d;
}

store::repository fresh_repository(services& s, const store::device& d, const std::optional<store::tenant>& t)
{
    store::repository r;
    r.id = base::make_id<domain::repository_id>("repo", s.random);
    r.device_id = d.id;
    r.user_id = d.user_id;
    r.created_at = d.enrolled_at;
    if (t) r.custody = t->custody;
    if (r.custody == custody_sealed) r.custody_key = t->custody_key;
    if (r.custody == custody_server) r.password_box = s.key.seal(r.id.text, crypto::make_password(s.random), s.random);
    return r;
}

} // namespace

std::optional<std::string> fault_in(const wire::device_metadata& m)
{
    struct field {
        std::string_view name;
        std::string_view value;
    };
    for (const auto& [name, value] :
         {field{"metadata.hostname", m.hostname}, field{"metadata.os", m.os}, field{"metadata.arch", m.arch},
          field{"metadata.agent_version", m.agent_version ? *m.agent_version : std::string_view{}},
          field{"metadata.restic_version", m.restic_version ? *m.restic_version : std::string_view{}}})
        if (!is_plain_text(value))
            return std::string{name} + " must be text of at most 255 bytes without control characters";
    if (m.hostname.empty()) return "metadata.hostname is empty";
    return std::nullopt;
}

std::expected<std::optional<std::string>, http::problem> idempotency_key_of(const http::request_head& head)
{
    const auto* key = head.find("Idempotency-Key");
    if (key == nullptr) return std::nullopt;
    if (is_idempotency_key(*key)) return *key;
    return std::unexpected(invalid_request("Idempotency-Key must have 1 to 128 characters of ASCII."));
}

http::response enrolment_answer(services& s, const store::enrolled& e, const std::string& key)
{
    wire::install_response body;
    body.tenant_id = e.device.tenant_id.text;
    body.device_id = e.device.id.text;
    body.device_api_key = key;
    body.repo_path = repository_address(s.public_url, s.key, e.repository);
    body.custody = e.repository.custody;
    body.custody_key = e.repository.custody_key;
    if (auto kept = kept_passwords(s, e.repository); !kept.empty()) body.password = std::move(kept.front());
    auto response = http::json_response(200, wire::encode(body));
    response.headers.push_back({"Cache-Control", "no-store"});
    return response;
}

http::response install_call(services& s, const http::request& r)
{
    const auto token = http::bearer_token(r.head);
    if (!token)
        return http::to_response(
            {401, "unauthorized", "no install token", "Send the install token as Authorization: Bearer TOKEN."});
    const auto request = wire::decode<wire::install_request>(r.body);
    if (!request) return http::to_response(invalid_request(request.error().message + "."));
    if (const auto fault = fault_in_install(*request)) return http::to_response(invalid_request(*fault + "."));

    store::new_enrolment e;
    e.token_hash = crypto::token_hash(*token);
    auto key = idempotency_key_of(r.head);
    if (!key) return http::to_response(key.error());
    e.idempotency_key = std::move(*key);
    const auto row = s.store.find_token(e.token_hash);
    if (!row) return http::to_response(refusal(store::token_state::unknown));
    const auto tenant = s.store.find_tenant(row->tenant_id.text);

    const auto device_key = crypto::make_token("xdk_", s.random);
    e.fresh_device = fresh_device(s, *request);
    e.fresh_device.key_hash = crypto::token_hash(device_key);
    e.fresh_repository = fresh_repository(s, e.fresh_device, tenant);

    const auto outcome = s.store.enrol(e, s.clock.now(), install_retry_window);
    if (outcome.already_confirmed)
        return http::to_response({409, "already-enrolled", "this enrolment is finished",
                                  "The device of this Idempotency-Key has its key already. Enrol with a new token."});
    if (!outcome.result) return http::to_response(refusal(outcome.token));
    s.log.info("device " + outcome.result->device.id.text + " enrolled: " + outcome.result->device.hostname);
    return enrolment_answer(s, *outcome.result, device_key);
}

} // namespace xentz::control
