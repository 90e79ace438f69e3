#include "wire/json.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>

namespace xentz::wire {
namespace {

constexpr std::size_t deepest = 32;

void print_indented(const json::value& v, std::string& out, std::size_t depth)
{
    const std::string indent(2 * (depth + 1), ' ');
    const std::string outdent(2 * depth, ' ');
    if (const auto* object = v.if_object(); object != nullptr && !object->empty()) {
        std::string_view separator = "{\n";
        for (const auto& [key, value] : *object) {
            out += std::string{separator} + indent + json::serialize(json::value(key)) + ": ";
            print_indented(value, out, depth + 1);
            separator = ",\n";
        }
        out += "\n" + outdent + "}";
    } else if (const auto* array = v.if_array(); array != nullptr && !array->empty()) {
        std::string_view separator = "[\n";
        for (const auto& element : *array) {
            out += std::string{separator} + indent;
            print_indented(element, out, depth + 1);
            separator = ",\n";
        }
        out += "\n" + outdent + "]";
    } else {
        out += json::serialize(v);
    }
}

std::string_view kind_name(const json::value& v)
{
    switch (v.kind()) {
    case json::kind::null:
        return "null";
    case json::kind::bool_:
        return "true or false";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
        return "a number";
    case json::kind::string:
        return "a string";
    case json::kind::array:
        return "an array";
    case json::kind::object:
        return "an object";
    }
    return "something else";
}

} // namespace

base::result<json::value> parse_json(std::string_view text)
{
    json::parse_options options;
    options.max_depth = deepest;
    json::stream_parser parser{{}, options};
    boost::system::error_code ec;
    const auto used = parser.write_some(text.data(), text.size(), ec);
    if (ec)
        return base::fail(base::fault_code::invalid_value,
                          "not valid JSON at byte " + std::to_string(used) + ": " + ec.message());
    if (text.find_first_not_of(" \t\r\n", used) != std::string_view::npos)
        return base::fail(base::fault_code::invalid_value,
                          "not valid JSON: more text after its end, at byte " + std::to_string(used));
    parser.finish(ec);
    if (ec) return base::fail(base::fault_code::invalid_value, "not valid JSON: it ends too early");
    return parser.release();
}

std::string print_json(const json::value& v) { return json::serialize(v); }

std::string pretty_json(const json::value& v)
{
    std::string out;
    print_indented(v, out, 0);
    return out + "\n";
}

namespace detail {

failure wrong_kind(std::string_view expected, const json::value& got)
{
    return "expected " + std::string{expected} + ", got " + std::string{kind_name(got)};
}

failure below(std::string segment, failure f)
{
    // "a" + "b: what" = "a.b: what"; "a" + "[0]: what" = "a[0]: what"; "a" + "what" = "a: what".
    const auto colon = f->find(": ");
    const bool has_path = colon != std::string::npos && f->find_first_of(" \"") > colon;
    if (!has_path) return segment + ": " + *f;
    if (f->front() != '[') segment += '.';
    return segment + *f;
}

failure read_text(const json::value& v, std::string& out)
{
    if (!v.is_string()) return wrong_kind("a string", v);
    out.assign(v.get_string().data(), v.get_string().size());
    return {};
}

failure read_time(const json::value& v, base::time_point& out)
{
    std::string text;
    if (auto bad = read_text(v, text)) return bad;
    const auto parsed = base::parse_rfc3339(text);
    if (!parsed) return "expected a time such as 2026-11-23T18:31:05Z";
    out = *parsed;
    return {};
}

} // namespace detail
} // namespace xentz::wire
