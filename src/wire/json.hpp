// Described structs to JSON and back. Boost.JSON's own conversion rejects unknown keys and missing optionals and
// does not say where in a document an error is; this one does what the protocol asks for:
//
// - unknown keys are ignored, `null` is an absent optional, absent optionals are not written;
// - a missing key is an error unless the member is optional or the struct says `missing_keys_keep_defaults`, and then
//   `null` is as good as missing;
// - an error names the place: "schedule.daily_at: expected a string, got a number";
// - instants are RFC 3339 text, ids their text, described enums their names, maps objects;
// - what is no UTF-8 in a text becomes '?' when it is written: everything that is written can be read.
//
// Threads: pure functions.
#pragma once

#include "base/fault.hpp"
#include "base/id.hpp"
#include "base/time_text.hpp"
#include "base/utf8.hpp"

#include <boost/describe.hpp>
#include <boost/json/value.hpp>
#include <boost/mp11/algorithm.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace xentz::wire {

namespace json = boost::json;

// Text to a value: at most 32 levels deep, one document, UTF-8. invalid_value with the position of the fault.
base::result<json::value> parse_json(std::string_view text);

std::string print_json(const json::value& v);
// Indented by two blanks, keys in the order of the struct, with a final line break: for files that people read.
std::string pretty_json(const json::value& v);

namespace detail {

using failure = std::optional<std::string>;

template <class T>
concept described_struct = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;
template <class T>
concept described_enum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;
template <class T>
concept keeps_defaults = requires { requires T::missing_keys_keep_defaults; };
template <class T>
using members = boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;

template <class>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class>
inline constexpr bool is_map = false;
template <class T>
inline constexpr bool is_map<std::map<std::string, T>> = true;
template <class>
inline constexpr bool is_id = false;
template <class Tag>
inline constexpr bool is_id<base::id<Tag>> = true;
template <class>
inline constexpr bool always_false = false;

failure wrong_kind(std::string_view expected, const json::value& got);
// Each level puts its segment in front as an error travels up, so that success costs nothing.
failure below(std::string segment, failure f);
failure read_text(const json::value& v, std::string& out);
failure read_time(const json::value& v, base::time_point& out);

template <class T>
failure read(const json::value& v, T& out);

template <class T>
failure read_number(const json::value& v, T& out)
{
    if (!v.is_number()) return wrong_kind("a number", v);
    boost::system::error_code ec;
    out = v.to_number<T>(ec);
    if (ec) return "the number is out of range or not whole";
    return {};
}

template <class T>
failure read_array(const json::value& v, T& out)
{
    if (!v.is_array()) return wrong_kind("an array", v);
    out.clear();
    for (std::size_t i = 0; i < v.get_array().size(); ++i)
        if (auto bad = read(v.get_array()[i], out.emplace_back()))
            return below("[" + std::to_string(i) + "]", std::move(bad));
    return {};
}

template <class T>
failure read_map(const json::value& v, T& out)
{
    if (!v.is_object()) return wrong_kind("an object", v);
    out.clear();
    for (const auto& [key, value] : v.get_object())
        if (auto bad = read(value, out[std::string{key}])) return below(std::string{key}, std::move(bad));
    return {};
}

template <class T>
failure read_enum(const json::value& v, T& out)
{
    std::string text;
    if (auto bad = read_text(v, text)) return bad;
    const bool whole = text.find('\0') == std::string::npos;
    if (!whole || !boost::describe::enum_from_string(text.c_str(), out)) return "unknown value \"" + text + "\"";
    return {};
}

template <class T>
failure read_struct(const json::value& v, T& out)
{
    if (!v.is_object()) return wrong_kind("an object", v);
    failure bad;
    boost::mp11::mp_for_each<members<T>>([&](auto member) {
        if (bad) return;
        using type = std::remove_reference_t<decltype(out.*member.pointer)>;
        const auto* found = v.get_object().if_contains(member.name);
        // The first agent wrote empty lists as null.
        if (keeps_defaults<T> && found != nullptr && found->is_null()) return;
        if (found != nullptr) {
            if (auto f = read(*found, out.*member.pointer)) bad = below(member.name, std::move(f));
        } else if (!is_optional<type> && !keeps_defaults<T>) {
            bad = std::string{member.name} + ": missing";
        }
    });
    return bad;
}

template <class T>
failure read(const json::value& v, T& out)
{
    if constexpr (std::is_same_v<T, json::value>) {
        out = v;
        return {};
    } else if constexpr (std::is_same_v<T, json::object>) {
        if (!v.is_object()) return wrong_kind("an object", v);
        out = v.get_object();
        return {};
    } else if constexpr (is_optional<T>) {
        out.reset();
        if (v.is_null()) return {};
        return read(v, out.emplace());
    } else if constexpr (std::is_same_v<T, bool>) {
        if (!v.is_bool()) return wrong_kind("true or false", v);
        out = v.get_bool();
        return {};
    } else if constexpr (std::is_arithmetic_v<T>) {
        return read_number(v, out);
    } else if constexpr (std::is_same_v<T, std::string>) {
        return read_text(v, out);
    } else if constexpr (std::is_same_v<T, base::time_point>) {
        return read_time(v, out);
    } else if constexpr (is_id<T>) {
        return read_text(v, out.text);
    } else if constexpr (is_vector<T>) {
        return read_array(v, out);
    } else if constexpr (is_map<T>) {
        return read_map(v, out);
    } else if constexpr (described_enum<T>) {
        return read_enum(v, out);
    } else if constexpr (described_struct<T>) {
        return read_struct(v, out);
    } else {
        static_assert(always_false<T>, "no JSON form for this type");
    }
}

} // namespace detail

template <class T>
base::result<T> from_json(const json::value& v)
{
    T out{};
    if (auto bad = detail::read(v, out)) return base::fail(base::fault_code::invalid_value, std::move(*bad));
    return out;
}

template <class T>
base::result<T> decode(std::string_view text)
{
    auto v = parse_json(text);
    if (!v) return base::failed(v);
    return from_json<T>(*v);
}

template <class T>
json::value to_json(const T& v)
{
    if constexpr (std::is_same_v<T, base::time_point>) {
        return json::value(base::to_rfc3339(v));
    } else if constexpr (detail::is_id<T>) {
        return json::value(v.text);
    } else if constexpr (detail::is_vector<T>) {
        json::array out;
        for (const auto& element : v) out.push_back(to_json(element));
        return out;
    } else if constexpr (detail::is_map<T>) {
        json::object out;
        for (const auto& [key, value] : v) out[base::to_utf8(key)] = to_json(value);
        return out;
    } else if constexpr (detail::described_enum<T>) {
        return json::value(boost::describe::enum_to_string(v, "")); // with braces it would become an array
    } else if constexpr (detail::described_struct<T>) {
        json::object out;
        boost::mp11::mp_for_each<detail::members<T>>([&](auto member) {
            const auto& value = v.*member.pointer;
            if constexpr (detail::is_optional<std::remove_cvref_t<decltype(value)>>) {
                if (value) out[member.name] = to_json(*value);
            } else {
                out[member.name] = to_json(value);
            }
        });
        return out;
    } else if constexpr (std::is_same_v<T, std::string>) {
        return json::value(base::to_utf8(v));
    } else {
        return json::value(v);
    }
}

template <class T>
std::string encode(const T& v)
{
    return print_json(to_json(v));
}

} // namespace xentz::wire
