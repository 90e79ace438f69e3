#include "recovery/row_text.hpp"

#include "wire/json.hpp"

namespace xentz::recovery {
namespace {

using base::fail;
using base::fault_code;
using base::result;
namespace json = wire::json;

struct heading {
    std::string table;
    std::vector<std::string> columns;
};
BOOST_DESCRIBE_STRUCT(heading, (), (table, columns))

std::unexpected<base::fault> no_line()
{
    return fail(fault_code::invalid_value, "a line of the copy is neither a table nor a row", "Use another copy");
}

json::value to_cell(const sql::value& v)
{
    if (const auto* number = std::get_if<std::int64_t>(&v)) return json::value(*number);
    if (const auto* real = std::get_if<double>(&v)) return json::value(*real);
    if (const auto* text = std::get_if<std::string>(&v)) return json::value(*text);
    return nullptr;
}

std::optional<sql::value> from_cell(const json::value& v)
{
    if (v.is_null()) return sql::value{};
    if (v.is_int64()) return sql::value{v.get_int64()};
    if (v.is_double()) return sql::value{v.get_double()};
    if (v.is_string()) return sql::value{std::string{v.get_string()}};
    return std::nullopt;
}

bool is_utf8(const sql::value& v)
{
    const auto* text = std::get_if<std::string>(&v);
    return text == nullptr || base::to_utf8(*text) == *text;
}

} // namespace

std::string heading_line(const store::table& t)
{
    heading h{.table = std::string{t.name}, .columns = {}};
    for (const auto& c : t.columns) h.columns.emplace_back(c.name);
    return wire::encode(h) + "\n";
}

result<std::string> row_line(const store::row& r)
{
    json::array cells;
    for (const auto& v : r) {
        if (!is_utf8(v))
            return fail(fault_code::invalid_value, "a text in the database is no UTF-8",
                        "The database was altered by another program; see its rows");
        cells.push_back(to_cell(v));
    }
    return wire::print_json(cells) + "\n";
}

result<line> read_line(std::string_view text)
{
    const auto v = wire::parse_json(text);
    if (!v) return no_line();
    if (v->is_object()) {
        auto h = wire::from_json<heading>(*v);
        if (!h) return no_line();
        return store::row_group{std::move(h->table), std::move(h->columns)};
    }
    if (!v->is_array()) return no_line();
    store::row out;
    for (const auto& cell : v->get_array()) {
        auto value = from_cell(cell);
        if (!value) return no_line();
        out.push_back(std::move(*value));
    }
    return out;
}

} // namespace xentz::recovery
