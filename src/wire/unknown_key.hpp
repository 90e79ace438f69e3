// Keys of a document that nothing reads: in what a person writes by hand, a typing error that would otherwise pass for
// the default.
//
// Threads: pure functions.
#pragma once

#include "wire/json.hpp"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace xentz::wire {

// Paths such as "restic.repository" that are no keys of the struct and may be there all the same.
using further_keys = std::initializer_list<std::string_view>;

namespace detail {

template <class T>
std::optional<std::string> unknown_key(const json::value& v, const std::string& where, further_keys further);

template <class T>
std::optional<std::string> unknown_key_in(const json::object& object, const std::string& where, further_keys further)
{
    for (const auto& [key, value] : object) {
        const auto path = where + std::string{key};
        bool known = std::ranges::find(further, std::string_view{path}) != further.end();
        std::optional<std::string> found;
        boost::mp11::mp_for_each<members<T>>([&](auto member) {
            if (known || key != member.name) return;
            known = true;
            found = unknown_key<std::remove_reference_t<decltype(std::declval<T&>().*member.pointer)>>(value, path,
                                                                                                       further);
        });
        if (!known) return path;
        if (found) return found;
    }
    return std::nullopt;
}

template <class T>
std::optional<std::string> unknown_key(const json::value& v, const std::string& where, further_keys further)
{
    if constexpr (is_optional<T>) {
        return unknown_key<typename T::value_type>(v, where, further);
    } else if constexpr (is_vector<T>) {
        if (!v.is_array()) return std::nullopt;
        for (std::size_t i = 0; i < v.get_array().size(); ++i)
            if (auto key = unknown_key<typename T::value_type>(v.get_array()[i], where + "[" + std::to_string(i) + "]",
                                                               further))
                return key;
    } else if constexpr (described_struct<T>) {
        if (v.is_object()) return unknown_key_in<T>(v.get_object(), where.empty() ? where : where + ".", further);
    }
    return std::nullopt;
}

} // namespace detail

// The path of the first key that a T has not, in the whole of a document from which a T can be read.
template <class T>
std::optional<std::string> find_unknown_key(const json::value& v, further_keys further = {})
{
    return detail::unknown_key<T>(v, "", further);
}

} // namespace xentz::wire
