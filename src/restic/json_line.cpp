#include "restic/json_line.hpp"

#include "restic/json_fields.hpp"

#include <boost/json/parse.hpp>

#include <cmath>
#include <limits>

namespace xentz::restic {
namespace {

// The first character tells most plain lines apart without a parser.
std::optional<boost::json::value> parse_starting_with(char first, std::string_view line)
{
    const auto text = json_of(line);
    if (!text.starts_with(first)) return std::nullopt;
    boost::system::error_code error;
    auto value = boost::json::parse(text, error);
    if (error) return std::nullopt;
    return value;
}

} // namespace

std::optional<boost::json::object> parse_object(std::string_view line)
{
    auto value = parse_starting_with('{', line);
    if (!value) return std::nullopt;
    return std::move(value->as_object());
}

std::optional<boost::json::array> parse_array(std::string_view line)
{
    auto value = parse_starting_with('[', line);
    if (!value) return std::nullopt;
    return std::move(value->as_array());
}

std::optional<std::string> text_of(const boost::json::object& o, std::string_view key)
{
    const auto* value = o.if_contains(key);
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return std::string{value->get_string()};
}

std::optional<std::uint64_t> count_of(const boost::json::object& o, std::string_view key)
{
    const auto* value = o.if_contains(key);
    if (value == nullptr) return std::nullopt;
    if (value->is_uint64()) return value->get_uint64();
    if (value->is_int64() && value->get_int64() >= 0) return static_cast<std::uint64_t>(value->get_int64());
    // Two to the 64th is the first double that does not fit.
    if (value->is_double() && value->get_double() >= 0 && value->get_double() < 18446744073709551616.0)
        return static_cast<std::uint64_t>(value->get_double());
    return std::nullopt;
}

std::optional<double> number_of(const boost::json::object& o, std::string_view key)
{
    const auto* value = o.if_contains(key);
    if (value == nullptr) return std::nullopt;
    if (value->is_uint64()) return static_cast<double>(value->get_uint64());
    if (value->is_int64()) return static_cast<double>(value->get_int64());
    if (value->is_double() && std::isfinite(value->get_double())) return value->get_double();
    return std::nullopt;
}

std::vector<std::string> texts_of(const boost::json::object& o, std::string_view key)
{
    std::vector<std::string> texts;
    const auto* list = array_of(o, key);
    if (list == nullptr) return texts;
    for (const auto& item : *list) {
        if (item.is_string()) texts.emplace_back(item.get_string());
    }
    return texts;
}

const boost::json::object* object_of(const boost::json::object& o, std::string_view key)
{
    const auto* value = o.if_contains(key);
    return value == nullptr ? nullptr : value->if_object();
}

const boost::json::array* array_of(const boost::json::object& o, std::string_view key)
{
    const auto* value = o.if_contains(key);
    return value == nullptr ? nullptr : value->if_array();
}

} // namespace xentz::restic
