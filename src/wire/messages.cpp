#include "wire/messages.hpp"

namespace xentz::wire {

json::value encode_config(const device_config& c)
{
    auto v = to_json(c);
    if (c.requires_features) v.as_object()["requires"] = to_json(*c.requires_features);
    return v;
}

base::result<device_config> decode_config(std::string_view text)
{
    auto v = parse_json(text);
    if (!v) return base::failed(v);
    auto config = from_json<device_config>(*v);
    if (!config) return config;
    if (const auto* features = v->as_object().if_contains("requires"); features != nullptr && !features->is_null()) {
        auto names = from_json<std::vector<std::string>>(*features);
        if (!names)
            return base::fail(base::fault_code::invalid_value, *detail::below("requires", names.error().message));
        config->requires_features = std::move(*names);
    }
    return config;
}

base::result<report_message> decode_report(std::string_view text)
{
    auto v = parse_json(text);
    if (!v) return base::failed(v);
    auto report = from_json<report_message>(*v);
    if (!report || report->metrics) return report;
    auto flat = from_json<domain::metrics>(*v);
    if (!flat) return base::failed(flat);
    if (*flat != domain::metrics{}) report->metrics = std::move(*flat);
    return report;
}

} // namespace xentz::wire
