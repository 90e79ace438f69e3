// A connection as the code inside a transaction sees it: SQL text with $1, $2, ... in, rows out. A cell is read as
// the C++ type that is asked for, so that the two engines' ideas of a column's type play no part; a structure that
// Boost.Describe knows is read and inserted by its members' names.
//
// Values: integers, bool (0 and 1), double, text, base::id, base::time_point (microseconds), std::optional (null).
// Text is UTF-8 without NUL on both engines; bytes have to be stored as hexadecimal or base64 text.
// Errors: exceptions of type sql::error. After one, the transaction accepts nothing more and cannot be committed.
// Threads: a connection belongs to the call that got it.
#pragma once

#include "base/clock.hpp"
#include "base/id.hpp"

#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/mp11/algorithm.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace xentz::sql {

// busy: the same transaction may succeed at once or soon. connection_lost: the engine cannot be reached, or went away;
// where that happened while committing, nobody knows whether the transaction was stored. shut: the gate of the database
// is shut (database_options).
enum class errc { other, unique_violation, foreign_key_violation, busy, connection_lost, invalid_text, shut };

// The message is a sentence without a full stop and holds neither a value of a row nor a part of an address.
struct error : std::runtime_error {
    error(errc c, const std::string& message) : std::runtime_error(message), code(c) {}
    errc code;
};

using value = std::variant<std::monostate, std::int64_t, double, std::string>;

template <class T>
concept described = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

namespace detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
inline constexpr bool is_id = false;
template <class Tag>
inline constexpr bool is_id<base::id<Tag>> = true;

template <class>
inline constexpr bool unsupported = false;

template <described T>
using members_of = boost::describe::describe_members<T, boost::describe::mod_public>;

std::int64_t to_integer(const value& cell, std::string_view column);
double to_real(const value& cell, std::string_view column);
bool to_truth(const value& cell, std::string_view column);
std::string to_text(const value& cell, std::string_view column);
[[noreturn]] void fail_range(std::string_view column);
[[noreturn]] void fail_range_of_argument();

} // namespace detail

// An argument of a statement.
template <class T>
value to_value(const T& v)
{
    if constexpr (std::is_same_v<T, std::nullopt_t>) {
        return std::monostate{};
    } else if constexpr (detail::is_optional<T>) {
        return v ? to_value(*v) : value{};
    } else if constexpr (std::is_integral_v<T>) {
        if constexpr (!std::is_same_v<T, bool>) {
            if (!std::in_range<std::int64_t>(v)) detail::fail_range_of_argument();
        }
        return static_cast<std::int64_t>(v);
    } else if constexpr (std::is_floating_point_v<T>) {
        return static_cast<double>(v);
    } else if constexpr (std::is_same_v<T, base::time_point>) {
        return std::int64_t{v.time_since_epoch().count()};
    } else if constexpr (detail::is_id<T>) {
        return v.text;
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
        return std::string{std::string_view{v}};
    } else {
        static_assert(detail::unsupported<T>, "this type has no form in the database");
    }
}

// A cell as a C++ type; a null where the type is not optional, and an integer that does not fit, are errors.
template <class T>
T from_value(const value& cell, std::string_view column)
{
    if constexpr (detail::is_optional<T>) {
        if (std::holds_alternative<std::monostate>(cell)) return std::nullopt;
        return from_value<typename T::value_type>(cell, column);
    } else if constexpr (std::is_same_v<T, bool>) {
        return detail::to_truth(cell, column);
    } else if constexpr (std::is_integral_v<T>) {
        const auto n = detail::to_integer(cell, column);
        if (!std::in_range<T>(n)) detail::fail_range(column);
        return static_cast<T>(n);
    } else if constexpr (std::is_same_v<T, double>) {
        return detail::to_real(cell, column);
    } else if constexpr (std::is_same_v<T, base::time_point>) {
        return base::time_point{std::chrono::microseconds{detail::to_integer(cell, column)}};
    } else if constexpr (detail::is_id<T>) {
        return T{detail::to_text(cell, column)};
    } else if constexpr (std::is_same_v<T, std::string>) {
        return detail::to_text(cell, column);
    } else {
        static_assert(detail::unsupported<T>, "this type has no form in the database");
    }
}

// What a statement answered, held in memory.
struct row_set {
    std::vector<std::string> columns;
    std::vector<std::vector<value>> rows;

    std::size_t size() const { return rows.size(); }
    bool empty() const { return rows.empty(); }

    template <class T>
    T get(std::size_t row, std::size_t column) const
    {
        return from_value<T>(rows.at(row).at(column), columns.at(column));
    }

    // Every member needs a column of its name; further columns are ignored.
    template <described T>
    std::vector<T> as() const
    {
        std::vector<T> out(rows.size());
        boost::mp11::mp_for_each<detail::members_of<T>>([&](auto member) {
            using type = std::remove_cvref_t<decltype(std::declval<T&>().*member.pointer)>;
            const auto column = index_of(member.name);
            for (std::size_t row = 0; row < rows.size(); ++row) out[row].*member.pointer = get<type>(row, column);
        });
        return out;
    }

private:
    std::size_t index_of(std::string_view column) const;
};

// "id, name, created_at": a list by name, so that a column added later changes no statement.
template <described T>
std::string column_list()
{
    std::string out;
    boost::mp11::mp_for_each<detail::members_of<T>>(
        [&](auto member) { out.append(out.empty() ? "" : ", ").append(member.name); });
    return out;
}

class connection {
public:
    connection() = default;
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    virtual ~connection() = default;

    template <class... A>
    row_set query(std::string_view text, const A&... arguments)
    {
        const std::array<value, sizeof...(A)> values{to_value(arguments)...};
        return run(text, values);
    }

    // The same, with arguments that were made before.
    row_set query_with(std::string_view text, std::span<const value> arguments) { return run(text, arguments); }

    // "select <the members of T> " + rest, for example select<tenant>("from tenant order by name").
    template <described T, class... A>
    std::vector<T> select(std::string_view rest, const A&... arguments)
    {
        return query("select " + column_list<T>() + " " + std::string{rest}, arguments...).template as<T>();
    }

    // The first row of such a select.
    template <described T, class... A>
    std::optional<T> find(std::string_view rest, const A&... arguments)
    {
        auto rows = select<T>(rest, arguments...);
        if (rows.empty()) return std::nullopt;
        return std::move(rows.front());
    }

    // "insert into <table> (<the members of T>) values ($1, ...) " + rest.
    template <described T>
    row_set insert(std::string_view table, const T& row, std::string_view rest = {})
    {
        std::vector<value> values;
        std::string places;
        boost::mp11::mp_for_each<detail::members_of<T>>([&](auto member) {
            values.push_back(to_value(row.*member.pointer));
            places.append(places.empty() ? "$" : ", $").append(std::to_string(values.size()));
        });
        return run("insert into " + std::string{table} + " (" + column_list<T>() + ") values (" + places + ") " +
                       std::string{rest},
                   values);
    }

protected:
    // One statement of the engine; `text` is prepared once per connection.
    virtual row_set execute(std::string_view text, std::span<const value> arguments) = 0;

    // Set by the first error of a transaction, so that both engines refuse what follows it.
    bool failed_ = false;

private:
    row_set run(std::string_view text, std::span<const value> arguments);
};

} // namespace xentz::sql
