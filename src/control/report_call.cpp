#include "base/utf8.hpp"
#include "control/authentication.hpp"
#include "control/device_api.hpp"
#include "wire/messages.hpp"

#include <algorithm>
#include <cctype>

namespace xentz::control {
namespace {

constexpr std::size_t longest_text = 255;

bool is_report_id(std::string_view id)
{
    return !id.empty() && id.size() <= 128 && std::ranges::all_of(id, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
    });
}

std::optional<http::problem> fault_in(const wire::report_message& m, const store::device& device)
{
    if (m.device_id != device.id.text)
        return http::problem{403, "wrong-device", "the report is of another device",
                             "device_id must be the id of the device whose key is used."};
    if (m.report_id && !is_report_id(*m.report_id))
        return invalid_request("report_id must be 1 to 128 of the characters A-Z a-z 0-9 . _ -");
    if (m.duration_ms < 0) return invalid_request("duration_ms must not be negative.");
    for (const auto* text : {&m.outcome, &m.config_version, &m.agent_version, &m.restic_version, &m.engine})
        if (*text && ((*text)->size() > longest_text || (*text)->find('\0') != std::string::npos))
            return invalid_request("outcome, versions and engine must be text of at most 255 bytes without NUL.");
    return std::nullopt;
}

// An older agent may send a longer text, or one that no database takes: a report is never lost for that.
std::string storable(std::string text)
{
    std::ranges::replace(text, '\0', '?');
    return std::string{base::cut_utf8(text, domain::longest_error)};
}

std::optional<std::string> details_of(const wire::report_message& m)
{
    auto details = m.details ? wire::to_json(*m.details).get_object() : wire::json::object{};
    if (m.unsupported) details["unsupported"] = wire::to_json(*m.unsupported);
    if (details.empty()) return std::nullopt;
    return wire::print_json(details);
}

store::report row_of(services& s, const wire::report_message& m, const store::device& device)
{
    store::report row;
    row.device_id = device.id;
    row.job = domain::name(m.job);
    row.status = domain::name(m.status);
    row.started_at = m.started_at;
    row.finished_at = m.finished_at;
    row.received_at = s.clock.now();
    row.duration_ms = m.duration_ms;
    row.metrics = wire::encode(m.metrics.value_or(domain::metrics{}));
    if (m.error) row.error = storable(*m.error);
    row.outcome = m.outcome;
    if (m.fault) row.fault = wire::encode(*m.fault);
    row.config_version = m.config_version;
    row.agent_version = m.agent_version;
    row.restic_version = m.restic_version;
    row.engine = m.engine;
    row.details = details_of(m);
    row.report_id = m.report_id ? *m.report_id : base::make_id_text("rep", s.random);
    row.dedup_key = m.report_id ? "id:" + *m.report_id : "run:" + row.job + "@" + base::to_rfc3339(m.started_at);
    return row;
}

} // namespace

http::response report_call(services& s, const http::request& r)
{
    const auto device = authenticate_device(s, r.head);
    if (!device) return http::to_response(device.error());
    const auto message = wire::decode_report(r.body);
    if (!message) return http::to_response(invalid_request(message.error().message + "."));
    if (const auto fault = fault_in(*message, *device)) return http::to_response(*fault);
    const auto id = s.store.add_report(row_of(s, *message, *device));
    auto answer = http::json_response(200, wire::encode(wire::report_answer{id}));
    tell_epoch(s, answer);
    return answer;
}

} // namespace xentz::control
