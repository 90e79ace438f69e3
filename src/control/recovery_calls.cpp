#include "control/addresses.hpp"
#include "control/device_api.hpp"
#include "control/passwords.hpp"
#include "control/repository_credentials.hpp"

namespace xentz::control {
namespace {

using store::recovery_state;

http::problem refusal(recovery_state state)
{
    constexpr std::string_view ask = " Ask an administrator for a new recovery token.";
    const auto problem = [&](int status, std::string type, const std::string& title) {
        return http::problem{status, std::move(type), title, "The " + title + "." + std::string{ask}};
    };
    switch (state) {
    case recovery_state::used:
        return problem(401, "token-used", "recovery token has been used already");
    case recovery_state::expired:
        return problem(401, "token-expired", "recovery token has expired");
    case recovery_state::revoked:
        return problem(401, "token-revoked", "recovery token was revoked");
    case recovery_state::not_exchanged:
        return {409, "not-exchanged", "the recovery token was not exchanged yet",
                "Send it to /v1/recover first, with the same Idempotency-Key."};
    case recovery_state::not_allowed:
        return {403, "take-over-not-allowed", "the recovery token allows no take-over",
                "Ask an administrator for one made with --allow-take-over."};
    case recovery_state::succeeded:
        return {409, "taken-over", "another machine has taken over already",
                "Ask an administrator for a recovery token of that machine."};
    case recovery_state::unknown:
    case recovery_state::usable:
        break;
    }
    return problem(401, "token-unknown", "recovery token is not known to this server");
}

// What both calls need.
struct caller {
    std::string token_hash;
    std::string idempotency_key;
};

std::expected<caller, http::problem> caller_of(const http::request& r)
{
    const auto token = http::bearer_token(r.head);
    if (!token)
        return std::unexpected(http::problem{401, "unauthorized", "no recovery token",
                                             "Send the recovery token as Authorization: Bearer TOKEN."});
    auto key = idempotency_key_of(r.head);
    if (!key) return std::unexpected(key.error());
    // It is what makes the token the caller's own: a restore takes days, and nobody else may ask meanwhile.
    if (!*key) return std::unexpected(invalid_request("Idempotency-Key is missing."));
    return caller{.token_hash = crypto::token_hash(*token), .idempotency_key = std::move(**key)};
}

// What the lost machine added to the policy, as its last backup reported it.
void add_local_additions(services& s, const domain::device_id& lost, wire::recover_response& to)
{
    for (const auto& report : s.store.latest_reports(lost)) {
        if (report.job != "backup" || !report.details) continue;
        const auto details = wire::decode<wire::report_details>(*report.details);
        if (!details) continue;
        to.local_include = details->local_include;
        to.local_exclude = details->local_exclude;
    }
}

void add_passwords(services& s, const store::repository& r, wire::recover_response& to)
{
    auto kept = kept_passwords(s, r);
    if (!kept.empty()) to.password = kept.front();
    if (kept.size() > 1) to.older_passwords = std::vector<std::string>{kept.begin() + 1, kept.end()};
    if (auto boxes = sealed_passwords(s, r); !boxes.empty()) to.sealed_passwords = std::move(boxes);
}

http::response exchange_answer(services& s, const store::recovery_token& t, const store::repository_credential& c)
{
    const auto lost = s.store.find_device(t.device_id);
    const auto r = s.store.find_repository(t.repository_id);
    if (!lost || !r) throw std::runtime_error("the database lacks a device or repository of a recovery token");
    wire::recover_response body;
    body.tenant_id = lost->tenant_id.text;
    body.device_id = lost->id.text;
    body.user_id = lost->user_id;
    body.hostname = lost->hostname;
    body.last_seen_at = lost->last_seen_at;
    body.last_good_backup_at = s.store.last_good_backup(lost->id);
    body.custody = r->custody;
    body.repo_path = address_with(s.public_url, c.id.text, credential_secret(s.key, *r, c), *r);
    add_passwords(s, *r, body);
    body.expires_at = c.expires_at;
    body.allow_take_over = t.allow_take_over;
    add_local_additions(s, lost->id, body);
    auto response = http::json_response(200, wire::encode(body));
    response.headers.push_back({"Cache-Control", "no-store"});
    return response;
}

store::repository_credential fresh_credential(services& s, const wire::device_metadata& m)
{
    const auto now = s.clock.now();
    return {.id = base::make_id<domain::credential_id>("cred", s.random),
            .repository_id = {},
            .kind = std::string{read_only_kind},
            .reason = "recovery on " + m.hostname,
            .created_at = now,
            .expires_at = now + recovery_reads_for,
            .revoked_at = {}};
}

store::device fresh_successor(services& s, const wire::device_metadata& m)
{
    store::device d;
    d.id = base::make_id<domain::device_id>("dev", s.random);
    d.os = m.os;
    d.arch = m.arch;
    d.agent_version = m.agent_version.value_or("");
    d.restic_version = m.restic_version.value_or("");
    d.enrolled_at = s.clock.now();
    return d;
}

} // namespace

http::response recover_call(services& s, const http::request& r)
{
    const auto from = caller_of(r);
    if (!from) return http::to_response(from.error());
    const auto request = wire::decode<wire::recover_request>(r.body);
    if (!request) return http::to_response(invalid_request(request.error().message + "."));
    if (const auto fault = fault_in(request->metadata)) return http::to_response(invalid_request(*fault + "."));
    // Before it is exchanged: a slip must not cost the token.
    if (const auto t = s.store.find_recovery_token(from->token_hash);
        t && request->device_id && t->device_id.text != *request->device_id)
        return http::to_response({409, "other-device", "the recovery token is for another device",
                                  "It is for " + t->device_id.text + ". Nothing was used up."});
    const auto done = s.store.exchange(from->token_hash, from->idempotency_key, fresh_credential(s, request->metadata),
                                       s.clock.now());
    if (done.state != recovery_state::usable) return http::to_response(refusal(done.state));
    s.log.info("recovery of device " + done.token->device_id.text + " on " + request->metadata.hostname);
    return exchange_answer(s, *done.token, *done.credential);
}

http::response take_over_call(services& s, const http::request& r)
{
    const auto from = caller_of(r);
    if (!from) return http::to_response(from.error());
    const auto request = wire::decode<wire::take_over_request>(r.body);
    if (!request) return http::to_response(invalid_request(request.error().message + "."));
    if (const auto fault = fault_in(request->metadata)) return http::to_response(invalid_request(*fault + "."));
    const auto device_key = crypto::make_token("xdk_", s.random);
    auto fresh = fresh_successor(s, request->metadata);
    fresh.key_hash = crypto::token_hash(device_key);
    const auto done = s.store.take_over(from->token_hash, from->idempotency_key, fresh, s.clock.now());
    if (done.state != recovery_state::usable) return http::to_response(refusal(done.state));
    s.log.info("device " + done.result->device.id.text + " has taken over from " + done.token->device_id.text);
    return enrolment_answer(s, *done.result, device_key);
}

} // namespace xentz::control
